import { BenchRoom, printTable, type RoomLink } from "./parts/bench-room.ts";
import type { TransmitReceiver, TransmitResult } from "#test/imaging/transmit-plan.ts";

/*
 * What a room costs, on shaped cables between network namespaces: share of the link used, rooms of 1 to 32, a slow
 * receiver, late ones, a difference of 5 %, and twenty computers with everything going wrong. Each receiver is a process
 * that authenticates, decompresses and hashes every chunk and writes it nowhere. Two processors carry all of them, so the
 * cables of larger rooms are narrow enough for these.
 * usage: portolan bench multicast-room [link|count|slow|late|delta|twenty]…
 */
const mib = 1 << 20;

type Row = Record<string, string | number>;
type Outcome = { readonly result: TransmitResult; readonly contentBytes: number };

async function play(
  contentBytes: number,
  link: RoomLink,
  receivers: readonly Omit<TransmitReceiver, "namespace">[],
): Promise<Outcome> {
  const room = new BenchRoom(receivers.length);
  room.open();
  try {
    await room.fill(contentBytes);
    room.shape(link);
    const named = receivers.map((receiver, index) => ({
      namespace: room.receivers[index] ?? "",
      ...receiver,
    }));
    return { result: await room.transmit(named), contentBytes };
  } finally {
    room.close();
  }
}

function alike(count: number): Omit<TransmitReceiver, "namespace">[] {
  return Array.from({ length: count }, () => ({}));
}

/** When the last of these receivers, by place, had everything. @throws Error when one has not */
function finishedMs({ result }: Outcome, places: readonly number[]): number {
  const leftAt = places.map((place) => {
    const [name] = Object.keys(result.left).filter((namespace) => namespace.endsWith(`-r${place}`));
    const left = result.left[name ?? ""];
    if (left?.reason !== "done" || result.complete[name ?? ""]?.isComplete !== true) {
      throw new Error(`receiver ${place} has not everything: ${JSON.stringify(result)}`);
    }
    return left.atMs;
  });
  return Math.max(...leftAt);
}

function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** Processor seconds for each GB of content: the sender's, and the mean of the receivers'. */
function cpuPerGb({ result, contentBytes }: Outcome): Row {
  const own = Object.values(result.complete).map((receiver) => receiver?.cpuMs ?? 0);
  const mean = own.reduce((sum, cpuMs) => sum + cpuMs, 0) / Math.max(1, own.length);
  const perGb = (cpuMs: number): string => (cpuMs / 1000 / (contentBytes / 1e9)).toFixed(1);
  return { "sender CPU s/GB": perGb(result.cpuMs), "receiver CPU s/GB": perGb(mean) };
}

function copies({ result }: Outcome): number {
  return result.sentBytes / result.copyBytes;
}

async function measureLink(): Promise<void> {
  const rows: Row[] = [];
  for (const lossPercent of [0, 1, 5]) {
    const outcome = await play(256 * mib, { mbps: 1000, lossPercent, isCable: true }, alike(1));
    const ms = finishedMs(outcome, [0]);
    const goodputMbps = (outcome.contentBytes * 8) / 1000 / ms;
    const onWireMbps = (outcome.result.sentBytes * 8) / 1000 / ms;
    rows.push({
      loss: `${lossPercent} %`,
      "link Mbit/s": 1000,
      "content Mbit/s": goodputMbps.toFixed(0),
      "ratio to the link": (goodputMbps / 1000).toFixed(3),
      "sent Mbit/s": onWireMbps.toFixed(0),
      copies: copies(outcome).toFixed(3),
      ...cpuPerGb(outcome),
    });
  }
  printTable(
    "link of 1 Gbit/s",
    "1 receiver, 256 MiB, MTU 1500; at most 0.956 of such a link is content",
    rows,
  );
}

async function measureCount(): Promise<void> {
  const rows: Row[] = [];
  for (const lossPercent of [0, 1]) {
    let aloneMs: number | null = null;
    for (const count of [1, 2, 4, 8, 16, 32]) {
      const outcome = await play(32 * mib, { mbps: 10, lossPercent }, alike(count));
      const ms = finishedMs(outcome, range(count));
      aloneMs ??= ms;
      rows.push({
        loss: `${lossPercent} %`,
        receivers: count,
        "last done s": (ms / 1000).toFixed(2),
        "ratio to 1 receiver": (ms / aloneMs).toFixed(3),
        copies: copies(outcome).toFixed(3),
        ...cpuPerGb(outcome),
      });
    }
  }
  printTable("rooms of 1 to 32", "32 MiB, cables of 10 Mbit/s, light receivers (they write nothing)", rows);
}

async function measureSlow(): Promise<void> {
  const plain = finishedMs(await play(96 * mib, { mbps: 40 }, alike(8)), range(8));
  const outcome = await play(96 * mib, { mbps: 40, mbpsOf: { 8: 4 } }, alike(9));
  const others = finishedMs(outcome, range(8));
  const [slow] = Object.entries(outcome.result.left).filter(([name]) => name.endsWith("-r8"));
  printTable("one receiver at 10 %", "96 MiB, eight receivers at 40 Mbit/s and one at 4 Mbit/s", [
    {
      "without it s": (plain / 1000).toFixed(2),
      "with it s": (others / 1000).toFixed(2),
      ratio: (others / plain).toFixed(3),
      "the slow one": `${slow?.[1].reason} after ${((slow?.[1].atMs ?? 0) / 1000).toFixed(1)} s`,
      copies: copies(outcome).toFixed(3),
    },
  ]);
}

