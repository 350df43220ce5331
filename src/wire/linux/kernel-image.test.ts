import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { WireError } from "../bytes/wire-error.ts";
import { decodeKernelImage, kernelHeadSizeBytes } from "./kernel-image.ts";

const installerKernel = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux";
const skip = existsSync(installerKernel) ? false : "debian-installer-12-netboot-amd64 is not installed";

/** A kernel that says nothing but what is asked. */
function smallKernel({ isSigned }: { readonly isSigned: boolean }): Uint8Array {
  const bytes = new Uint8Array(0x400);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("HdrS"), 0x202);
  view.setUint16(0x20e, 0x100, true);
  bytes.set(new TextEncoder().encode("6.1.0-test (somebody) #1\0"), 0x300);
  view.setUint32(0x3c, 0x40, true);
  bytes.set(new TextEncoder().encode("PE\0\0"), 0x40);
  view.setUint32(0x40 + 172, isSigned ? 1234 : 0, true);
  return bytes;
}

test("kernel image: tells its version, and whether it carries a signature", () => {
  for (const isSigned of [true, false]) {
    assert.deepEqual(decodeKernelImage(smallKernel({ isSigned })), { version: "6.1.0-test", isSigned });
  }
});

test("kernel image: every shorter beginning is read or refused, never misread", () => {
  const whole = smallKernel({ isSigned: true });
  for (let sizeBytes = 0; sizeBytes < whole.byteLength; sizeBytes += 1) {
    const head = whole.subarray(0, sizeBytes);
    if (sizeBytes < 0x210) {
      assert.throws(() => decodeKernelImage(head), WireError);
    } else {
      assert.ok([null, "6.1.0-test"].includes(decodeKernelImage(head).version));
    }
  }
  assert.throws(() => decodeKernelImage(new Uint8Array(4096)), { code: "bad-magic" });
});

test("kernel image: Debian's installer kernel is signed, and known by its version", { skip }, () => {
  const head = readFileSync(installerKernel).subarray(0, kernelHeadSizeBytes);
  const { version, isSigned } = decodeKernelImage(head);
  assert.match(version ?? "", /^6\.1\.0-\d+-amd64$/);
  assert.equal(isSigned, true);
});
