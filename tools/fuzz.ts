import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeDhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import { printDhcpPacket } from "#wire/dhcp4/print-packet.ts";
import { decodeGetServerAnswer, decodeGetServerRequest } from "#wire/discovery/get-server.ts";
import { decodeEthernetFrame } from "#wire/ethernet/ethernet-frame.ts";
import { decodeIpv4Packet } from "#wire/ethernet/ipv4-packet.ts";
import { decodeUdpDatagram } from "#wire/ethernet/udp-datagram.ts";
import { decodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";
import { decodeDataPacket, encodeDataPacket } from "#wire/multicast/data-packet.ts";
import { readCapture } from "#wire/pcap/read-capture.ts";
import { decodePxeOptions, encodePxeOptions } from "#wire/pxe/vendor-options.ts";
import { decodeTftpPacket, encodeTftpPacket } from "#wire/tftp/packet.ts";
import { printCapture } from "#cli/decode/print-capture.ts";

type Target = {
  /** Valid inputs to start from. */
  readonly seeds: () => readonly Uint8Array[];
  /** May throw `WireError` and nothing else. What decodes must encode and decode again. */
  readonly check: (bytes: Uint8Array) => void;
};

const dhcpFixtures = "src/wire/dhcp4/fixtures";
const tftpFixtures = "src/wire/tftp/fixtures";

function readCaptures(folder: string): Uint8Array[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".pcap"));
  return names.toSorted().map((name) => new Uint8Array(readFileSync(`${folder}/${name}`)));
}

function readPayloads(folder: string): Uint8Array[] {
  return readCaptures(folder).flatMap((file) =>
    Array.from(readCapture(file), (frame) => {
      const packet = decodeIpv4Packet(decodeEthernetFrame(frame.bytes).payload);
      return decodeUdpDatagram(packet.payload, packet).payload;
    }),
  );
}

const wakeUp = Uint8Array.from([...Array<number>(6).fill(255), ...Array<number>(96).fill(7)]);
const dataPacket = {
  kind: "data" as const,
  sessionId: 1,
  sequence: 2,
  chunkIndex: 3,
  frameSizeBytes: 200,
  blockIndex: 1,
  blockSizeBytes: 128,
};

/** Key: the name on the command line. BOUNDED by the rows. */
export const fuzzTargets: Readonly<Record<string, Target>> = {
  "wire/dhcp4": {
    seeds: () => readPayloads(dhcpFixtures),
    check(bytes) {
      const packet = decodeDhcpPacket(bytes);
      printDhcpPacket(packet);
      const again = decodeDhcpPacket(encodeDhcpPacket({ ...packet, serverName: "", bootFile: "" }, 65_507));
      if (again.options.length !== packet.options.length) {
        throw new Error("an option was lost when encoding");
      }
    },
  },
  "wire/pxe": {
    seeds: () => [
      Uint8Array.from(
        Buffer.from(
          "06010308078000010a4d00020914800011426f6f742066726f6d206e6574776f726b0a0301506fff",
          "hex",
        ),
      ),
      Uint8Array.from(Buffer.from("0202de060302df06470480000000ff", "hex")),
    ],
    check: (bytes) => void encodePxeOptions(decodePxeOptions(bytes)),
  },
  "wire/tftp": {
    seeds: () => readPayloads(tftpFixtures),
    check: (bytes) => void encodeTftpPacket(decodeTftpPacket(bytes)),
  },
  "wire/ethernet": {
    seeds: () =>
      readCaptures(dhcpFixtures).flatMap((file) => Array.from(readCapture(file), (frame) => frame.bytes)),
    check(bytes) {
      const packet = decodeIpv4Packet(decodeEthernetFrame(bytes).payload);
      decodeUdpDatagram(packet.payload, packet);
    },
  },
  "wire/pcap": {
    seeds: () => readCaptures(dhcpFixtures),
    check: (bytes) => void [...readCapture(bytes)],
  },
  "wire/magic-packet": { seeds: () => [wakeUp], check: (bytes) => void decodeMagicPacket(bytes) },
  "wire/multicast": {
    seeds: () => [encodeDataPacket({ ...dataPacket, block: new Uint8Array(72) })],
    check: (bytes) => void encodeDataPacket(decodeDataPacket(bytes)),
  },
  "wire/discovery": {
    seeds: () => [
      Uint8Array.from(
        Buffer.from("50544c440101".padEnd(44, "0") + "0152540012345600".padEnd(980, "0"), "hex"),
      ),
    ],
    check(bytes) {
      if (bytes[5] === 1) {
        decodeGetServerRequest(bytes);
      } else {
        decodeGetServerAnswer(bytes);
      }
    },
  },
  "cli/decode": {
    seeds: () => readCaptures(dhcpFixtures),
    check(bytes) {
      for (const line of printCapture(bytes)) {
        // What a terminal would act on: nothing of it may come out of a capture.
        if (/[\p{Cc}\p{Cf}]/u.test(line)) {
          throw new Error(`a control character in ${JSON.stringify(line)}`);
        }
      }
    },
  },
};

/** mulberry32: small, fast, and the same everywhere for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const interesting = [0, 1, 2, 52, 82, 127, 128, 254, 255];

function mutate(seed: Uint8Array, below: (limit: number) => number): Uint8Array {
  let bytes = seed.slice();
  for (let change = below(4); change >= 0 && bytes.byteLength > 0; change -= 1) {
    const at = below(bytes.byteLength);
    const kind = below(5);
    if (kind === 0) {
      bytes[at] = below(256);
    } else if (kind === 1) {
      bytes[at] = interesting[below(interesting.length)] ?? 0;
    } else if (kind === 2) {
      bytes = bytes.slice(0, at);
    } else if (kind === 3) {
      bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(Math.max(0, at - below(16)))]);
    } else {
      bytes.fill(below(256), at, at + below(8));
    }
  }
  return bytes;
}

export type FuzzOutcome = { readonly runs: number; readonly accepted: number; readonly refused: number };

/** @throws Error with the run's number and input at the first thing thrown that is not a `WireError` */
export function fuzz(
  name: string,
  target: Target,
  options: { readonly seed: number; readonly runs: number },
): FuzzOutcome {
  const seeds = target.seeds();
  const below = randomNumbers(options.seed);
  const counts = { accepted: 0, refused: 0 };
  for (let run = 0; run < options.runs; run += 1) {
    const bytes = mutate(seeds[below(seeds.length)] ?? new Uint8Array(0), below);
    try {
      target.check(bytes);
      counts.accepted += 1;
    } catch (error) {
      if (!(error instanceof WireError)) {
        const rerun = `node tools/fuzz.ts ${name} --seed ${options.seed} --runs ${run + 1}`;
        throw new Error(`${rerun}\ninput ${Buffer.from(bytes).toString("hex")}`, { cause: error });
      }
      counts.refused += 1;
    }
  }
  return { runs: options.runs, ...counts };
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: "string", default: "1" }, runs: { type: "string", default: "20000" } },
  });
  const names = positionals.length === 0 ? Object.keys(fuzzTargets) : positionals;
  for (const name of names) {
    const target = fuzzTargets[name];
    if (target === undefined) {
      console.error(`no target ${name}; there are ${Object.keys(fuzzTargets).join(", ")}`);
      process.exitCode = 2;
      return;
    }
    const outcome = fuzz(name, target, { seed: Number(values.seed), runs: Number(values.runs) });
    console.log(`${name}: ${outcome.runs} runs, ${outcome.accepted} accepted, ${outcome.refused} refused`);
  }
}

if (import.meta.main) {
  main();
}
