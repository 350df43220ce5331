import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { BootToken } from "./boot-tokens.ts";
import { bootFileNames, bootFileUrl, type BootAddress } from "./boot-program.ts";

/** What the preboot system is told on its kernel command line. */
export type PrebootParameters = {
  /** Our address on the computer's own segment, and the HTTP port there. */
  readonly server: BootAddress;
  /** Where its control connection goes: another address than `server`'s when the operator chose one. */
  readonly controlAddress: Ipv4Address;
  readonly controlPort: number;
  /** SHA-256 of the site's public key (SPKI DER), 64 hexadecimal digits. */
  readonly siteKeyFingerprint: string;
  /** SHA-256 of `preboot.squashfs`, 64 hexadecimal digits. */
  readonly prebootImageSha256: string;
  readonly token: BootToken;
  /** The network card that booted. */
  readonly mac: MacAddress;
  /** The operator's additions, such as `console=ttyS0`; each one argument. */
  readonly extraArguments: readonly string[];
};

/** A value would change the meaning of a boot script: it is refused, never quoted into place. */
export class BootTextError extends Error {
  readonly code = "unsafe-boot-text";
  readonly value: string;

  constructor(name: string, value: string) {
    super(`${name} ${JSON.stringify(value)} has characters that a boot script cannot carry`);
    this.name = "BootTextError";
    this.value = value;
  }
}

/**
 * Nothing but our own program runs in the preboot system, so no other is to be kept from its memory; without these
 * barriers each system call costs a fraction, most of all on the older processors that need them.
 */
const fixedArguments = ["mitigations=off"];
const hexDigest = /^[0-9a-f]{64}$/;
/** Nothing that iPXE (`$`, `|`, `&`, `;`, `#`), GRUB (`'`, `"`, `\`, `{`) or the kernel (space) reads specially. */
const safeArgument = /^[A-Za-z0-9_.,:/=@%+-]{1,200}$/;
const argumentCountMax = 32;

/**
 * The kernel command line of the preboot system. Every argument is made of characters that iPXE, GRUB and the
 * kernel all take literally, so it can be put into either script as it is.
 *
 * `initrd=` names the file that iPXE hands to an EFI kernel; other boot paths ignore it.
 *
 * @throws BootTextError
 */
export function buildKernelCommandLine(given: PrebootParameters): string {
  const { server, mac } = given;
  const built = [
    `initrd=${bootFileNames.initrd}`,
    `portolan.server=${given.controlAddress}`,
    `portolan.port=${given.controlPort}`,
    `portolan.key=${checked("site key fingerprint", given.siteKeyFingerprint, hexDigest)}`,
    `portolan.root=${bootFileUrl(server, bootFileNames.prebootImage)}`,
    `portolan.root.sha256=${checked("preboot image hash", given.prebootImageSha256, hexDigest)}`,
    `portolan.boot=${checked("boot token", given.token, hexDigest)}`,
    `BOOTIF=01-${mac.replaceAll(":", "-")}`,
    ...fixedArguments,
  ];
  const extra = given.extraArguments.slice(0, argumentCountMax);
  return [...built, ...extra].map((argument) => checked("kernel argument", argument, safeArgument)).join(" ");
}

function checked(name: string, value: string, pattern: RegExp): string {
  if (!pattern.test(value)) {
    throw new BootTextError(name, value);
  }
  return value;
}
