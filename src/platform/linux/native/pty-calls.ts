import { dlopen, getInt32, getRawPointer } from "node:ffi";
import { SystemCallError } from "./socket-calls.ts";

/* asm-generic/ioctls.h, the same on x86-64 and arm64. */
const TIOCSWINSZ = 0x5414;
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;

const { functions: libc } = dlopen("libc.so.6", {
  ioctl: { arguments: ["i32", "u64", "pointer"], return: "i32" },
  __errno_location: { arguments: [], return: "pointer" },
});

function control(fd: number, request: number, argument: Uint8Array, name: string): void {
  if (libc.ioctl(fd, BigInt(request), getRawPointer(argument)) < 0) {
    throw new SystemCallError(`ioctl ${name}`, getInt32(libc.__errno_location()));
  }
}

/**
 * Lets the other end of a pseudo-terminal be opened, and tells its path. pts(4)
 *
 * @param fd of `/dev/ptmx`
 * @throws SystemCallError
 */
export function unlockTerminal(fd: number): string {
  control(fd, TIOCSPTLCK, Buffer.alloc(4), "TIOCSPTLCK");
  const number = Buffer.alloc(4);
  control(fd, TIOCGPTN, number, "TIOCGPTN");
  return `/dev/pts/${number.readUInt32LE()}`;
}

/** @throws SystemCallError */
export function setTerminalSize(fd: number, columns: number, rows: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  control(fd, TIOCSWINSZ, size, "TIOCSWINSZ");
}
