import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { fromRanges } from "#wire/control/imaging-messages.ts";
import type { DataPacket } from "#wire/multicast/data-packet.ts";
import { allocatePair, type GroupPort } from "./allocate-pair.ts";
import { MulticastReceiver } from "./receiver.ts";
import { ParityCode } from "./parity-code.ts";
import type { LeftReason } from "./pace.ts";
import { defaultSenderLimits, MulticastSender, type RoundEnd, type SendUnit } from "./sender.ts";

const blockSizeBytes = 100;
const blockCount = 20;
const chunkCount = 40;
/** More than receivers hold in pieces, many times over. */
const manyChunksCount = 400;

/** mulberry32: the same numbers for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const frameSizeBytes = blockCount * blockSizeBytes;
const frames = Array.from({ length: manyChunksCount }, (_, chunkIndex) =>
  Uint8Array.from({ length: frameSizeBytes }, (__, index) => (chunkIndex * 7 + index * index) >> 3),
);
const parityCode = new ParityCode();

function packetOf(
  sequence: number,
  chunkIndex: number,
  blockIndex: number,
  kind: "data" | "parity" = "data",
): DataPacket {
  const frame = frames[chunkIndex] ?? new Uint8Array(frameSizeBytes);
  const from = blockIndex * blockSizeBytes;
  const [parity] =
    kind === "data" ? [] : parityCode.encode(frame, blockSizeBytes, blockIndex >> 8, blockIndex & 255, 1);
  const block = parity ?? frame.subarray(from, from + blockSizeBytes);
  return { kind, sessionId: 1, sequence, chunkIndex, frameSizeBytes, blockIndex, blockSizeBytes, block };
}

function isGenuine(chunkIndex: number, frame: Uint8Array): boolean {
  return Buffer.compare(frame, frames[chunkIndex] ?? new Uint8Array(0)) === 0;
}

type Piece = { readonly kind: "data" | "parity"; readonly blockIndex: number };

function listPieces({ blocks, parity }: SendUnit): Piece[] {
  const indices = blocks === "all" ? [...Array(blockCount).keys()] : blocks;
  return [
    ...parity.flatMap(({ stripe, from, count }) =>
      Array.from({ length: count }, (_, index): Piece => {
        return { kind: "parity", blockIndex: stripe * 256 + from + index };
      }),
    ),
    ...indices.map((blockIndex): Piece => ({ kind: "data", blockIndex })),
  ];
}

type Member = {
  readonly id: string;
  readonly engine: MulticastReceiver;
  readonly joinAtMs: number;
  readonly dieAtMs: number;
  /** Back from the dead: it was held up, or its network was. */
  readonly wakeAtMs: number;
  /** What a computer that works slowly takes from its socket. */
  readonly packetsPerMs: number;
  /** Datagrams that its queue holds; more are lost. */
  readonly queueCountMax: number;
  /** Something else has its processor for so long of each second. */
  readonly heldUpMs: number;
  readonly backlog: DataPacket[];
  readonly questions: RoundEnd[];
  credit: number;
  unreportedCount: number;
};

type Script = {
  readonly seed: number;
  readonly loss: number;
  /** `chunkCount` unless given. */
  readonly chunkCount?: number;
  readonly duplication?: number;
  readonly reorder?: number;
  readonly windowMax?: number;
  readonly members: readonly (Partial<
    Pick<Member, "joinAtMs" | "dieAtMs" | "wakeAtMs" | "packetsPerMs" | "queueCountMax" | "heldUpMs">
  > & {
    id: string;
  })[];
};

const senderLimits = {
  ...defaultSenderLimits,
  windowMax: 256,
  judgeMs: 2000,
  awaitMs: 700,
  silenceMs: 3000,
  silenceMsMax: 30_000,
  parityCountMax: 64,
};

