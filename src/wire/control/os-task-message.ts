import type { JsonFields } from "./json-fields.ts";
import { decodeTransferAccess, type TransferAccess } from "./transfer-access.ts";

/** Content of the store by the hash of its manifest; `null` for an empty file. */
export type ContentAccess = {
  readonly contentId: string;
  readonly sizeBytes: number;
  readonly transfer: TransferAccess;
};

/** How it is known that a package is installed. Paths are absolute. */
export type DetectionRule =
  | { readonly type: "record" }
  | { readonly type: "file"; readonly path: string }
  | { readonly type: "package"; readonly name: string; readonly version: string | null }
  | { readonly type: "command"; readonly program: string; readonly args: readonly string[] };

/** Where an interface's address comes from. */
export type NetworkConfiguration =
  | { readonly type: "dhcp"; readonly interfaceName: string | null }
  | {
      readonly type: "static";
      readonly interfaceName: string | null;
      /** With prefix, `10.0.0.5/24`. */
      readonly address: string;
      readonly gateway: string | null;
      readonly nameServers: readonly string[];
    };

/** Tasks on a running system that are more than a script. */
export type OsTaskMessage =
  | {
      readonly kind: "copy-file";
      readonly content: ContentAccess | null;
      readonly destination: string;
      /** Permission bits, `0o755`; `null` leaves them to the system. */
      readonly mode: number | null;
    }
  | {
      readonly kind: "install-package";
      readonly name: string;
      readonly version: string;
      readonly packageKind: PackageKind;
      readonly fileName: string;
      /** Silent arguments of an exe or msi. */
      readonly args: readonly string[];
      readonly detection: DetectionRule;
      readonly timeoutMs: number;
      readonly content: ContentAccess;
    }
  | {
      readonly kind: "uninstall-package";
      readonly name: string;
      readonly packageKind: PackageKind;
      /** Program and arguments where the kind has no uninstall of its own. */
      readonly command: readonly string[];
      readonly detection: DetectionRule;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "set-configuration";
      readonly hostName: string | null;
      readonly domain: string | null;
      readonly network: NetworkConfiguration | null;
    }
  | { readonly kind: "inventory" }
  | {
      readonly kind: "capture-user-data";
      readonly name: string;
      readonly paths: readonly string[];
      readonly exclude: readonly string[];
      readonly transfer: TransferAccess;
    }
  | { readonly kind: "restore-user-data"; readonly name: string; readonly content: ContentAccess };

export const packageKinds = ["deb", "rpm", "msi", "exe", "pkg", "bundle"] as const;
export type PackageKind = (typeof packageKinds)[number];

export const osTaskKinds = [
  "copy-file",
  "install-package",
  "uninstall-package",
  "set-configuration",
  "inventory",
  "capture-user-data",
  "restore-user-data",
] as const satisfies readonly OsTaskMessage["kind"][];

const pathMax = 4096;
const nameMax = 128;
const argumentMax = 1024;
const dayMs = 24 * 3_600_000;

/** @throws WireError `bad-value` */
export function decodeContent(fields: JsonFields): ContentAccess {
  const content = fields.fields("content");
  return {
    contentId: content.text("contentId", 64),
    sizeBytes: content.integer("sizeBytes", 1, Number.MAX_SAFE_INTEGER),
    transfer: decodeTransferAccess(content),
  };
}

function decodeDetection(fields: JsonFields): DetectionRule {
  const rule = fields.fields("detection");
  const type = rule.choice("type", ["record", "file", "package", "command"]);
  switch (type) {
    case "record":
      return { type };
    case "file":
      return { type, path: rule.text("path", pathMax) };
    case "package":
      return { type, name: rule.text("name", nameMax), version: rule.textOrNull("version", nameMax) };
    case "command":
      return {
        type,
        program: rule.text("program", pathMax),
        args: rule.texts("args", 64, argumentMax),
      };
  }
}

function decodeNetwork(fields: JsonFields): NetworkConfiguration | null {
  if (fields.raw("network") === null || fields.raw("network") === undefined) {
    return null;
  }
  const network = fields.fields("network");
  const type = network.choice("type", ["dhcp", "static"]);
  const interfaceName = network.textOrNull("interfaceName", 15);
  return type === "dhcp"
    ? { type, interfaceName }
    : {
        type,
        interfaceName,
        address: network.text("address", 18),
        gateway: network.textOrNull("gateway", 15),
        nameServers: network.texts("nameServers", 8, 15),
      };
}

/** @throws WireError `bad-value` */
export function decodeOsTask(kind: OsTaskMessage["kind"], fields: JsonFields): OsTaskMessage {
  switch (kind) {
    case "copy-file":
      return {
        kind,
        content: fields.raw("content") === null ? null : decodeContent(fields),
        destination: fields.text("destination", pathMax),
        mode: fields.raw("mode") === null ? null : fields.integer("mode", 0, 0o7777),
      };
    case "install-package":
      return {
        kind,
        name: fields.text("name", nameMax),
        version: fields.text("version", nameMax),
        packageKind: fields.choice("packageKind", packageKinds),
        fileName: fields.text("fileName", 255),
        args: fields.texts("args", 64, argumentMax),
        detection: decodeDetection(fields),
        timeoutMs: fields.integer("timeoutMs", 1, dayMs),
        content: decodeContent(fields),
      };
    case "uninstall-package":
      return {
        kind,
        name: fields.text("name", nameMax),
        packageKind: fields.choice("packageKind", packageKinds),
        command: fields.texts("command", 64, argumentMax),
        detection: decodeDetection(fields),
        timeoutMs: fields.integer("timeoutMs", 1, dayMs),
      };
    case "set-configuration":
      return {
        kind,
        hostName: fields.textOrNull("hostName", 63),
        domain: fields.textOrNull("domain", 253),
        network: decodeNetwork(fields),
      };
    case "inventory":
      return { kind };
    case "capture-user-data":
      return {
        kind,
        name: fields.text("name", nameMax),
        paths: fields.texts("paths", 256, pathMax),
        exclude: fields.texts("exclude", 256, pathMax),
        transfer: decodeTransferAccess(fields),
      };
    case "restore-user-data":
      return { kind, name: fields.text("name", nameMax), content: decodeContent(fields) };
  }
}
