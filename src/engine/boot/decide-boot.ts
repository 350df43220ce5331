import type { Settings } from "#plan/settings.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { BootAttempt } from "./boot-attempts.ts";
import {
  bootFileNames,
  bootFileUrl,
  ipxeScriptUrl,
  prebootFileNames,
  type BootAddress,
  type BootProgram,
} from "./boot-program.ts";
import { chooseUefiLoader } from "./choose-uefi-loader.ts";
import type { Firmware } from "./identify-client.ts";
import type { ComputerIdentity, ComputerMatch } from "./identify-computer.ts";

/** One DHCP request, reduced to what the decision needs. */
export type BootRequest = {
  readonly message: "discover" | "request" | "inform" | "other";
  /** 67: broadcast or relayed. 4011: sent to us because of an earlier offer. */
  readonly port: 67 | 4011;
  readonly transactionId: number;
  readonly firmware: Firmware;
  /** `null` when the packet carries no usable Ethernet address. */
  readonly identity: ComputerIdentity | null;
  /** Option 54; `null` when absent. */
  readonly selectedServer: Ipv4Address | null;
  /** `giaddr`; `null` when it is 0.0.0.0. */
  readonly relayAddress: Ipv4Address | null;
};

export type BootSettings = Pick<
  Settings,
  "boot.mode" | "boot.uefiLoader" | "boot.httpPort" | "initialDeployment.action"
>;

/** Everything else the decision depends on, gathered from memory before it is made. */
export type BootFacts = {
  readonly computer: ComputerMatch;
  readonly settings: BootSettings;
  /** Our address on the segment the request arrived from. */
  readonly serverAddress: Ipv4Address;
  /** Relay agents named in the server's configuration; no other is answered. */
  readonly relays: readonly Ipv4Address[];
  /** Names of the boot files that are there. */
  readonly bootFiles: ReadonlySet<string>;
  readonly previousAttempt: BootAttempt | null;
};

/** Why a request gets no answer. Counted, stored with the boot event and shown. */
export type BootSilence =
  | "not-pxe"
  | "not-ethernet"
  | "no-architecture"
  | "unsupported-architecture"
  | "boot-off"
  | "not-a-boot-message"
  | "other-server-selected"
  | "lease-request"
  | "relay-not-listed"
  | "no-boot-files"
  | "secure-http-boot-not-supported"
  | WorkSilence;

/** Why a computer that could be booted is left alone. */
export type WorkSilence = "conflict" | "known-without-work" | "initial-deployment-local";

export type BootReason = "work" | "initial-deployment";

export type BootDecision =
  | { readonly type: "offer"; readonly program: BootProgram; readonly because: BootReason }
  | { readonly type: "ignore"; readonly reason: BootSilence };

/**
 * Decides whether and with what a request is answered.
 *
 * Silence is the rule: known computers without work and everything that is not a boot ROM hear nothing, so that
 * network-first boot order stays safe. Unknown computers get the preboot system, where Initial Deployment goes on once
 * they are let in; nothing here ever starts an image.
 */
export function decideBoot(request: BootRequest, facts: BootFacts, nowMs: number): BootDecision {
  const silence = silenceOfMessage(request, facts);
  if (silence !== null) {
    return { type: "ignore", reason: silence };
  }
  const work = decideWork(facts.computer, facts.settings);
  if (work.type === "leave") {
    return { type: "ignore", reason: work.reason };
  }
  const program = chooseProgram(request, facts, nowMs);
  const needed = [...prebootFileNames, ...(program === null ? [] : filesOf(program))];
  if (program === null || !needed.every((name) => facts.bootFiles.has(name))) {
    return { type: "ignore", reason: "no-boot-files" };
  }
  // QUIRK(grub-http-boot): Debian 12's signed GRUB sets up no network under UEFI HTTP boot and stops at a prompt.
  // Silence lets the firmware go on to PXE, where the shim is of use.
  if (program.type === "http-file" && program.loader === "shim") {
    return { type: "ignore", reason: "secure-http-boot-not-supported" };
  }
  return { type: "offer", program, because: work.because };
}

/** Whether this computer should run the preboot system now, apart from how it would get there. */
export function decideWork(
  computer: ComputerMatch,
  settings: Pick<Settings, "initialDeployment.action">,
):
  | { readonly type: "boot"; readonly because: BootReason }
  | { readonly type: "leave"; readonly reason: WorkSilence } {
  if (computer.type === "conflict") {
    return { type: "leave", reason: "conflict" };
  }
  if (computer.type === "known" && computer.computer.state === "approved") {
    switch (computer.computer.work) {
      case "preboot":
        return { type: "boot", because: "work" };
      case "none":
        return { type: "leave", reason: "known-without-work" };
      case "initial-deployment":
        break;
    }
  }
  return settings["initialDeployment.action"] === "local"
    ? { type: "leave", reason: "initial-deployment-local" }
    : { type: "boot", because: "initial-deployment" };
}

