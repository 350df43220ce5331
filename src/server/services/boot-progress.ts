import type { BootAttempts } from "#engine/boot/boot-attempts.ts";
import { bootEvent, stageOfFile, type BootEvent } from "#engine/boot/boot-event.ts";
import type { Clock } from "#platform/clock.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { ComputerDirectory } from "../computer-directory.ts";

/** A boot file went out, over TFTP or HTTP, or did not. */
export type ServedFile = {
  readonly fileName: string;
  readonly peerAddress: Ipv4Address;
  readonly interfaceName: string;
  readonly serverAddress: Ipv4Address;
  readonly outcome: "done" | "unknown-file" | "transfer-broken";
  readonly sizeBytes: number | null;
};

export type BootProgressDependencies = {
  readonly clock: Clock;
  readonly attempts: BootAttempts;
  readonly directory: ComputerDirectory;
  readonly recordEvent: (event: BootEvent) => void;
};

/**
 * Follows a boot past the DHCP answer: turns served files and the preboot system's connection into boot events and
 * into knowledge about which loader works.
 */
export class BootProgress {
  readonly #dependencies: BootProgressDependencies;

  constructor(dependencies: BootProgressDependencies) {
    this.#dependencies = dependencies;
  }

  /** Also for TFTP transfers, from their report. */
  fileServed(served: ServedFile): void {
    const { attempts, clock, recordEvent } = this.#dependencies;
    // GRUB writes `/boot/vmlinuz` where iPXE writes `vmlinuz`.
    const stage = stageOfFile(served.fileName.slice(served.fileName.lastIndexOf("/") + 1));
    if (stage === "script" && served.outcome === "done") {
      // Recorded with its decision when it was written.
      return;
    }
    const mac = attempts.findByAddress(served.peerAddress)?.mac ?? null;
    if (served.outcome === "done" && stage === "loader") {
      attempts.noteLoaderRead(served.peerAddress);
    }
    if (served.outcome === "done" && stage !== "loader" && mac !== null) {
      attempts.noteLoaderRun(mac);
    }
    recordEvent(
      bootEvent({
        atMs: clock.epochMs(),
        stage,
        outcome: served.outcome === "done" ? "done" : "failed",
        reason: served.outcome === "done" ? null : served.outcome,
        mac,
        computerId: this.#computerIdOf(mac),
        interfaceName: served.interfaceName,
        serverAddress: served.serverAddress,
        peerAddress: served.peerAddress,
        file: served.fileName.slice(0, 128),
        sizeBytes: served.sizeBytes,
      }),
    );
  }

  /** The preboot system of this computer opened its control connection: the boot came to its end. */
  prebootConnected(given: {
    readonly mac: MacAddress;
    readonly computerId: string | null;
    readonly peerAddress: Ipv4Address | null;
    readonly interfaceName: string;
    readonly serverAddress: Ipv4Address;
  }): void {
    this.#dependencies.attempts.noteLoaderRun(given.mac);
    this.#dependencies.recordEvent(
      bootEvent({ atMs: this.#dependencies.clock.epochMs(), stage: "preboot-connected", ...given }),
    );
  }

  #computerIdOf(mac: MacAddress | null): string | null {
    const match = mac === null ? null : this.#dependencies.directory.find({ mac, uuid: null });
    return match?.type === "known" ? match.computer.id : null;
  }
}
