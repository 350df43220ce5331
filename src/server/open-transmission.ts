import type { Manifest } from "#engine/image/manifest.ts";
import type { GroupPort } from "#engine/multicast/allocate-pair.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { parityCountMax } from "#engine/multicast/parity-code.ts";
import { defaultSenderLimits } from "#engine/multicast/sender.ts";
import type { Flow } from "#plan/flow.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import { dataHeaderSizeBytes, frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { Transmission } from "./imaging-session.ts";

const headersSizeBytes = 20 + 8;
/** Ethernet header and checksum. */
const frameOverheadBytes = 18;

/** A transmission and the sockets it sends by, which whoever opened it closes. */
export type OpenTransmission = {
  readonly transmission: Transmission;
  readonly sockets: readonly UdpSocket[];
};

/** Opens a socket on each interface with receivers, and a transmission whose datagrams fit the links. */
export async function openTransmission(
  given: {
    readonly sessionId: number;
    readonly pair: GroupPort;
    readonly manifest: Manifest;
    readonly flow: Flow;
    readonly interfaces: readonly NetworkInterface[];
    readonly maxMbps: number;
  },
  dependencies: {
    readonly network: Network;
    readonly clock: Clock;
    readonly chunks: Pick<ChunkStore, "readFrame">;
    readonly onLeft: (computerId: string, reason: LeftReason) => void;
  },
): Promise<OpenTransmission> {
  const { sessionId, pair, manifest, flow, interfaces, maxMbps } = given;
  const { network, clock, chunks, onLeft } = dependencies;
  const sockets = await Promise.all(
    interfaces.map((nic) => {
      const grant = grantSocket(flow, {
        role: "server",
        side: "connect",
        interfaceName: nic.name,
        localAddress: nic.address,
        groups: [pair.group],
      });
      return network.openUdp(grant, { sendBufferBytes: 4 << 20 });
    }),
  );
  const mtuBytes = Math.min(1500, ...interfaces.map((nic) => nic.mtuBytes));
  const blockSizeBytes = mtuBytes - headersSizeBytes - dataHeaderSizeBytes;
  const limits = {
    ...defaultSenderLimits,
    maxMbps,
    datagramSizeBytes: mtuBytes + frameOverheadBytes,
    parityCountMax: parityCountMax(frameSizeBytesMax, blockSizeBytes),
  };
  const options = { sessionId, pair, manifest, blockSizeBytes, limits };
  return { transmission: new Transmission(options, { clock, chunks, sockets, onLeft }), sockets };
}
