import type { SocketGrant } from "#plan/socket-grant.ts";
import process from "node:process";
import { NetworkError } from "./network-error.ts";

/** A look at the wire itself, until it is closed. */
export type FrameTap = { readonly close: () => void };

/**
 * Hands on every Ethernet frame that arrives on the grant's interface; the bytes are valid during the call only.
 *
 * @throws NetworkError `not-supported` where the system has no packet sockets, `no-privilege`, `no-such-interface`
 */
export async function watchFrames(
  grant: SocketGrant,
  onFrame: (frame: Uint8Array) => void,
): Promise<FrameTap> {
  if (process.platform !== "linux" || process.getBuiltinModule("node:ffi") === undefined) {
    throw new NetworkError("not-supported", "frames can be watched on Linux, with node:ffi, only");
  }
  const { openFrameTap } = await import("./linux/frame-tap.ts");
  return openFrameTap(grant, onFrame);
}
