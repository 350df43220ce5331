import { createHash } from "node:crypto";
import { grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import type { UdpSocket } from "#platform/network.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import type { ProbeOrder } from "#wire/probe/probe-order.ts";
import type { ProbeSighting, TftpReadSighting } from "#wire/probe/probe-sighting.ts";
import { decodeTftpPacket, encodeTftpPacket, TftpErrorCode, type TftpPacket } from "#wire/tftp/packet.ts";
import type { ProbeContext } from "./probe-context.ts";
import { flowWith } from "./probe-flows.ts";
import { tryWatchFrames, WireWatch } from "./wire-watch.ts";

type TftpOrder = Extract<ProbeOrder, { readonly kind: "tftp" }>;

const serverPort = 69;
/** Requests are repeated as firmware does, so that one lost packet is not taken for a closed path. */
const requestCountMax = 3;
const requestDelayMs = 1000;
const readMsMax = 4000;
/** IP and UDP headers. */
const headersSizeBytes = 28;
const readSizeBytesMax = 1 << 20;

/** Reads the file once for each block size, all at once, and measures which unfragmentable requests arrive. */
export async function probeTftp(context: ProbeContext, order: TftpOrder): Promise<ProbeSighting> {
  const watch = new WireWatch(context.serverAddress, 0);
  const tap = await tryWatchFrames(grantRead(context), watch);
  const [reads, answered] = await Promise.all([
    Promise.all(order.blockSizes.map((size) => readOnce(context, order.fileName, size))),
    Promise.all(order.requestSizes.map((size) => isAnswered(context, order.fileName, size))),
  ]);
  tap?.close();
  return {
    kind: "tftp",
    fragmentCount: tap === null ? null : watch.fragmentCount,
    reads,
    answeredSizes: order.requestSizes.filter((_, index) => answered[index] === true),
  };
}

function grantRead(context: ProbeContext): SocketGrant {
  return grantSocket(flowWith("boot.tftp", {}), {
    role: "firmware",
    side: "connect",
    interfaceName: context.networkInterface.name,
  });
}

function openSocket(context: ProbeContext, neverFragment = false): Promise<UdpSocket> {
  return context.network.openUdp(grantRead(context), neverFragment ? { neverFragment: true } : {});
}

function readRequest(fileName: string, blockSizeBytes: number, sizeText = "0"): Uint8Array {
  const options = new Map([
    ["blksize", String(blockSizeBytes)],
    ["tsize", sizeText],
  ]);
  return encodeTftpPacket({ type: "read-request", fileName, mode: "octet", options });
}

function decode(bytes: Uint8Array): TftpPacket | null {
  try {
    return decodeTftpPacket(bytes);
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

/** One read, in lock-step, from whatever port the server answers (RFC 1350 §4). */
async function readOnce(
  context: ProbeContext,
  fileName: string,
  blockSizeBytes: number,
): Promise<TftpReadSighting> {
  const socket = await openSocket(context);
  const startedAtMs = performance.now();
  const hash = createHash("sha256");
  let peerPort: number | null = null;
  let agreedSizeBytes: number | null = null;
  let receivedBytes = 0;
  let nextBlock = 1;
  const request = readRequest(fileName, blockSizeBytes);
  const ask = (): void => socket.send(request, { address: context.serverAddress, port: serverPort });
  const outcome = await new Promise<Pick<TftpReadSighting, "outcome" | "detail">>((resolve) => {
    let requestCount = 1;
    const repeat = setInterval(() => {
      if (peerPort === null && requestCount < requestCountMax) {
        requestCount += 1;
        ask();
      }
    }, requestDelayMs);
    const finish = (result: Pick<TftpReadSighting, "outcome" | "detail">): void => {
      clearInterval(repeat);
      clearTimeout(limit);
      resolve(result);
    };
    const limit = setTimeout(
      () => finish({ outcome: peerPort === null ? "no-answer" : "no-data", detail: null }),
      readMsMax,
    );
    socket.onError((error) => finish({ outcome: "no-answer", detail: error.message.slice(0, 250) }));
    socket.onDatagram(({ bytes, sourceAddress, sourcePort }) => {
      const packet = decode(bytes);
      if (packet === null || sourceAddress !== context.serverAddress) {
        return;
      }
      if (peerPort !== null && sourcePort !== peerPort) {
        // A repeated request has begun a second transfer; the first is ours.
        return;
      }
      peerPort = sourcePort;
      const peer = { address: sourceAddress, port: sourcePort };
      const acknowledge = (blockNumber: number): void =>
        socket.send(encodeTftpPacket({ type: "ack", blockNumber }), peer);
      if (packet.type === "error") {
        finish({ outcome: "refused", detail: `${packet.code} ${packet.message}`.slice(0, 250) });
      } else if (packet.type === "option-ack") {
        agreedSizeBytes = Number(packet.options.get("blksize") ?? 512);
        acknowledge(0);
      } else if (packet.type === "data") {
        const { blockNumber, data } = packet;
        if (blockNumber === nextBlock) {
          nextBlock += 1;
          receivedBytes += data.byteLength;
          hash.update(data);
        }
        acknowledge(blockNumber);
        if (data.byteLength < (agreedSizeBytes ?? 512) || receivedBytes > readSizeBytesMax) {
          finish({ outcome: "complete", detail: hash.digest("hex") });
        }
      }
    });
    ask();
  });
  const elapsedMs = performance.now() - startedAtMs;
  await socket.close();
  return { blockSizeBytes, ...outcome, elapsedMs, serverPort: peerPort, agreedSizeBytes, receivedBytes };
}

/** Whether a request of this many bytes of IP, which no router may cut, reaches the server. */
async function isAnswered(
  context: ProbeContext,
  fileName: string,
  packetSizeBytes: number,
): Promise<boolean> {
  const socket = await openSocket(context, true);
  // NULs after the last option are padding, as some firmware sends it: an empty name and an empty value each time.
  const padded = new Uint8Array(packetSizeBytes - headersSizeBytes);
  const plain = readRequest(fileName, 512);
  const isEven = (padded.byteLength - plain.byteLength) % 2 === 0;
  padded.set(isEven ? plain : readRequest(fileName, 512, "00"));
  const found = await new Promise<boolean>((resolve) => {
    let requestCount = 1;
    const ask = (): void => socket.send(padded, { address: context.serverAddress, port: serverPort });
    const repeat = setInterval(() => {
      requestCount += 1;
      if (requestCount > requestCountMax) {
        clearInterval(repeat);
        resolve(false);
        return;
      }
      ask();
    }, requestDelayMs / 2);
    socket.onError(() => undefined);
    socket.onDatagram(({ sourceAddress, sourcePort, bytes }) => {
      if (sourceAddress === context.serverAddress && decode(bytes) !== null) {
        clearInterval(repeat);
        const stop = { type: "error", code: TftpErrorCode.optionRefused, message: "probe" } as const;
        socket.send(encodeTftpPacket(stop), { address: sourceAddress, port: sourcePort });
        resolve(true);
      }
    });
    ask();
  });
  await socket.close();
  return found;
}
