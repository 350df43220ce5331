import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import { BootAttempts } from "#engine/boot/boot-attempts.ts";
import { BootTokens } from "#engine/boot/boot-tokens.ts";
import { readGrubConfigName } from "#engine/boot/grub-config.ts";
import type { Flow } from "#plan/flow.ts";
import type { Settings } from "#plan/settings.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import { listenTcp } from "#platform/tcp.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { BootFiles } from "./boot-files.ts";
import type { ComputerDirectory } from "./computer-directory.ts";
import { BootEventRecorder, type BootEventSink } from "./services/boot-events.ts";
import { BootProgress } from "./services/boot-progress.ts";
import { BootScripts } from "./services/boot-scripts.ts";
import type { ControlService } from "./services/control-service.ts";
import { DhcpService, type DhcpServiceDependencies } from "./services/dhcp-service.ts";
import { HttpBootService } from "./services/http-boot-service.ts";
import { TftpService, type TftpTransferReport } from "./services/tftp-service.ts";
import { seeProbedFile } from "./verify/answer-probe.ts";
import { probeFilePrefix, type ProbeWatch } from "./verify/probe-watch.ts";

export type BootServicesOptions = {
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
  readonly relays: readonly Ipv4Address[];
  readonly dataDir: string;
  readonly siteKeyFingerprint: string;
  readonly extraKernelArguments: readonly string[];
};

export type BootServicesDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: () => Settings;
  /** Where agents are to connect. */
  readonly control: () => Pick<ControlService, "openPort" | "openAddress">;
  readonly directory: ComputerDirectory;
  readonly sink: BootEventSink;
  readonly leases: DhcpServiceDependencies["leases"];
  readonly probes: ProbeWatch;
  readonly observe: DhcpServiceDependencies["observe"];
};

/** Everything a computer meets before its agent runs, with the memory these parts share. */
export type BootServices = {
  readonly dhcp: DhcpService;
  readonly tftp: TftpService;
  readonly http: HttpBootService;
  readonly files: BootFiles;
  readonly tokens: BootTokens;
  readonly progress: BootProgress;
  readonly recorder: BootEventRecorder;
};

const textEncoder = new TextEncoder();

export function createBootServices(
  options: BootServicesOptions,
  dependencies: BootServicesDependencies,
): BootServices {
  const { network, clock, log, settings, directory } = dependencies;
  const { flows, interfaces, relays } = options;
  const attempts = new BootAttempts();
  const tokens = new BootTokens();
  const files = new BootFiles(join(options.dataDir, "boot"));
  const recorder = new BootEventRecorder({}, { sink: dependencies.sink, clock, log });
  const recordEvent = recorder.record.bind(recorder);
  const progress = new BootProgress({ clock, attempts, directory, recordEvent });
  const scripts = new BootScripts({
    clock,
    directory,
    attempts,
    tokens,
    files,
    settings,
    preboot: ({ name }) => ({
      controlAddress: dependencies.control().openAddress(name),
      controlPort: dependencies.control().openPort(),
      siteKeyFingerprint: options.siteKeyFingerprint,
      extraKernelArguments: options.extraKernelArguments,
    }),
    randomBytes: (sizeBytes) => randomBytes(sizeBytes),
    recordEvent,
  });
  const dhcp = new DhcpService(
    { flows, interfaces, relays },
    {
      ...{ network, clock, log, directory, attempts, settings, recordEvent },
      bootFiles: () => files.names(),
      leases: dependencies.leases,
      probes: dependencies.probes,
      observe: dependencies.observe,
    },
  );
  const http = new HttpBootService({ flows, interfaces }, { listenTcp, log, files, scripts, progress });
  const tftp = new TftpService(
    { flows, interfaces },
    {
      network,
      clock,
      log,
      findFile: (fileName, asker) =>
        fileName.startsWith(probeFilePrefix)
          ? seeProbedFile(dependencies.probes, fileName, asker)
          : findTftpFile({ files, attempts, scripts }, fileName, asker),
      onTransfer: (report) => {
        // Firmware asks for the size of a file first and then hangs up; only the second read is a step of the boot.
        if (report.outcome.type !== "aborted-by-client" && !report.fileName.startsWith(probeFilePrefix)) {
          progress.fileServed(describeTransfer(report, files));
        }
      },
    },
  );
  return { dhcp, tftp, http, files, tokens, progress, recorder };
}

/** A file of the boot folder, or GRUB's configuration, which is written for who asks. */
function findTftpFile(
  from: { readonly files: BootFiles; readonly attempts: BootAttempts; readonly scripts: BootScripts },
  fileName: string,
  asker: { readonly networkInterface: NetworkInterface; readonly address: Ipv4Address },
): Uint8Array | null {
  const { files, attempts, scripts } = from;
  const config = readGrubConfigName(fileName);
  if (config === null) {
    return files.find(fileName.replace(/^\/?(boot\/)?/, ""))?.bytes ?? null;
  }
  const { networkInterface, address } = asker;
  // The signed GRUB asks for `grub.cfg` without its MAC; then whose lease the address is tells who asks.
  const mac = config.mac === null ? attempts.findByAddress(address)?.mac : MacAddress.parse(config.mac);
  if (mac === undefined) {
    return null;
  }
  const identity = { mac, uuid: null };
  return textEncoder.encode(
    scripts.write({ loader: "grub", identity, networkInterface, peerAddress: address }),
  );
}

function describeTransfer(
  report: TftpTransferReport,
  files: BootFiles,
): Parameters<BootProgress["fileServed"]>[0] {
  const { fileName, clientAddress, interfaceName, serverAddress, outcome } = report;
  const isUnknown = outcome.type === "refused" && outcome.reason === "file-not-found";
  return {
    fileName,
    peerAddress: clientAddress,
    interfaceName,
    serverAddress,
    outcome: outcome.type === "complete" ? "done" : isUnknown ? "unknown-file" : "transfer-broken",
    sizeBytes: outcome.type === "complete" ? outcome.sentBytes : (files.find(fileName)?.sizeBytes ?? null),
  };
}
