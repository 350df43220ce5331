import { existsSync } from "node:fs";
import type { Manifest } from "#engine/image/manifest.ts";
import { attachLoop } from "#platform/loop-device.ts";
import { runProgram } from "#platform/run-program.ts";
import { withMounted } from "./resize-file-system.ts";
import type { RestoreTarget } from "./restore-target.ts";

const espType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const label = "Portolan disk";
/** The first that is there. The last is what firmware starts without an entry. */
const loaders = [
  "EFI/Microsoft/Boot/bootmgfw.efi",
  "EFI/debian/shimx64.efi",
  "EFI/ubuntu/shimx64.efi",
  "EFI/fedora/shimx64.efi",
  "EFI/debian/grubx64.efi",
  "EFI/BOOT/BOOTX64.EFI",
  "EFI/BOOT/BOOTAA64.EFI",
] as const;

async function efibootmgr(args: readonly string[]): Promise<string> {
  const outcome = await runProgram({
    program: "efibootmgr",
    args,
    timeoutMs: 30_000,
    outputBytesMax: 64 << 10,
  });
  if (outcome.type !== "exited" || outcome.exitCode !== 0) {
    const why = outcome.type === "not-started" ? outcome.reason : outcome.output.trim();
    throw new Error(`the firmware took no boot entry: ${why}`);
  }
  return outcome.output;
}

/** Entries of our name, and the order, from what efibootmgr prints. */
export function readBootEntries(output: string): { readonly ours: string[]; readonly order: string[] } {
  const ours = [...output.matchAll(/^Boot([0-9A-F]{4})\*? (.*)$/gm)]
    .filter(([, , name]) => name?.startsWith(label))
    .map(([, number]) => number ?? "");
  const order = /^BootOrder: (.*)$/m.exec(output)?.[1] ?? "";
  return { ours, order: order.split(",").filter((number) => number !== "") };
}

/**
 * Adds the restored disk to the firmware's entries, behind those there are: what boots first does not change.
 *
 * @returns what was done, for people
 */
export async function addBootEntry(target: RestoreTarget, manifest: Manifest): Promise<string> {
  if (!existsSync("/sys/firmware/efi/efivars")) {
    return "this computer was booted without UEFI, so it has no boot entries";
  }
  const esp = manifest.layout?.partitions.find(({ typeId }) => typeId === espType);
  const place = esp === undefined ? null : target.locate(esp.number, manifest);
  if (esp === undefined || place === null) {
    return "the image has no EFI system partition, so there is nothing to enter";
  }
  const loop = await attachLoop(target.path, { ...place, isReadOnly: true });
  let loader: string | undefined;
  try {
    loader = await withMounted(loop.path, "vfat", (folder) =>
      Promise.resolve(loaders.find((path) => existsSync(`${folder}/${path}`))),
    );
  } finally {
    await loop.detach();
  }
  if (loader === undefined) {
    return "the EFI system partition holds no loader that is known here";
  }
  for (const number of readBootEntries(await efibootmgr([])).ours) {
    await efibootmgr(["--bootnum", number, "--delete-bootnum"]);
  }
  const path = `\\${loader.replaceAll("/", "\\")}`;
  const output = await efibootmgr([
    ...["--create-only", "--disk", target.path, "--part", String(esp.number)],
    ...["--label", label, "--loader", path],
  ]);
  const { ours, order } = readBootEntries(output);
  await efibootmgr(["--bootorder", [...order.filter((number) => !ours.includes(number)), ...ours].join(",")]);
  return `boot entry ${ours.join(", ")} starts ${path} of partition ${esp.number}`;
}
