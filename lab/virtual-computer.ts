import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { copyFile, truncate, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import type { Accelerator } from "./accelerator.ts";
import { switchName } from "./segment-network.ts";

export type Firmware = "bios" | "uefi" | "uefi-secure";

export type ComputerPlan = {
  readonly name: string;
  readonly firmware: Firmware;
  readonly mac: string;
  readonly uuid: string;
  readonly tap: string;
  /** Boot order of its firmware. An empty disk does not start, so a bare computer comes to the network either way. */
  readonly bootsFirst: "network" | "disk";
  /** What a restart of the guest does: it ends QEMU, so that a scenario sees it, or just happens. */
  readonly restarts: "ends" | "by-itself";
  readonly memoryMib: number;
  readonly diskMib: number;
  readonly accelerator: Accelerator;
  /** For disk, serial console and firmware variables. */
  readonly folder: string;
};

const firmwareFiles = {
  uefi: { code: "/usr/share/OVMF/OVMF_CODE_4M.fd", vars: "/usr/share/OVMF/OVMF_VARS_4M.fd" },
  "uefi-secure": {
    code: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    vars: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
  },
} as const;

const processors: Readonly<Record<Accelerator, readonly string[]>> = {
  kvm: ["-accel", "kvm", "-cpu", "host"],
  // An old processor: vector instructions are emulated one element at a time, and plain code is twice as fast.
  tcg: [...["-accel", "tcg,thread=multi,tb-size=256"], ...["-cpu", "qemu64,+popcnt,+rdrand"]],
};

/** A bare computer: real firmware, an empty disk, a network card. */
export class VirtualComputer {
  readonly plan: ComputerPlan;
  /** This sector of its disk can be read, and every write to it fails. Counts from the next time it is switched on. */
  badSector: number | null = null;
  readonly diskPath: string;
  readonly serialPath: string;
  #child: ChildProcess | null = null;
  #onOff: (() => void) | null = null;

  constructor(plan: ComputerPlan) {
    this.plan = plan;
    this.diskPath = join(plan.folder, `${plan.name}.raw`);
    this.serialPath = join(plan.folder, `${plan.name}.serial`);
  }

  get isOn(): boolean {
    return this.#child !== null;
  }

  /** An empty disk and fresh firmware variables. */
  async prepare(): Promise<void> {
    await writeFile(this.diskPath, "");
    await truncate(this.diskPath, this.plan.diskMib << 20);
    if (this.plan.firmware !== "bios") {
      await copyFile(firmwareFiles[this.plan.firmware].vars, this.varsPath);
    }
  }

  powerOn(): void {
    const log = createWriteStream(this.serialPath, { flags: "a" });
    log.write(`\n--- power on ${new Date().toISOString()}\n`);
    const child = spawn("ip", ["netns", "exec", switchName, "qemu-system-x86_64", ...this.#arguments()], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    // Nobody types into a computer that is off.
    child.stdin.on("error", () => undefined);
    // Two streams share the log, so neither may end it.
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once("close", () => log.end());
    this.#child = child;
    child.once("exit", () => {
      this.#child = null;
      this.#onOff?.();
    });
  }

  /** Keys at its console, the serial one. */
  type(keys: string): void {
    this.#child?.stdin?.write(keys);
  }

  /** Resolves when the guest has restarted or switched off. */
  waitOff(timeoutMs: number): Promise<void> {
    if (this.#child === null) {
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.plan.name} did not restart within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      this.#onOff = () => {
        clearTimeout(timer);
        this.#onOff = null;
        resolve();
      };
    });
  }

  /** Pulls the plug. */
  async powerOff(): Promise<void> {
    const child = this.#child;
    if (child !== null) {
      const off = this.waitOff(10_000);
      child.kill("SIGKILL");
      await off;
    }
  }

  /** One command over QEMU's monitor; for pictures of the screen. */
  async monitor(command: object): Promise<void> {
    const socket = createConnection(this.#monitorPath);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.write(`${JSON.stringify({ execute: "qmp_capabilities" })}\n${JSON.stringify(command)}\n`, () =>
        resolve(),
      );
    });
    socket.end();
  }

  /** The flash with its firmware's variables, where it has UEFI. */
  get varsPath(): string {
    return join(this.plan.folder, `${this.plan.name}.vars`);
  }

  get #monitorPath(): string {
    return join(this.plan.folder, `${this.plan.name}.qmp`);
  }

  get #diskOptions(): string {
    if (this.badSector === null) {
      return `file=${this.diskPath}`;
    }
    const fault = { event: "pwritev", iotype: "write", errno: constants.errno.EIO, sector: this.badSector };
    return [
      ...["file.driver=blkdebug", `file.image.filename=${this.diskPath}`],
      ...Object.entries(fault).map(([name, value]) => `file.inject-error.0.${name}=${value}`),
    ].join(",");
  }

  #arguments(): string[] {
    const { firmware, mac, uuid, tap, memoryMib, name, accelerator } = this.plan;
    const isSecure = firmware === "uefi-secure";
    const [networkIndex, diskIndex] = this.plan.bootsFirst === "network" ? [1, 2] : [2, 1];
    const flash =
      firmware === "bios"
        ? []
        : [
            ...["-drive", `if=pflash,format=raw,unit=0,readonly=on,file=${firmwareFiles[firmware].code}`],
            ...["-drive", `if=pflash,format=raw,unit=1,file=${this.varsPath}`],
          ];
    const secure = isSecure ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : [];
    const rom = firmware === "bios" && existsSync("/usr/lib/ipxe/qemu/pxe-virtio.rom") ? "" : ",romfile=";
    return [
      ...["-name", name, "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"],
      ...["-machine", `q35${isSecure ? ",smm=on" : ""}`, ...processors[accelerator]],
      ...["-m", String(memoryMib), "-smp", "1"],
      ...["-smbios", `type=1,manufacturer=Lab,product=Virtual,serial=${name},uuid=${uuid}`, "-uuid", uuid],
      ...flash,
      ...secure,
      ...["-netdev", `tap,id=net0,ifname=${tap},script=no,downscript=no`],
      ...["-device", `virtio-net-pci,netdev=net0,mac=${mac},bootindex=${networkIndex}${rom}`],
      ...["-drive", `if=none,id=disk0,format=raw,cache=unsafe,${this.#diskOptions}`],
      ...["-device", `virtio-blk-pci,drive=disk0,serial=${name}-disk,bootindex=${diskIndex}`],
      ...["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"],
      ...["-object", "rng-random,id=rng0,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng0"],
      ...["-qmp", `unix:${this.#monitorPath},server=on,wait=off`],
      ...(this.plan.restarts === "ends" ? ["-no-reboot"] : []),
    ];
  }
}
