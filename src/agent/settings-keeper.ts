import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { describeReturn, type SettingsTrial, stepTrial } from "#engine/agent/settings-trial.ts";
import { writeDurably } from "#platform/durable-file.ts";
import type { AgentSettings, AgentSettingsChange } from "#wire/control/agent-settings.ts";
import type { ServerManagementMessage, SettingsReport } from "#wire/control/management-messages.ts";
import { decodeServerDiscovery, type ServerDiscovery } from "#wire/control/message.ts";
import { type AgentConfig, type AgentOverrides, parseAgentFile } from "./config.ts";

type ChangeSettings = Extract<ServerManagementMessage, { readonly type: "change-settings" }>;

/** The settings of a configuration as they travel. */
export function settingsOf(config: AgentConfig): AgentSettings {
  const { server, controlPort, discovery, lastDiscovery, remoteControl, remoteNotice } = config;
  const { group, port, ttl } = discovery ?? lastDiscovery;
  return {
    server,
    controlPort,
    discovery: discovery !== null,
    discoveryGroup: group,
    discoveryPort: port,
    discoveryTtl: ttl,
    remoteControl,
    remoteNotice,
  };
}

/** The file's content after a change; a `null` value takes its key out. */
export function applyChange(text: string, change: AgentSettingsChange): string {
  const raw = { ...parseToml(text), ...change };
  const kept = Object.entries(raw).filter(([, value]) => value !== null && value !== undefined);
  return `${stringifyToml(Object.fromEntries(kept))}\n`;
}

/**
 * The settings an agent runs with. A change from the server is on trial until the server was reached with it; the trial is
 * on disk before the settings file is touched, so that a power cut in the middle returns as well.
 */
export class SettingsKeeper {
  readonly #path: string | null;
  readonly #overrides: AgentOverrides;
  #config: AgentConfig;
  #trial: SettingsTrial | null = null;
  #report: SettingsReport | null = null;

  private constructor(path: string | null, overrides: AgentOverrides, config: AgentConfig) {
    this.#path = path;
    this.#overrides = overrides;
    this.#config = config;
  }

  /** @param path of the settings file; `null` in preboot, whose settings come with each boot. */
  static async load(
    path: string | null,
    overrides: AgentOverrides,
    config: AgentConfig,
  ): Promise<SettingsKeeper> {
    const keeper = new SettingsKeeper(path, overrides, config);
    keeper.#report = keeper.#readState("settings-report.json") as SettingsReport | null;
    const trial = keeper.#readState("settings-trial.json") as SettingsTrial | null;
    if (trial !== null) {
      await keeper.#begin(trial);
    }
    return keeper;
  }

  current(): AgentConfig {
    return this.#config;
  }

  /** What is to be told to the server; stays until `reported`. */
  report(): SettingsReport | null {
    return this.#report;
  }

  async reported(): Promise<void> {
    this.#report = null;
    await this.#removeState("settings-report.json");
  }

  /** Reads the file again, after a local change. @throws AgentConfigError, and the settings stay as they were */
  reload(): void {
    if (this.#path !== null) {
      this.#config = parseAgentFile(this.#path, readFileSync(this.#path, "utf8"), this.#overrides);
    }
  }

  /** Takes a change on trial. A refusal is told at once; otherwise the agent must connect anew. */
  async change(message: ChangeSettings, nowMs: number): Promise<SettingsReport | null> {
    const refuse = (reason: string): SettingsReport => ({
      type: "settings-report",
      changeId: message.changeId,
      outcome: "refused",
      reason,
    });
    if (this.#path === null || !existsSync(this.#path)) {
      return refuse("this agent has no settings file: what starts it gives it its settings");
    }
    if (this.#trial !== null) {
      return refuse(`change ${this.#trial.changeId} is still on trial`);
    }
    const previousText = readFileSync(this.#path, "utf8");
    let newText: string;
    try {
      newText = applyChange(previousText, message.change);
      parseAgentFile(this.#path, newText, this.#overrides);
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error));
    }
    const { changeId, returnAfterMs } = message;
    const deadlineAtMs = nowMs + returnAfterMs;
    const trial = { changeId, previousText, newText, deadlineAtMs, returnAfterMs };
    await this.#writeState("settings-trial.json", trial);
    await this.#begin(trial);
    return null;
  }

  /** How long the trial may still go on without the server; `null` when there is none. */
  trialLeftMs(nowMs: number): number | null {
    if (this.#trial === null) {
      return null;
    }
    const step = stepTrial(this.#trial, nowMs);
    return step.type === "wait" ? step.forMs : 0;
  }

  /** The server was reached: the settings on trial are the settings. */
  async confirm(): Promise<void> {
    if (this.#trial !== null) {
      await this.#end({ outcome: "applied", reason: null });
    }
  }

  /** The time is over: the settings before the trial count again. */
  async return(lastProblem: string): Promise<void> {
    const trial = this.#trial;
    if (trial !== null && this.#path !== null) {
      await writeDurably(this.#path, Buffer.from(trial.previousText));
      this.#config = parseAgentFile(this.#path, trial.previousText, this.#overrides);
      await this.#end({ outcome: "returned", reason: describeReturn(trial, lastProblem) });
    }
  }

  /** What the server said last about its own discovery, to explain its silence. */
  lastDiscovery(): ServerDiscovery | null {
    return decodeServerDiscovery(this.#readState("server-discovery.json"));
  }

  async noteDiscovery(discovery: ServerDiscovery | null): Promise<void> {
    if (discovery !== null && JSON.stringify(discovery) !== JSON.stringify(this.lastDiscovery())) {
      await this.#writeState("server-discovery.json", discovery);
    }
  }

  async #begin(trial: SettingsTrial): Promise<void> {
    if (this.#path === null) {
      return;
    }
    await writeDurably(this.#path, Buffer.from(trial.newText));
    this.#config = parseAgentFile(this.#path, trial.newText, this.#overrides);
    this.#trial = trial;
  }

  async #end({ outcome, reason }: Pick<SettingsReport, "outcome" | "reason">): Promise<void> {
    const changeId = this.#trial?.changeId ?? "";
    this.#trial = null;
    this.#report = { type: "settings-report", changeId, outcome, reason };
    await this.#writeState("settings-report.json", this.#report);
    await this.#removeState("settings-trial.json");
  }

  /** Our own file, whole or absent; another program's hand in it is its owner's affair. */
  #readState(name: string): unknown {
    const path = join(this.#config.stateDir ?? "", name);
    return this.#config.stateDir !== null && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
  }

  async #writeState(name: string, value: object): Promise<void> {
    if (this.#config.stateDir !== null) {
      await writeDurably(join(this.#config.stateDir, name), Buffer.from(JSON.stringify(value)), 0o600);
    }
  }

  async #removeState(name: string): Promise<void> {
    if (this.#config.stateDir !== null) {
      await rm(join(this.#config.stateDir, name), { force: true });
    }
  }
}