function silenceOfMessage(request: BootRequest, facts: BootFacts): BootSilence | null {
  const firmware = request.firmware.type;
  if (firmware === "not-pxe" || firmware === "no-architecture" || firmware === "unsupported-architecture") {
    return firmware;
  }
  if (facts.settings["boot.mode"] === "off") {
    return "boot-off";
  }
  if (request.identity === null) {
    return "not-ethernet";
  }
  if (request.relayAddress !== null && !facts.relays.includes(request.relayAddress)) {
    return "relay-not-listed";
  }
  return request.port === 67 ? silenceOnDhcpPort(request, facts) : silenceOnBootServerPort(request, facts);
}

/** On port 67 we answer DISCOVER; a REQUEST there asks for a lease, which is ours only without another DHCP server. */
function silenceOnDhcpPort(request: BootRequest, facts: BootFacts): BootSilence | null {
  if (request.message === "discover") {
    return null;
  }
  if (request.message !== "request") {
    return "not-a-boot-message";
  }
  const isOther = request.selectedServer !== null && request.selectedServer !== facts.serverAddress;
  if (isOther) {
    return "other-server-selected";
  }
  return facts.settings["boot.mode"] === "dhcp" && request.relayAddress === null ? null : "lease-request";
}

/** On port 4011 the client already chose us; an option 54 that names somebody else is a stray packet. */
function silenceOnBootServerPort(request: BootRequest, facts: BootFacts): BootSilence | null {
  if (request.message !== "request" && request.message !== "inform") {
    return "not-a-boot-message";
  }
  const isOther = request.selectedServer !== null && request.selectedServer !== facts.serverAddress;
  return isOther ? "other-server-selected" : null;
}

/** `null` for clients that have no program; they were silenced before. */
function chooseProgram(request: BootRequest, facts: BootFacts, nowMs: number): BootProgram | null {
  const server: BootAddress = {
    address: facts.serverAddress,
    httpPort: facts.settings["boot.httpPort"],
  };
  const { firmware, identity } = request;
  switch (firmware.type) {
    case "bios-pxe":
      return biosProgram;
    case "uefi-x64-pxe":
      return uefiFile(request, facts, nowMs);
    case "uefi-x64-http": {
      const file = uefiFile(request, facts, nowMs);
      return { type: "http-file", loader: file.loader, url: bootFileUrl(server, file.fileName) };
    }
    case "ipxe":
      if (firmware.hasHttp && identity !== null) {
        return { type: "ipxe-script", loader: "script", url: ipxeScriptUrl(server, identity) };
      }
      // QUIRK(ipxe-without-http): card firmware built without HTTP loads our own build first, by TFTP.
      return firmware.platform === "bios" ? biosProgram : { ...uefiIpxe };
    case "not-pxe":
    case "no-architecture":
    case "unsupported-architecture":
      return null;
    default:
      return firmware satisfies never;
  }
}

const biosProgram: BootProgram = { type: "tftp-file", loader: "ipxe-bios", fileName: bootFileNames.biosIpxe };
const uefiIpxe = { type: "tftp-file", loader: "ipxe", fileName: bootFileNames.uefiIpxe } as const;
const uefiShim = { type: "tftp-file", loader: "shim", fileName: bootFileNames.shim } as const;

function uefiFile(request: BootRequest, facts: BootFacts, nowMs: number): typeof uefiIpxe | typeof uefiShim {
  const chosen = chooseUefiLoader(facts.settings["boot.uefiLoader"], facts.previousAttempt, {
    port: request.port,
    transactionId: request.transactionId,
    nowMs,
  });
  return chosen === "shim" ? uefiShim : uefiIpxe;
}

/** What must be in the boot folder for this program to come to its end. */
function filesOf(program: BootProgram): readonly string[] {
  switch (program.loader) {
    case "shim":
      return [bootFileNames.shim, bootFileNames.grub];
    case "ipxe":
      return [bootFileNames.uefiIpxe];
    case "ipxe-bios":
      return [bootFileNames.biosIpxe];
    case "script":
      return [];
    default:
      return program satisfies never;
  }
}
