import type { AgentSettings, AgentSettingsChange } from "#wire/control/agent-settings.ts";
import type { Database } from "./database.ts";

/** A change of an agent's settings and what became of it. */
export type SettingsChangeRecord = {
  readonly changeId: string;
  readonly change: Omit<AgentSettingsChange, "lock">;
  /** `sent`: it is on trial, or its computer has gone before it could tell. */
  readonly outcome: "sent" | "applied" | "returned" | "refused";
  readonly reason: string | null;
  readonly sentAtMs: number;
};

export type AgentState = {
  readonly computerId: string;
  readonly settings: AgentSettings | null;
  readonly isLocked: boolean;
  readonly change: SettingsChangeRecord | null;
};

/** What an older server stored says nothing of remote control. */
function readSettings(text: string): AgentSettings {
  const stored = JSON.parse(text) as Omit<AgentSettings, "remoteControl" | "remoteNotice">;
  return { remoteControl: "allow", remoteNotice: true, ...stored };
}

/** Databases bound the values of one statement. */
const rowsPerStatement = 1000;

/** What installed agents run with. */
export class AgentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<AgentState[]> {
    const rows = await this.#db.selectFrom("agentStates").selectAll().execute();
    return rows.map((row) => ({
      computerId: row.computerId,
      settings: row.settings === null ? null : readSettings(row.settings),
      isLocked: row.isLocked === 1,
      change: row.change === null ? null : (JSON.parse(row.change) as SettingsChangeRecord),
    }));
  }

  /** Inserts, or replaces the states of their computers, by one statement for many. */
  async put(states: readonly AgentState[], nowMs: number): Promise<void> {
    for (let first = 0; first < states.length; first += rowsPerStatement) {
      const rows = states.slice(first, first + rowsPerStatement).map((state) => ({
        computerId: state.computerId,
        settings: state.settings === null ? null : JSON.stringify(state.settings),
        isLocked: state.isLocked ? 1 : 0,
        change: state.change === null ? null : JSON.stringify(state.change),
        updatedAtMs: Math.round(nowMs),
      }));
      await this.#db
        .insertInto("agentStates")
        .values(rows)
        .onConflict((conflict) =>
          conflict.column("computerId").doUpdateSet((table) => ({
            settings: table.ref("excluded.settings"),
            isLocked: table.ref("excluded.isLocked"),
            change: table.ref("excluded.change"),
            updatedAtMs: table.ref("excluded.updatedAtMs"),
          })),
        )
        .execute();
    }
  }

  async remove(computerId: string): Promise<void> {
    await this.#db.deleteFrom("agentStates").where("computerId", "=", computerId).execute();
  }
}