async function measureLate(): Promise<void> {
  const rows: Row[] = [];
  const plain = finishedMs(await play(64 * mib, { mbps: 40 }, alike(8)), range(8));
  for (const joinAt of [0.5, 0.7]) {
    const outcome = await play(64 * mib, { mbps: 40 }, [...alike(8), { joinAt }]);
    rows.push({
      "joins at": `${joinAt * 100} %`,
      "without it s": (plain / 1000).toFixed(2),
      "others s": (finishedMs(outcome, range(8)) / 1000).toFixed(2),
      ratio: (finishedMs(outcome, range(8)) / plain).toFixed(3),
      "the late one s": (finishedMs(outcome, [8]) / 1000).toFixed(2),
      copies: copies(outcome).toFixed(3),
      "copies needed": (1 + joinAt).toFixed(3),
    });
  }
  printTable("a late receiver", "64 MiB, eight receivers at 40 Mbit/s and a late one", rows);
}

async function measureDelta(): Promise<void> {
  const size = 128 * mib;
  const link = { mbps: 200 };
  const full = await play(size, link, alike(4));
  const fullMs = finishedMs(full, range(4));
  const chunkCount = size / (full.contentBytes / (await countChunks(size)));
  const share = Math.round(chunkCount * 0.05);
  const rows: Row[] = [];
  for (const [title, step] of [
    ["all the same 5 %", 0],
    ["each its own 5 %", share],
  ] as const) {
    const receivers = range(4).map((place) => ({ wanted: [[place * step, share] as const] }));
    const outcome = await play(size, link, receivers);
    const ms = finishedMs(outcome, range(4));
    rows.push({
      lacking: title,
      "bytes to a full copy": (outcome.result.sentBytes / full.result.sentBytes).toFixed(3),
      "time to a full copy": (ms / fullMs).toFixed(3),
      union: (step === 0 ? 0.05 : 0.2).toFixed(2),
    });
  }
  printTable("difference of 5 %", "128 MiB, four receivers, 200 Mbit/s; hashing the disk is not in it", rows);
}

async function countChunks(sizeBytes: number): Promise<number> {
  const room = new BenchRoom(1);
  room.open();
  try {
    await room.fill(sizeBytes);
    return room.chunkCount;
  } finally {
    room.close();
  }
}

async function playTwenty(size: number): Promise<Row> {
  // At 40 Mbit/s twenty receivers ask for more than two processors have.
  const faults = { mbps: 20, lossPercent: 2, duplicatePercent: 1, reorderPercent: 1 };
  const plainMs = finishedMs(await play(size, faults, alike(16)), range(16));
  const outcome = await play(size, { ...faults, mbpsOf: { 16: 2 } }, [
    ...alike(17),
    { killAt: 0.2 },
    { killAt: 0.5 },
    { joinAt: 0.6 },
  ]);
  const othersMs = finishedMs(outcome, range(16));
  const fates = [16, 17, 18].map((place) => {
    const [name = ""] = Object.keys(outcome.result.left).filter((one) => one.endsWith(`-r${place}`));
    return outcome.result.left[name]?.reason ?? "still there";
  });
  return {
    "image MiB": size / mib,
    "sixteen without them s": (plainMs / 1000).toFixed(2),
    "with them s": (othersMs / 1000).toFixed(2),
    "longer by s": ((othersMs - plainMs) / 1000).toFixed(2),
    ratio: (othersMs / plainMs).toFixed(3),
    "late one done s": (finishedMs(outcome, [19]) / 1000).toFixed(2),
    "slow, killed, killed": fates.join(", "),
    copies: copies(outcome).toFixed(3),
    "copies needed": "1.6",
    "of these": (copies(outcome) / 1.6).toFixed(3),
  };
}

/** In two lengths: part of what the four cost the others is a matter of seconds, part grows with the image. */
async function measureTwenty(): Promise<void> {
  printTable(
    "twenty computers",
    "20 Mbit/s, 2 % loss, 1 % doubled, 1 % out of order, each receiver its own; number 16 at 2 Mbit/s, 17 and 18 killed at 20 and 50 %, 19 joins at 60 %",
    [await playTwenty(96 * mib), await playTwenty(192 * mib)],
  );
}

const measurements: Readonly<Record<string, () => Promise<void>>> = {
  link: measureLink,
  count: measureCount,
  slow: measureSlow,
  late: measureLate,
  delta: measureDelta,
  twenty: measureTwenty,
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(measurements);
for (const name of names) {
  const measure = measurements[name];
  if (measure === undefined) {
    process.stderr.write(
      `there is no measurement ${name}; there are: ${Object.keys(measurements).join(", ")}\n`,
    );
    process.exitCode = 2;
  } else {
    await measure();
  }
}
