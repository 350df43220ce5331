import { dlopen } from "node:ffi";
import { closeSync, openSync } from "node:fs";
import type { NetworkHosts } from "../network-hosts.ts";

const cloneNewNet = 0x40000000;
const { functions: libc } = dlopen("libc.so.6", {
  setns: { arguments: ["i32", "i32"], return: "i32" },
});

function enter(path: string): void {
  const fd = openSync(path, "r");
  try {
    if (libc.setns(fd, cloneNewNet) !== 0) {
      throw new Error(`setns to ${path} failed`);
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Runs `work` with this thread inside a host's network namespace. Sockets opened before its first `await` belong to
 * that host for good, so that one test program can be several computers.
 */
export function onHost<Value>(hosts: NetworkHosts, host: string, work: () => Value): Value {
  const home = openSync("/proc/thread-self/ns/net", "r");
  enter(`/run/netns/${hosts.namespace(host)}`);
  try {
    return work();
  } finally {
    libc.setns(home, cloneNewNet);
    closeSync(home);
  }
}
