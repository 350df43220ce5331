import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { importInstaller } from "#server/installer-import.ts";
import type { TestEnd } from "../network-hosts.ts";

/** An installer whose kernel is nothing but its name, and its initrd noise. */
export async function addSimulatedInstaller(
  t: TestEnd,
  { server: { chunks, installers, packages } }: SimulatedSite,
  name: string,
  {
    kernelVersion = "6.1.0-37-amd64",
    description = "Debian 12, by preseed",
    commandLine = "auto=true priority=critical",
  } = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-installers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [kernel, initrd] = [join(folder, "linux"), join(folder, "initrd.gz")];
  const head = Buffer.alloc(0x400);
  head.write("HdrS", 0x202);
  head.writeUInt16LE(0x100, 0x20e);
  head.write(`${kernelVersion} (nobody)\0`, 0x300);
  writeFileSync(kernel, head);
  writeFileSync(initrd, randomBytes(100_000));
  await importInstaller(
    { chunks, installers, packages },
    { name, kernel, initrd, description, commandLine },
    1_795_000_000_000,
    () => undefined,
  );
}
