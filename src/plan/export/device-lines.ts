import { aclEntries } from "./acl-entries.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type AclDialect, entryText } from "./cisco-acl.ts";
import { aclName, segmentInterfaceOf } from "./device-names.ts";
import type { ExportInput } from "./exporter.ts";

/** What a router or switch lacks beside filter rules. */
export type DeviceNeed = "dhcp-relay" | "querier" | "multicast-routing";

/** Without the sentences: `mark` begins a comment of the device. */
export function withoutComments(lines: readonly string[], mark: string): string[] {
  return lines.filter((line) => !line.trimStart().startsWith(mark));
}

/** Of what it lacks the lines for one need. */
export function needLines(
  need: DeviceNeed,
  lines: Readonly<Record<DeviceNeed, readonly string[]>>,
  mark: string,
): string[] {
  return withoutComments(lines[need], mark);
}

/**
 * The lines of a rule, each under the list it is missing from and the direction that list stands in. A line that is added at
 * the end of a list comes after its `permit ip any any`, so the place is named as well.
 */
export function aclRemedy(rule: BoundaryRule, input: ExportInput, dialect: AclDialect): string[] {
  return (["to-server", "to-segment"] as const).flatMap((direction) => {
    const entries = aclEntries(rule).filter((entry) => entry.direction === direction);
    const way = direction === "to-server" ? "in" : "out";
    return entries.length === 0
      ? []
      : [
          `! access list ${aclName(input, direction)}, applied ${way} on ${segmentInterfaceOf(input)}, above its deny:`,
          ...entries.map((entry) => entryText(entry, dialect)),
        ];
  });
}
