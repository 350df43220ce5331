import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { BootSilence } from "./decide-boot.ts";
import type { ComputerUuid } from "./computer-uuid.ts";
import type { IdentityConflict } from "./identify-computer.ts";

/** The steps of one boot, in the order a computer passes them. */
export const bootStages = [
  /** DISCOVER (or a stray message) on port 67. */
  "discover",
  /** Our offer went out. */
  "offer",
  /** The computer asked the site's DHCP server for its address. */
  "lease",
  /** Request on port 4011, and our answer. */
  "boot-server",
  /** A network boot program was read by TFTP or HTTP. */
  "loader",
  /** iPXE asked for its script, or GRUB for its configuration. */
  "script",
  "kernel",
  "initrd",
  "preboot-image",
  /** The preboot system opened its control connection. */
  "preboot-connected",
] as const;
export type BootStage = (typeof bootStages)[number];

/** Why a step that was asked for did not happen. */
export type BootFailure =
  | BootSilence
  | "rate-limited"
  | "reply-too-large"
  | "no-return-address"
  | "no-lease-range"
  | "no-free-address"
  | "lease-not-stored"
  | "unknown-file"
  | "transfer-broken"
  | "bad-request";

/** What happened at one step of one boot. `ignored` and `failed` always say why. */
export type BootEvent = {
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly stage: BootStage;
  readonly outcome: "done" | "ignored" | "failed";
  /** `null` exactly when the outcome is `done`. */
  readonly reason: BootFailure | null;
  readonly mac: MacAddress | null;
  readonly uuid: ComputerUuid | null;
  /** The computer of the site, `null` while it is unknown. */
  readonly computerId: string | null;
  readonly interfaceName: string;
  readonly serverAddress: Ipv4Address;
  /** Where the computer, or its relay, sent from. */
  readonly peerAddress: Ipv4Address | null;
  readonly relay: RelayTrace | null;
  /** `secs`: how long the firmware had been trying; a first packet above 4 suggests a port without edge mode. */
  readonly secondsElapsed: number | null;
  /** Kind of firmware as in `Firmware`, `null` outside DHCP. */
  readonly firmware: string | null;
  /** File name or URL that was offered or read. */
  readonly file: string | null;
  readonly sizeBytes: number | null;
  /** From arrival to answer; `null` where nothing was answered. */
  readonly latencyMs: number | null;
  readonly conflict: { readonly conflict: IdentityConflict; readonly computerIds: readonly string[] } | null;
};

/** What the relays on the way wrote into the packet. */
export type RelayTrace = {
  /** `giaddr`. */
  readonly address: Ipv4Address;
  readonly hops: number;
  /** Option 82 sub-option 1, as hex, at most 64 bytes of it. */
  readonly circuitId: string | null;
  /** Option 82 sub-option 2, as hex, at most 64 bytes of it. */
  readonly remoteId: string | null;
};

/** An event with everything that does not apply left empty. */
export function bootEvent(
  given: Pick<BootEvent, "atMs" | "stage" | "interfaceName" | "serverAddress"> & Partial<BootEvent>,
): BootEvent {
  return {
    outcome: "done",
    reason: null,
    mac: null,
    uuid: null,
    computerId: null,
    peerAddress: null,
    relay: null,
    secondsElapsed: null,
    firmware: null,
    file: null,
    sizeBytes: null,
    latencyMs: null,
    conflict: null,
    ...given,
  };
}

/** The stage a file of the boot folder belongs to. */
export function stageOfFile(fileName: string): BootStage {
  switch (fileName) {
    case "vmlinuz":
      return "kernel";
    case "initrd.img":
      return "initrd";
    case "preboot.squashfs":
      return "preboot-image";
    case "script.ipxe":
    case "grub.cfg":
      return "script";
    default:
      return "loader";
  }
}
