import { readFile } from "node:fs/promises";
import type { z } from "zod";
import type { diskRuleSchema, restoreSchema } from "#api/task-schema.ts";
import { type FlagValues, type SwitchValues, UsageError } from "./cli-context.ts";

export type DiskRule = z.input<typeof diskRuleSchema>;
export type RestoreRequest = z.input<typeof restoreSchema>;

export const diskOption = {
  brief: "Which disk: serial=…, wwn=…, model=…, path=… or size=BYTES; without it, the only one",
  placeholder: "RULE",
} as const;

export const restoreSwitches = {
  grow: { brief: "Let the last partition take what a larger disk has more" },
  newIds: { brief: "New GUIDs for the disk and its partitions" },
  bootEntry: { brief: "Add an entry for the disk to the UEFI firmware's boot menu" },
  identity: { brief: "Give each computer its own host name, machine id and SSH host keys" },
} as const;

export const restoreFlags = {
  disk: diskOption,
  resize: {
    brief: "Fit this partition to a larger or smaller disk: its number, or last",
    placeholder: "PARTITION",
  },
  hostName: {
    brief: "Its host name, with {name}, {serial} or {mac}; means --identity; {name} unless said",
    placeholder: "PATTERN",
  },
  address: {
    brief: "Its address, as COMPUTER=10.0.0.5/24[,GATEWAY[,NAMESERVER…]]; means --identity",
    placeholder: "ADDRESS",
  },
  unattend: { brief: "Answer file for a prepared Windows; means --identity", placeholder: "FILE" },
} as const;

const ruleKeys = { serial: "serial", wwn: "wwn", model: "model", path: "byPath" } as const;

/** @throws UsageError */
export function parseDiskRule(text: string): DiskRule {
  const [key = "", value = ""] = text.split(/=(.*)/s);
  if (value !== "" && Object.hasOwn(ruleKeys, key)) {
    const field = ruleKeys[key as keyof typeof ruleKeys];
    return { [field]: value } as DiskRule;
  }
  if (key === "size" && /^[1-9]\d{0,15}$/.test(value)) {
    return { sizeBytes: Number(value) };
  }
  throw new UsageError(`${text} names no disk; use serial=…, wwn=…, model=…, path=… or size=BYTES`);
}

function parseResize(resize: string | undefined, isGrowing: boolean): RestoreRequest["resize"] {
  if (resize === undefined) {
    return isGrowing ? { partition: "last", mayShrink: false } : null;
  }
  if (resize !== "last" && !/^[1-9]\d{0,2}$/.test(resize)) {
    throw new UsageError(`--resize ${resize} is neither a partition's number nor last`);
  }
  return { partition: resize === "last" ? "last" : Number(resize), mayShrink: true };
}

type Addresses = NonNullable<NonNullable<RestoreRequest["identity"]>["addresses"]>;

function parseAddress(text: string): Addresses {
  const parts = /^([^=]+)=([0-9.]+)\/(\d{1,2})((?:,[0-9.]+)*)$/.exec(text);
  if (parts === null) {
    throw new UsageError(`--address ${text} is not COMPUTER=10.0.0.5/24[,GATEWAY[,NAMESERVER…]]`);
  }
  const [, computer = "", address = "", prefix = "", rest = ""] = parts;
  const [gateway = null, ...nameServers] = rest.split(",").slice(1);
  return { [computer]: { address, prefixLength: Number(prefix), gateway, nameServers } };
}

async function parseIdentity(
  { hostName, address, unattend }: FlagValues,
  isWanted: boolean,
): Promise<RestoreRequest["identity"]> {
  if (!isWanted && [hostName, address, unattend].every((value) => value === undefined)) {
    return null;
  }
  return {
    hostName: hostName ?? "{name}",
    addresses: address === undefined ? {} : parseAddress(address),
    unattend: unattend === undefined ? null : await readAnswerFile(unattend),
  };
}

async function readAnswerFile(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new UsageError(
      `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
}

/** What is asked for beyond the image itself; `null` for exactly the image. @throws UsageError */
export async function parseRestore(
  flags: FlagValues,
  switches: SwitchValues,
): Promise<RestoreRequest | null> {
  const request = {
    resize: parseResize(flags["resize"], switches["grow"] === true),
    hasNewIds: switches["newIds"] === true,
    hasBootEntry: switches["bootEntry"] === true,
    identity: await parseIdentity(flags, switches["identity"] === true),
  };
  const isExact =
    request.resize === null && !request.hasNewIds && !request.hasBootEntry && request.identity === null;
  return isExact ? null : request;
}
