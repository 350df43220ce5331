import type { AuditResource } from "#api/account-api.ts";
import { apiCommand, type FlagValues, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";
import { readDuration } from "../read-duration.ts";

const outcomes = ["done", "refused", "failed"] as const;

function formatAudit(entries: readonly AuditResource[], isFiltered: boolean): string {
  if (entries.length === 0) {
    return isFiltered ? "nothing like that is in the audit log" : "nothing has been done yet";
  }
  const rows = entries.map(({ at, actor, address, action, target, outcome, detail }) => [
    formatTime(at),
    printable(actor),
    address,
    action,
    printable(target ?? ""),
    outcome,
    printable(detail ?? "").slice(0, 80),
  ]);
  return formatTable(["when", "who", "from", "what", "on", "outcome", "detail"], rows);
}

function parseOutcome(text: string | undefined): AuditResource["outcome"] | undefined {
  const outcome = outcomes.find((candidate) => candidate === text);
  if (text !== undefined && outcome === undefined) {
    throw new UsageError(`there is no outcome ${text}; there are ${outcomes.join(", ")}`);
  }
  return outcome;
}

/** `2h` or `7d` ago, or a date as `2026-01-31` or `2026-01-31T08:00`. @throws UsageError */
function parseTime(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z?)?$/.test(text)) {
    const at = new Date(text.includes("T") ? text : `${text}T00:00`).getTime();
    if (Number.isNaN(at)) {
      throw new UsageError(`--${flag} ${text} is no date`);
    }
    return at;
  }
  if (/^[0-9]{1,5}[smhd]$/.test(text)) {
    return nowMs - readDuration(text);
  }
  throw new UsageError(`--${flag} ${text} is no time; write 2h, 7d or a date as 2026-01-31T08:00`);
}

function parseLimit(text: string | undefined): number {
  const limit = Number(text ?? 200);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw new UsageError(`--limit ${text} is not 1 to 500`);
  }
  return limit;
}

/** @throws UsageError */
export function readAuditFilter(flags: FlagValues, nowMs: number) {
  return {
    actor: flags["who"],
    action: flags["what"],
    target: flags["on"],
    address: flags["from"],
    outcome: parseOutcome(flags["outcome"]),
    since: parseTime("since", flags["since"], nowMs),
    until: parseTime("until", flags["until"], nowMs),
    limit: parseLimit(flags["limit"]),
  };
}

const auditFlags = ["who", "what", "on", "from", "outcome", "since", "until"] as const;

export const auditCommand = apiCommand({
  brief: "Who did what, when and from where; newest first",
  flags: {
    who: { brief: "Only of this account or token", placeholder: "NAME" },
    what: { brief: "Only this action, such as login or setSetting", placeholder: "ACTION" },
    on: { brief: "Only on this target", placeholder: "ID" },
    from: { brief: "Only from this address", placeholder: "ADDRESS" },
    outcome: { brief: "Only done, refused or failed", placeholder: "OUTCOME" },
    since: { brief: "Not older than that: 2h, 7d or a date", placeholder: "TIME" },
    until: { brief: "Older than that", placeholder: "TIME" },
    limit: { brief: "At most so many, 200 when left out", placeholder: "COUNT" },
  },
  run: async ({ client, flags }) => {
    const entries = await client.call("listAudit", { query: readAuditFilter(flags, Date.now()) });
    return {
      json: entries,
      text: formatAudit(
        entries,
        auditFlags.some((name) => flags[name] !== undefined),
      ),
    };
  },
});
