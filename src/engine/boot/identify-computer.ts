import { MacAddress } from "#wire/address/mac-address.ts";
import { ComputerUuid } from "./computer-uuid.ts";

/**
 * Who a booting computer says it is. Read from the DHCP message only: behind a relay the Ethernet and IP source
 * belong to the relay, and a product that looked there would not find the computer's work.
 */
export type ComputerIdentity = {
  /** `chaddr`, which relays preserve (RFC 1542 §4.1.1). */
  readonly mac: MacAddress;
  /** Option 97, or option 61 when it carries the UUID. `null` when absent or a placeholder. */
  readonly uuid: ComputerUuid | null;
};

/** A computer of the site, as far as booting needs to know it. */
export type KnownComputer = {
  readonly id: string;
  readonly name: string;
  readonly macs: readonly MacAddress[];
  readonly uuid: ComputerUuid | null;
  readonly state: "pending" | "approved" | "conflict";
  /** `preboot`: something waits for it that needs the preboot system; `initial-deployment`: it has still to be given that. */
  readonly work: "none" | "preboot" | "initial-deployment";
  /** Its agent or preboot system holds a control connection now, so it cannot be booting at the same time. */
  readonly isConnected: boolean;
};

export type IdentityConflict =
  /** Several records of the site carry this UUID. */
  | "duplicate-uuid"
  /** The MAC belongs to one record and the UUID to another: a shared dock, or a moved network card. */
  | "mac-and-uuid-disagree"
  /** The MAC is known with another UUID: the same network adapter on an unknown board. */
  | "uuid-changed"
  /** Two records carry this MAC. */
  | "duplicate-mac"
  /** The record was put on hold earlier, by enrolment or by an operator. */
  | "held";

/** What the site knows about an identity. `conflict` names everyone involved. */
export type ComputerMatch =
  | { readonly type: "unknown" }
  | { readonly type: "known"; readonly computer: KnownComputer; readonly matchedBy: "mac" | "uuid" }
  | {
      readonly type: "conflict";
      readonly conflict: IdentityConflict;
      readonly computers: readonly KnownComputer[];
    };

/** The fields of a DHCP message that identify a computer. */
export type IdentityFields = {
  readonly hardwareType: number;
  readonly hardwareAddress: Uint8Array;
  /** Option 97, type byte included; `null` when absent. */
  readonly clientUuid: Uint8Array | null;
  /** Option 61, type byte included; `null` when absent. */
  readonly clientIdentifier: Uint8Array | null;
};

const ethernet = 1;

/** `null` when the message carries no Ethernet address, which every boot ROM we serve sends. */
export function identifyComputer(fields: IdentityFields): ComputerIdentity | null {
  const mac = macOf(fields);
  return mac === null ? null : { mac, uuid: uuidOf(fields) };
}

function macOf({ hardwareType, hardwareAddress, clientIdentifier }: IdentityFields): MacAddress | null {
  if (hardwareType === ethernet && isUsableMac(hardwareAddress)) {
    return MacAddress.fromBytes(hardwareAddress);
  }
  const named = clientIdentifier?.[0] === ethernet ? clientIdentifier.subarray(1) : null;
  return named !== null && isUsableMac(named) ? MacAddress.fromBytes(named) : null;
}

/** All zero and group addresses (I/G bit) belong to nobody. */
function isUsableMac(bytes: Uint8Array): boolean {
  return bytes.byteLength === 6 && ((bytes[0] ?? 1) & 1) === 0 && bytes.some((byte) => byte !== 0);
}

function uuidOf({ clientUuid, clientIdentifier }: IdentityFields): ComputerUuid | null {
  for (const option of [clientUuid, clientIdentifier]) {
    if (option !== null && option.byteLength === 17 && option[0] === 0) {
      return ComputerUuid.fromSmbiosBytes(option.subarray(1));
    }
  }
  return null;
}

/**
 * Finds the one computer an identity belongs to, or says why it cannot be said.
 *
 * A new MAC with a known UUID is the same computer on another network card (a dock), unless that computer is
 * connected to us at this moment: then there are two of them with one UUID.
 *
 * @param byMac records that list the MAC.
 * @param byUuid records that carry the UUID in either byte order; empty when the identity has none.
 */
export function matchComputer(
  identity: ComputerIdentity,
  { byMac, byUuid }: { readonly byMac: readonly KnownComputer[]; readonly byUuid: readonly KnownComputer[] },
): ComputerMatch {
  const [owner, secondOwner] = byMac;
  if (secondOwner !== undefined) {
    return conflict("duplicate-mac", byMac);
  }
  if (byUuid.length > 1) {
    return conflict("duplicate-uuid", union(byMac, byUuid));
  }
  const [bearer] = byUuid;
  if (owner === undefined) {
    return bearer === undefined ? { type: "unknown" } : matchByUuid(bearer);
  }
  if (bearer !== undefined && bearer.id !== owner.id) {
    return conflict("mac-and-uuid-disagree", [owner, bearer]);
  }
  if (bearer === undefined && identity.uuid !== null && owner.uuid !== null) {
    return conflict("uuid-changed", [owner]);
  }
  return owner.state === "conflict"
    ? conflict("held", [owner])
    : { type: "known", computer: owner, matchedBy: "mac" };
}

function matchByUuid(bearer: KnownComputer): ComputerMatch {
  if (bearer.state === "conflict") {
    return conflict("held", [bearer]);
  }
  return bearer.isConnected
    ? conflict("duplicate-uuid", [bearer])
    : { type: "known", computer: bearer, matchedBy: "uuid" };
}

function conflict(name: IdentityConflict, computers: readonly KnownComputer[]): ComputerMatch {
  return { type: "conflict", conflict: name, computers };
}

function union(first: readonly KnownComputer[], second: readonly KnownComputer[]): readonly KnownComputer[] {
  const ids = new Set(first.map((computer) => computer.id));
  return [...first, ...second.filter((computer) => !ids.has(computer.id))];
}
