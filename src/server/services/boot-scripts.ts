import type { BootAttempts } from "#engine/boot/boot-attempts.ts";
import { bootEvent, type BootEvent } from "#engine/boot/boot-event.ts";
import { bootFileNames, prebootFileNames, type BootAddress } from "#engine/boot/boot-program.ts";
import type { BootTokens } from "#engine/boot/boot-tokens.ts";
import { decideWork, type BootSettings } from "#engine/boot/decide-boot.ts";
import { localGrubConfig, prebootGrubConfig } from "#engine/boot/grub-config.ts";
import type { ComputerIdentity } from "#engine/boot/identify-computer.ts";
import { localBootScript, prebootScript } from "#engine/boot/ipxe-script.ts";
import { buildKernelCommandLine } from "#engine/boot/kernel-command-line.ts";
import type { Clock } from "#platform/clock.ts";
import type { NetworkInterface } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { BootFiles } from "../boot-files.ts";
import type { ComputerDirectory } from "../computer-directory.ts";

export type BootScriptsDependencies = {
  readonly clock: Clock;
  readonly directory: ComputerDirectory;
  readonly attempts: BootAttempts;
  readonly tokens: BootTokens;
  readonly files: BootFiles;
  readonly settings: () => BootSettings;
  /** What the preboot system needs to find and trust the server. */
  readonly preboot: (networkInterface: NetworkInterface) => {
    readonly controlAddress: Ipv4Address;
    readonly controlPort: number;
    /** SHA-256 of the site's public key (SPKI DER), 64 hexadecimal digits. */
    readonly siteKeyFingerprint: string;
    readonly extraKernelArguments: readonly string[];
  };
  /** Fresh random bytes from the operating system. */
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
  readonly recordEvent: (event: BootEvent) => void;
};

/** Who asks for a script, and on which of our interfaces. */
export type BootScriptRequest = {
  readonly loader: "ipxe" | "grub";
  readonly identity: ComputerIdentity;
  readonly networkInterface: NetworkInterface;
  /** `null` where the transport does not tell (TFTP). */
  readonly peerAddress: Ipv4Address | null;
};

/**
 * Writes the script a network boot loader asks for: start the preboot system, or go on with the next boot device.
 * Every address in it is ours on the interface that was asked.
 */
export class BootScripts {
  readonly #dependencies: BootScriptsDependencies;

  constructor(dependencies: BootScriptsDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws BootTextError when the operator's kernel arguments cannot be put into a script */
  write(request: BootScriptRequest): string {
    const { directory, files, settings, attempts } = this.#dependencies;
    const { identity, networkInterface } = request;
    const match = directory.find(identity);
    const work = decideWork(match, settings());
    attempts.noteLoaderRun(identity.mac);
    if (request.peerAddress !== null) {
      attempts.noteLease(identity.mac, request.peerAddress);
    }
    const computerId = match.type === "known" ? match.computer.id : null;
    const areFilesThere = prebootFileNames.every((name) => files.find(name) !== null);
    const reason = work.type === "leave" ? work.reason : areFilesThere ? null : "no-boot-files";
    this.#dependencies.recordEvent(
      bootEvent({
        atMs: this.#dependencies.clock.epochMs(),
        stage: "script",
        outcome: reason === null ? "done" : "ignored",
        reason,
        mac: identity.mac,
        uuid: identity.uuid,
        computerId,
        interfaceName: networkInterface.name,
        serverAddress: networkInterface.address,
        peerAddress: request.peerAddress,
        file: request.loader === "ipxe" ? "script.ipxe" : "grub.cfg",
        conflict:
          match.type === "conflict"
            ? { conflict: match.conflict, computerIds: match.computers.map(({ id }) => id) }
            : null,
      }),
    );
    if (reason !== null) {
      return request.loader === "ipxe" ? localBootScript(reason) : localGrubConfig(reason);
    }
    const server = { address: networkInterface.address, httpPort: settings()["boot.httpPort"] };
    const commandLine = this.#commandLine(request, computerId, server);
    return request.loader === "ipxe"
      ? prebootScript(server, commandLine)
      : prebootGrubConfig(server, commandLine);
  }

  #commandLine(
    { identity, networkInterface }: BootScriptRequest,
    computerId: string | null,
    server: BootAddress,
  ): string {
    const { tokens, files, preboot, randomBytes, clock } = this.#dependencies;
    const given = preboot(networkInterface);
    const nowMs = clock.monotonicMs();
    return buildKernelCommandLine({
      server,
      controlAddress: given.controlAddress,
      controlPort: given.controlPort,
      siteKeyFingerprint: given.siteKeyFingerprint,
      prebootImageSha256: files.find(bootFileNames.prebootImage)?.sha256 ?? "",
      token: tokens.issue({ random: randomBytes(32), identity, computerId, nowMs }),
      mac: identity.mac,
      extraArguments: given.extraKernelArguments,
    });
  }
}
