import { bootFileNames, bootFileUrl, type BootAddress } from "./boot-program.ts";

/**
 * The script that starts the preboot system. When a file does not come, iPXE says which and gives control back to
 * the firmware, which goes on to the next boot device; it never stops at a prompt.
 *
 * @param commandLine from `buildKernelCommandLine`, so free of anything iPXE expands.
 */
export function prebootScript(server: BootAddress, commandLine: string): string {
  return [
    "#!ipxe",
    "echo Portolan: starting the preboot system",
    "imgfree ||",
    `kernel ${bootFileUrl(server, bootFileNames.kernel)} ${commandLine} || goto failed`,
    `initrd ${bootFileUrl(server, bootFileNames.initrd)} || goto failed`,
    "boot || goto failed",
    ":failed",
    `echo Portolan: the preboot system could not be read from ${server.address}`,
    "echo Portolan: going on with the next boot device in 10 seconds",
    "sleep 10",
    "exit 1",
    "",
  ].join("\n");
}

/** The script for a computer that has nothing to do here: straight to the next boot device. */
export function localBootScript(reason: string): string {
  return ["#!ipxe", `echo Portolan: ${reason.replaceAll(/[^a-z0-9 -]/g, " ")}`, "exit 0", ""].join("\n");
}
