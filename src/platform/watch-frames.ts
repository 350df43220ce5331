import type { SocketGrant } from "#plan/socket-grant.ts";
import process from "node:process";
import { MacAddress } from "#wire/address/mac-address.ts";
import { etherTypes } from "#wire/ethernet/ethernet-frame.ts";
import { NetworkError } from "./network-error.ts";

/** A look at the wire itself, until it is closed. */
export type FrameTap = { readonly close: () => void };

/** Which frames of an interface, and how often it is looked whether some have come. */
export type FrameWish = {
  readonly interfaceName: string;
  /** `null`: of every EtherType. */
  readonly etherType: number | null;
  /** The one group whose frames are wanted; `null`: every group's, which makes work for the computer. */
  readonly group: MacAddress | null;
  readonly lookDelayMs: number;
};

const everyFrame = { etherType: null, group: null, lookDelayMs: 10 };
/** IEEE 802.1AB §7.1: the nearest bridge. Switches speak every 30 s. */
const lldpFrames = {
  etherType: etherTypes.lldp,
  group: MacAddress.parse("01:80:c2:00:00:0e"),
  lookDelayMs: 1000,
};

/**
 * Hands on every Ethernet frame that arrives on the grant's interface; the bytes are valid during the call only.
 *
 * @throws NetworkError `not-supported` where the system has no packet sockets, `no-privilege`, `no-such-interface`
 */
export async function watchFrames(
  grant: SocketGrant,
  onFrame: (frame: Uint8Array) => void,
): Promise<FrameTap> {
  const openTap = await findTap();
  return openTap({ ...everyFrame, interfaceName: grant.interfaceName ?? "" }, onFrame);
}

/**
 * As `watchFrames`, for what the nearest switch says of itself by LLDP. No flow of the plan: nothing is sent, no port is open,
 * and no switch passes such a frame on.
 *
 * @throws NetworkError as `watchFrames`
 */
export async function watchNeighbour(
  interfaceName: string,
  onFrame: (frame: Uint8Array) => void,
): Promise<FrameTap> {
  const openTap = await findTap();
  return openTap({ ...lldpFrames, interfaceName }, onFrame);
}

async function findTap() {
  if (process.platform !== "linux" || process.getBuiltinModule("node:ffi") === undefined) {
    throw new NetworkError("not-supported", "frames can be watched on Linux, with node:ffi, only");
  }
  const { openFrameTap } = await import("./linux/frame-tap.ts");
  return openFrameTap;
}
