import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

/** How virtual computers run: on the processor itself, or emulated, which works everywhere and is ten times slower. */
export type Accelerator = "kvm" | "tcg";

/** A kernel without a root file system says this at the end of its start: then all of it ran. */
const startedText = "Kernel panic";
const probeTimeoutMs = 20_000;
/** A guest that runs says something long before this. */
const silenceMsMax = 4000;

/**
 * KVM where a real kernel runs to its end under it. That `/dev/kvm` opens is not enough: inside some virtual machines it
 * opens, and no guest ever comes up. What was found holds until the machine is started anew.
 *
 * @param cachePath file that keeps it
 */
export async function findAccelerator(kernelPath: string, cachePath: string): Promise<Accelerator> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const known = await readFile(cachePath, "utf8").catch(() => "");
  for (const accelerator of ["kvm", "tcg"] as const) {
    if (known === `${bootId} ${accelerator}`) {
      return accelerator;
    }
  }
  const accelerator = (await runsUnderKvm(kernelPath)) ? "kvm" : "tcg";
  await writeFile(cachePath, `${bootId} ${accelerator}`);
  return accelerator;
}

function runsUnderKvm(kernelPath: string): Promise<boolean> {
  const child = spawn(
    "qemu-system-x86_64",
    [
      ...["-accel", "kvm", "-m", "256", "-nodefaults", "-no-user-config", "-display", "none"],
      ...["-serial", "stdio", "-no-reboot", "-kernel", kernelPath],
      ...["-append", "console=ttyS0 panic=-1"],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  return new Promise((resolve) => {
    let text = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), probeTimeoutMs);
    const silence = setTimeout(() => text === "" && child.kill("SIGKILL"), silenceMsMax);
    child.stdout.on("data", (part: Buffer) => {
      text = (text + part.toString("latin1")).slice(-4096);
      if (text.includes(startedText)) {
        child.kill("SIGKILL");
      }
    });
    child.once("error", () => resolve(false));
    child.once("close", () => {
      clearTimeout(timer);
      clearTimeout(silence);
      resolve(text.includes(startedText));
    });
  });
}