/** One session in steps of a virtual millisecond, 50 datagrams in each at most. */
class Room {
  readonly sender: MulticastSender;
  readonly members: readonly Member[];
  readonly left = new Map<string, LeftReason>();
  readonly #script: Script;
  readonly #chunkCount: number;
  readonly #random: () => number;
  readonly #inSession = new Set<Member>();
  #chunkIndex = 0;
  #pieces: Piece[] = [];
  #nowMs = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#chunkCount = script.chunkCount ?? chunkCount;
    const { windowMax = senderLimits.windowMax } = script;
    this.sender = new MulticastSender(this.#chunkCount, { ...senderLimits, windowMax }, 0);
    this.#random = seededRandom(script.seed);
    this.members = script.members.map((given) => ({
      joinAtMs: 0,
      dieAtMs: Number.POSITIVE_INFINITY,
      wakeAtMs: Number.POSITIVE_INFINITY,
      packetsPerMs: 1000,
      queueCountMax: Number.POSITIVE_INFINITY,
      heldUpMs: 0,
      ...given,
      engine: new MulticastReceiver(Array(this.#chunkCount).keys()),
      backlog: [],
      questions: [],
      credit: 0,
      unreportedCount: 0,
    }));
  }

  get endedAtMs(): number {
    return this.#nowMs;
  }

  play(): void {
    for (; this.#nowMs < 600_000 && (this.#inSession.size > 0 || this.#nowMs === 0); this.#nowMs += 1) {
      this.#admitAndJudge();
      this.#send();
      for (const member of this.#inSession) {
        if (this.#isAwake(member) && !this.#isHeldUp(member)) {
          this.#work(member);
        }
      }
    }
  }

  #isAwake({ dieAtMs, wakeAtMs }: Member): boolean {
    return this.#nowMs < dieAtMs || this.#nowMs >= wakeAtMs;
  }

  /** Each at another time. */
  #isHeldUp(member: Member): boolean {
    return (this.#nowMs + this.members.indexOf(member) * 370) % 1000 < member.heldUpMs;
  }

  #admitAndJudge(): void {
    for (const member of this.members) {
      if (member.joinAtMs === this.#nowMs) {
        this.#inSession.add(member);
        this.sender.join(member.id, [[0, this.#chunkCount]], this.#nowMs);
      }
    }
    if (this.#nowMs % 1000 === 0) {
      for (const { receiverId, reason } of this.sender.judge(this.#nowMs, 1000)) {
        const member = this.members.find(({ id }) => id === receiverId);
        assert.ok(member !== undefined);
        this.#leave(member, reason);
      }
    }
  }

  #send(): void {
    const { sender } = this;
    for (let step = 0; step < 50 && sender.budget(this.#nowMs) > 0; step += 1) {
      if (this.#pieces.length === 0 && !this.#takeUnit()) {
        return;
      }
      for (const { kind, blockIndex } of this.#pieces.splice(0, 1)) {
        this.#deliver(packetOf(sender.takeSequences(1), this.#chunkIndex, blockIndex, kind));
      }
    }
  }

  /** False when the round is over and was asked about, or nothing may be sent. */
  #takeUnit(): boolean {
    const unit = this.sender.next(this.#nowMs);
    if (unit === null) {
      const question = this.sender.endRound();
      if (question !== null) {
        this.#inSession.forEach((member) => member.questions.push(question));
      }
      return false;
    }
    this.#chunkIndex = unit.chunkIndex;
    this.#pieces = listPieces(unit);
    return true;
  }

  #deliver(packet: DataPacket): void {
    const { loss, duplication = 0, reorder = 0 } = this.#script;
    for (const member of this.#inSession) {
      if (!this.#isAwake(member) || this.#random() < loss) {
        continue;
      }
      for (let copies = this.#random() < duplication ? 2 : 1; copies > 0; copies -= 1) {
        const end = member.backlog.length;
        if (end >= member.queueCountMax) {
          continue;
        }
        member.backlog.splice(this.#random() < reorder ? Math.max(0, end - 3) : end, 0, packet);
      }
    }
  }

  #work(member: Member): void {
    // Time in which there was nothing to do cannot be saved up.
    member.credit = Math.min(member.credit + member.packetsPerMs, Math.max(1, member.packetsPerMs));
    const takenCount = Math.min(Math.floor(member.credit), member.backlog.length);
    member.credit -= takenCount;
    for (const packet of member.backlog.splice(0, takenCount)) {
      const arrived = member.engine.receive(packet);
      if (arrived !== null && isGenuine(arrived.chunkIndex, arrived.frame)) {
        member.engine.settle(arrived.chunkIndex, true);
      }
      member.unreportedCount += 1;
    }
    const { highestSequence, lostCount, wantedCount } = member.engine;
    if (member.unreportedCount >= 16 || (this.#nowMs % 60 === 0 && highestSequence > 0)) {
      member.unreportedCount = 0;
      this.sender.report(member.id, highestSequence, lostCount, this.#nowMs);
    }
    while (member.questions[0] !== undefined && member.backlog.length === 0) {
      const [question] = member.questions.splice(0, 1);
      if (question !== undefined) {
        const { chunks, blocks } = member.engine.missing(fromRanges(question.chunks, this.#chunkCount));
        this.sender.missing(member.id, question.round, chunks, blocks, this.#nowMs);
      }
    }
    if (wantedCount === 0) {
      this.#leave(member, "done");
    }
  }

  #leave(member: Member, reason: LeftReason): void {
    this.#inSession.delete(member);
    this.left.set(member.id, reason);
    this.sender.leave(member.id);
  }
}

function play(script: Script): {
  readonly sentCount: number;
  readonly endedAtMs: number;
  readonly left: ReadonlyMap<string, LeftReason>;
} {
  const room = new Room(script);
  room.play();
  return { sentCount: room.sender.sentSequence, endedAtMs: room.endedAtMs, left: room.left };
}

const copyCount = chunkCount * blockCount;
const three = [{ id: "a" }, { id: "b" }, { id: "c" }];

for (const [loss, copiesMax] of [
  [0, 1],
  [0.02, 1.15],
  [0.1, 1.7],
] as const) {
  test(`multicast: three receivers finish at ${loss * 100} % loss with at most ${copiesMax} copies sent`, () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const outcome = play({ seed, loss, members: three });
      const seen = `seed ${seed}: ${outcome.sentCount} of ${copyCount}`;
      assert.deepEqual([...outcome.left.values()], ["done", "done", "done"], seen);
      assert.ok(outcome.sentCount <= copyCount * copiesMax, seen);
    }
  });
}

test("multicast: 2 % loss costs at most twice the time of none, whatever the seed", () => {
  const idealMs = play({ seed: 1, loss: 0, members: three }).endedAtMs;
  for (let seed = 1; seed <= 20; seed += 1) {
    const { endedAtMs } = play({ seed, loss: 0.02, members: three });
    assert.ok(endedAtMs <= idealMs * 2, `seed ${seed}: ${endedAtMs} ms beside ${idealMs} ms`);
  }
});

test("multicast: reordered and duplicated datagrams cost no repair", () => {
  const outcome = play({ seed: 7, loss: 0, duplication: 0.2, reorder: 0.2, members: three });
  assert.equal(outcome.sentCount, copyCount);
  assert.deepEqual([...outcome.left.values()], ["done", "done", "done"]);
});

test("multicast: a late receiver uses what is on the wire and is sent only the rest", () => {
  const outcome = play({ seed: 3, loss: 0, members: [{ id: "a" }, { id: "late", joinAtMs: 8 }] });
  assert.equal(outcome.left.get("late"), "done");
  assert.equal(outcome.left.get("a"), "done");
  assert.ok(outcome.sentCount < copyCount * 1.9, `${outcome.sentCount} of ${copyCount}`);
});

test("multicast: a receiver that died is named silent, and the others finish", () => {
  const outcome = play({ seed: 5, loss: 0.02, members: [...three, { id: "dead", dieAtMs: 5 }] });
  assert.equal(outcome.left.get("dead"), "silent");
  assert.deepEqual(
    ["a", "b", "c"].map((id) => outcome.left.get(id)),
    ["done", "done", "done"],
  );
});

test("multicast: a receiver at a fiftieth of the pace is named too slow, and the others finish", () => {
  const outcome = play({
    seed: 6,
    loss: 0,
    members: [{ id: "a" }, { id: "b" }, { id: "slow", packetsPerMs: 0.05 }],
  });
  assert.equal(outcome.left.get("a"), "done");
  assert.equal(outcome.left.get("b"), "done");
  assert.equal(outcome.left.get("slow"), "too-slow");
});

test("multicast: in a room where all are slow, each in its own measure, none is sent away", () => {
  const members = [0.02, 0.025, 0.035, 0.05].map((packetsPerMs, index) => ({
    id: `pc${index}`,
    packetsPerMs,
  }));
  for (const loss of [0, 0.02]) {
    const outcome = play({ seed: 8, loss, members });
    assert.deepEqual([...outcome.left.values()], ["done", "done", "done", "done"]);
    const idealMs = copyCount / 0.02;
    assert.ok(outcome.endedAtMs < idealMs * 1.25, `${outcome.endedAtMs} ms beside ${idealMs} ms`);
  }
});

test("multicast: busy computers with short queues lose little, because little waits in queues", () => {
  const members = three.map(({ id }) => ({ id, packetsPerMs: 2, queueCountMax: 700, heldUpMs: 200 }));
  const outcome = play({ seed: 13, loss: 0, members, chunkCount: manyChunksCount, windowMax: 8192 });
  assert.deepEqual([...outcome.left.values()], ["done", "done", "done"]);
  const copies = outcome.sentCount / (manyChunksCount * blockCount);
  assert.ok(copies <= 1.1, `${copies} copies`);
  const idealMs = (manyChunksCount * blockCount) / 2 / 0.8;
  assert.ok(outcome.endedAtMs < idealMs * 1.5, `${outcome.endedAtMs} ms beside ${idealMs} ms`);
});

test("multicast: of a room of eight, three that are far slower go together, and the others keep their pace", () => {
  const healthy = ["a", "b", "c", "d", "e"].map((id) => ({ id, packetsPerMs: 0.2 }));
  const slow = ["x", "y", "z"].map((id, index) => ({ id, packetsPerMs: 0.01 + index / 500 }));
  const outcome = play({ seed: 9, loss: 0, members: [...healthy, ...slow] });
  assert.deepEqual(
    [...outcome.left].filter(([, reason]) => reason === "too-slow").map(([id]) => id),
    ["x", "y", "z"],
  );
  const idealMs = copyCount / 0.2;
  assert.ok(outcome.endedAtMs < idealMs + 4000, `${outcome.endedAtMs} ms beside ${idealMs} ms`);
});

test("multicast: when all fall silent at once nobody is sent away, and they go on when they are back", () => {
  const members = three.map(({ id }) => ({ id, packetsPerMs: 0.2, dieAtMs: 1000, wakeAtMs: 16_000 }));
  const outcome = play({ seed: 10, loss: 0, members });
  assert.deepEqual([...outcome.left.values()], ["done", "done", "done"]);
});

test("multicast: one that was held up lacks more than it can hold in pieces, and gets it in turn", () => {
  const members = [{ id: "a" }, { id: "held-up", dieAtMs: 1, wakeAtMs: 2000 }];
  const outcome = play({ seed: 12, loss: 0.1, members, chunkCount: manyChunksCount });
  assert.deepEqual(
    [...outcome.left],
    [
      ["a", "done"],
      ["held-up", "done"],
    ],
  );
  const copies = outcome.sentCount / (manyChunksCount * blockCount);
  assert.ok(copies <= 3, `${copies} copies for two that heard nothing together`);
});

test("multicast: when all are gone for good the session ends", () => {
  const members = three.map(({ id }) => ({ id, packetsPerMs: 0.2, dieAtMs: 1000 }));
  const outcome = play({ seed: 11, loss: 0, members });
  assert.deepEqual([...outcome.left.values()], ["silent", "silent", "silent"]);
});

test("multicast receiver: a chunk repeated while it is written is not asked for again", () => {
  const engine = new MulticastReceiver([0, 1]);
  const arrived = Array.from({ length: blockCount }, (_, block) =>
    engine.receive(packetOf(block + 1, 0, block)),
  );
  assert.equal(arrived.filter((chunk) => chunk !== null).length, 1);
  engine.receive(packetOf(21, 0, 3));
  engine.settle(0, true);
  assert.deepEqual(engine.missing([0, 1]), { chunks: [[1, 1]], blocks: [] });
});

test("multicast receiver: a forged size and a forged sequence cost a repair, nothing else", () => {
  const engine = new MulticastReceiver([0]);
  engine.receive(packetOf(1, 0, 0));
  engine.receive({ ...packetOf(0xffffffff, 0, 1), frameSizeBytes: 5000 });
  assert.equal(engine.highestSequence, 1);
  assert.deepEqual(engine.missing([0, 1]), { chunks: [[0, 1]], blocks: [] });
  const arrived = Array.from({ length: blockCount }, (_, block) =>
    engine.receive(packetOf(block + 2, 0, block)),
  );
  assert.ok(arrived.some((chunk) => chunk !== null && isGenuine(0, chunk.frame)));
  assert.equal(engine.spoiledCount, 1, "for its size");
  engine.settle(0, false);
  assert.equal(engine.spoiledCount, 2, "for its seal or hash");
});

test("multicast pairs: every group on the first port, then the next port, then the session waits", () => {
  const groups = ["224.2.0.2", "224.2.0.3"].map((text) => Ipv4Address.parse(text));
  const inUse: GroupPort[] = [];
  for (let count = 0; count < 4; count += 1) {
    const pair = allocatePair(groups, [401, 402], inUse);
    assert.ok(pair !== null);
    inUse.push(pair);
  }
  assert.deepEqual(
    inUse.map(({ group, port }) => `${group}:${port}`),
    ["224.2.0.2:401", "224.2.0.3:401", "224.2.0.2:402", "224.2.0.3:402"],
  );
  assert.equal(allocatePair(groups, [401, 402], inUse), null);
  assert.deepEqual(allocatePair(groups, [401, 402], inUse.toSpliced(1, 1)), inUse[1]);
});
