import process from "node:process";
import { createDgramNetwork } from "./dgram/dgram-network.ts";
import type { Network } from "./network.ts";

/** Why native sockets cannot be had here, as one sentence, or `null`. */
function nativeObstacle(): string | null {
  if (process.platform !== "linux") {
    return `Native sockets are made for Linux, and this is ${process.platform}: plain UDP sockets are used.`;
  }
  if (process.getBuiltinModule("node:ffi") === undefined) {
    return `Node ${process.versions.node} was built or started without node:ffi: plain UDP sockets are used.`;
  }
  return null;
}

/** The best network this system has. The first of its `limits()` says why it is not the native one. */
export async function createNetwork(): Promise<Network> {
  const obstacle = nativeObstacle();
  if (obstacle !== null) {
    return createDgramNetwork(obstacle);
  }
  // Not a static import: a Node without node:ffi could not even load it.
  const { createLinuxNetwork } = await import("./linux/linux-network.ts");
  return createLinuxNetwork();
}
