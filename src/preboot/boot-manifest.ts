/** What `portolan boot build` made; `manifest.json` in the boot folder. Network boot serves these names only. */
export type BootManifest = {
  /** Epoch milliseconds of the newest package inside, so that equal inputs give equal files. */
  readonly builtAt: number;
  readonly kernelVersion: string;
  readonly files: readonly {
    readonly name: string;
    readonly sizeBytes: number;
    /** 64 hexadecimal digits. */
    readonly sha256: string;
    readonly purpose: string;
  }[];
};

/** A table for people, with the sum that a computer downloads. */
export function formatBootManifest(manifest: BootManifest): string {
  const downloads = ["vmlinuz", "initrd.img", "preboot.squashfs"];
  const sizeMb = (sizeBytes: number): string => `${(sizeBytes / 1e6).toFixed(1)} MB`.padStart(9);
  const rows = manifest.files.map(
    (file) =>
      `${file.name.padEnd(18)} ${sizeMb(file.sizeBytes)}  ${file.sha256.slice(0, 16)}…  ${file.purpose}`,
  );
  const downloadBytes = manifest.files
    .filter((file) => downloads.includes(file.name))
    .reduce((sum, file) => sum + file.sizeBytes, 0);
  return [
    `kernel ${manifest.kernelVersion}`,
    ...rows,
    `a computer reads ${sizeMb(downloadBytes).trim()} (kernel, initrd, preboot system)`,
  ].join("\n");
}
