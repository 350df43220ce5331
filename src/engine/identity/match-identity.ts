import type { MacAddress } from "#wire/address/mac-address.ts";
import { ComputerUuid } from "../boot/computer-uuid.ts";
import type { ComputerIdentity } from "./computer-identity.ts";

/** A computer on record, as far as matching needs it. */
export type RecordedComputer = ComputerIdentity & {
  readonly id: string;
  /** Its agent holds a control connection now. */
  readonly isConnected: boolean;
};

export type MatchConflict =
  /** Two boards show one UUID. */
  | "duplicate-uuid"
  /** MACs of different records, and nothing that says which of them it is. */
  | "macs-of-several-computers"
  /** The MAC belongs to one record and the UUID to another. */
  | "mac-and-uuid-disagree"
  /** The MAC of a record on a board with another UUID: a moved card, or a shared dock. */
  | "uuid-changed"
  /** MAC and UUID of a record on a board with another serial. */
  | "serial-changed";

export type IdentityMatch =
  /** Neither MAC nor UUID nor serial: nothing to tell it from others by. */
  | { readonly type: "nobody" }
  | { readonly type: "new" }
  | {
      readonly type: "same";
      readonly computerId: string;
      /** A MAC in common, UUID and serial equal; boards that lack one of these two lack it on both sides. */
      readonly isExact: boolean;
      /** MACs that this computer showed for the first time and no other record has. */
      readonly newMacs: readonly MacAddress[];
    }
  | { readonly type: "conflict"; readonly conflict: MatchConflict; readonly computerIds: readonly string[] };

/**
 * Finds the record an identity belongs to, or says why that cannot be said. When in doubt it is a conflict: a
 * wrong answer writes an image over the wrong disk.
 *
 * @param candidates every record that shares a MAC, or the UUID in either byte order. Others are ignored.
 */
export function matchIdentity(
  identity: ComputerIdentity,
  candidates: readonly RecordedComputer[],
): IdentityMatch {
  if (identity.macs.length === 0 && identity.uuid === null) {
    return { type: "nobody" };
  }
  const byMac = candidates.filter((record) => record.macs.some((mac) => identity.macs.includes(mac)));
  const byUuid = candidates.filter((record) => sharesUuid(record, identity));
  if (byUuid.length > 1) {
    return conflict("duplicate-uuid", byUuid);
  }
  const [bearer] = byUuid;
  if (byMac.length === 0) {
    return bearer === undefined ? { type: "new" } : matchByUuid(identity, bearer);
  }
  if (bearer === undefined) {
    return byMac.length > 1
      ? conflict("macs-of-several-computers", byMac)
      : matchByMac(identity, byMac[0] as RecordedComputer);
  }
  if (!byMac.includes(bearer)) {
    return conflict("mac-and-uuid-disagree", [...byMac, bearer]);
  }
  if (contradicts(bearer.serial, identity.serial)) {
    return conflict("serial-changed", [bearer]);
  }
  // A second record's MAC beside the own one is a dock that two computers share. It stays where it is.
  return same(identity, bearer, byMac);
}

/** No MAC in common: a docked laptop, or another board with a copied UUID. Only the serial can tell. */
function matchByUuid(identity: ComputerIdentity, bearer: RecordedComputer): IdentityMatch {
  const isConfirmed = identity.serial !== null && identity.serial === bearer.serial;
  return isConfirmed && !bearer.isConnected
    ? same(identity, bearer, [bearer])
    : conflict("duplicate-uuid", [bearer]);
}

/** The MAC is known and the UUID is not on record: fine while one side has none. */
function matchByMac(identity: ComputerIdentity, owner: RecordedComputer): IdentityMatch {
  if (identity.uuid !== null && owner.uuid !== null) {
    return conflict("uuid-changed", [owner]);
  }
  return contradicts(owner.serial, identity.serial)
    ? conflict("serial-changed", [owner])
    : same(identity, owner, [owner]);
}

function same(
  identity: ComputerIdentity,
  record: RecordedComputer,
  byMac: readonly RecordedComputer[],
): IdentityMatch {
  const taken = new Set(byMac.flatMap((computer) => computer.macs));
  return {
    type: "same",
    computerId: record.id,
    isExact:
      identity.macs.some((mac) => record.macs.includes(mac)) &&
      (sharesUuid(record, identity) || (identity.uuid === null && record.uuid === null)) &&
      identity.serial === record.serial &&
      (identity.uuid !== null || identity.serial !== null),
    newMacs: identity.macs.filter((mac) => !taken.has(mac)),
  };
}

function sharesUuid(record: ComputerIdentity, identity: ComputerIdentity): boolean {
  return (
    record.uuid !== null &&
    identity.uuid !== null &&
    (record.uuid === identity.uuid || record.uuid === ComputerUuid.twin(identity.uuid))
  );
}

function contradicts(first: string | null, second: string | null): boolean {
  return first !== null && second !== null && first !== second;
}

function conflict(name: MatchConflict, computers: readonly RecordedComputer[]): IdentityMatch {
  return { type: "conflict", conflict: name, computerIds: [...new Set(computers.map(({ id }) => id))] };
}
