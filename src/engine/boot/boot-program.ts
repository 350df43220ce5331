import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ComputerIdentity } from "./identify-computer.ts";

/** Files of the boot folder that firmware, iPXE and GRUB ask for by name. */
export const bootFileNames = {
  biosIpxe: "undionly.kpxe",
  uefiIpxe: "snponly.efi",
  shim: "shimx64.efi",
  grub: "grubx64.efi",
  kernel: "vmlinuz",
  initrd: "initrd.img",
  prebootImage: "preboot.squashfs",
} as const;

/** What computers need once a loader runs, whichever loader it was. */
export const prebootFileNames: readonly string[] = [
  bootFileNames.kernel,
  bootFileNames.initrd,
  bootFileNames.prebootImage,
];

export type UefiLoader = "ipxe" | "shim";

/** The one thing a boot answer names. PXE firmware gets a file name, never a URL; HTTP firmware the reverse. */
export type BootProgram =
  | { readonly type: "tftp-file"; readonly loader: UefiLoader | "ipxe-bios"; readonly fileName: string }
  | { readonly type: "http-file"; readonly loader: UefiLoader; readonly url: string }
  | { readonly type: "ipxe-script"; readonly loader: "script"; readonly url: string };

/** Where HTTP boot files stand for computers of one segment. `address` is the server's own on that segment. */
export type BootAddress = { readonly address: Ipv4Address; readonly httpPort: number };

/** `http://192.168.0.1:8069/boot/vmlinuz` */
export function bootFileUrl(server: BootAddress, fileName: string): string {
  return `http://${server.address}:${server.httpPort}/boot/${fileName}`;
}

/** At most 118 characters, so that it fits the 128-byte `file` field with its NUL. */
export function ipxeScriptUrl(server: BootAddress, identity: ComputerIdentity): string {
  const uuid = identity.uuid === null ? "" : `&uuid=${identity.uuid}`;
  return `${bootFileUrl(server, "script.ipxe")}?mac=${identity.mac}${uuid}`;
}
