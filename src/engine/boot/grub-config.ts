import { bootFileNames, type BootAddress } from "./boot-program.ts";

/**
 * GRUB's configuration for the preboot system, used behind the signed shim.
 *
 * Paths carry no device, so the kernel comes from wherever GRUB itself came from (TFTP or HTTP): the signed build
 * is not sure to accept a port number in `(http,address:port)`.
 *
 * QUIRK(grub-proxy-dhcp): GRUB 2.06 takes its server from `siaddr` of the site's DHCP server and does not look at a
 * ProxyDHCP offer. Behind the shim it therefore reaches us only where that server names us as next server.
 *
 * @param commandLine from `buildKernelCommandLine`, so free of quotes and of anything GRUB expands.
 */
export function prebootGrubConfig(server: BootAddress, commandLine: string): string {
  return [
    "set timeout=0",
    "set default=0",
    "menuentry 'Portolan preboot' {",
    `  echo 'Portolan: reading the preboot system from ${server.address}'`,
    `  linux /boot/${bootFileNames.kernel} ${commandLine}`,
    `  initrd /boot/${bootFileNames.initrd}`,
    "}",
    "",
  ].join("\n");
}

/** For a computer that has nothing to do here: back to the firmware, which tries the next boot device. */
export function localGrubConfig(reason: string): string {
  return [`echo 'Portolan: ${reason.replaceAll(/[^a-z0-9 -]/g, " ")}'`, "exit", ""].join("\n");
}

const netConfigName =
  /^\/?(?:boot\/)?(?:grub\/)?(?:x86_64-efi\/)?grub\.cfg(?:-01-([0-9a-f]{2}(?:-[0-9a-f]{2}){5}))?$/;

/**
 * The names GRUB asks for when it was booted from a network: `grub/grub.cfg-01-52-54-00-12-34-56` first, then
 * shorter ones by address, then `grub/grub.cfg`.
 *
 * @returns the MAC with colons (`null` for the name without one), or `null` when it is another file.
 */
export function readGrubConfigName(name: string): { readonly mac: string | null } | null {
  const match = netConfigName.exec(name);
  return match === null ? null : { mac: match[1]?.replaceAll("-", ":") ?? null };
}
