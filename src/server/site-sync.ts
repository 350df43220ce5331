import type { Logger } from "pino";
import { controlPlaces } from "#plan/control-places.ts";
import type { ServedInterface } from "#plan/segment.ts";
import { overlaySettings, settingKeys } from "#plan/setting-rules.ts";
import { classicSettings } from "#plan/settings.ts";
import type { Clock } from "#platform/clock.ts";
import type { ServerStore, StoredServer } from "#store/server-store.ts";
import { StoreError } from "#store/store-error.ts";
import type { ChunkDesk } from "./chunk-desk.ts";
import type { ControlMove } from "./control-move.ts";
import type { PlanChange, RunningServices } from "./running-services.ts";
import type { SiteGroups } from "./site-groups.ts";
import type { SiteSegments } from "./site-segments.ts";
import type { SiteSettings } from "./site-settings.ts";

export type SiteSyncDependencies = {
  readonly serverName: string;
  readonly startedAtMs: number;
  readonly servers: ServerStore;
  readonly settings: SiteSettings;
  readonly segments: SiteSegments;
  readonly groups: SiteGroups;
  readonly services: RunningServices;
  readonly move: ControlMove;
  readonly chunkDesk: ChunkDesk;
  /** Where this server differs from its plan now. */
  readonly differences: () => readonly string[];
  readonly interfaces: readonly ServedInterface[];
  readonly listen: (onNotice: () => void) => () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A server of the site; alive when it was heard of within a minute. */
export type SiteServer = StoredServer & { readonly isAlive: boolean };

/** How often a server says that it is there, and looks whether it missed something. */
const reportDelayMs = 10_000;
/** A server that said nothing for this long is not shown as one that differs. */
const silentMsMax = 60_000;

/** Where agents found this server when it was last there; what an older version did not write is as it is now. */
function readFollowed(
  texts: Readonly<Record<string, string>>,
  interfaces: readonly ServedInterface[],
): Parameters<ControlMove["load"]>[0] {
  const known = Object.fromEntries(
    settingKeys.flatMap((key) => (texts[key] === undefined ? [] : [[key, texts[key]]])),
  );
  const settings = overlaySettings(classicSettings, known);
  return {
    port: settings["control.tcpPort"],
    discovery: { group: settings["discovery.group"], port: settings["discovery.port"] },
    addresses: controlPlaces(interfaces, settings["control.addresses"]).map(({ address }) => address),
  };
}

/** Keeps this server in step with its site: follows changes that others make, and says what it runs with. */
export class SiteSync {
  readonly #dependencies: SiteSyncDependencies;
  #stopListening: () => Promise<void> = () => Promise.resolve();
  #cancel: () => void = () => undefined;
  #isStopped = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dependencies: SiteSyncDependencies) {
    this.#dependencies = dependencies;
  }

  /** Starts the services, then listens for the other servers of the site. */
  async start(): Promise<PlanChange> {
    const { servers, serverName, move } = this.#dependencies;
    const mine = (await servers.list()).find(({ name }) => name === serverName);
    await move.load(mine === undefined ? null : readFollowed(mine.settings, this.#dependencies.interfaces));
    const change = await this.follow();
    this.#stopListening = this.#dependencies.listen(() => this.#look());
    this.#lookLater();
    return change;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#stopListening();
    await this.#turn;
  }

  /** Brings this server to what its settings say now, and tells the site. */
  follow(): Promise<PlanChange> {
    const done = this.#turn.then(async () => {
      const { services, move } = this.#dependencies;
      await move.stage();
      const change = await services.follow();
      await move.pursue();
      await this.#report();
      return change;
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Every server the site has had, with what it last said; one that is silent does not run, or has no database. */
  async list(): Promise<SiteServer[]> {
    const { servers, clock } = this.#dependencies;
    const oldestMs = clock.epochMs() - silentMsMax;
    return (await servers.list()).map((server) => ({ ...server, isAlive: server.seenAtMs >= oldestMs }));
  }

  /** Every other server, with where it differs from what the site wants of it; one that is silent with nothing. */
  async listOthers(): Promise<{ readonly server: SiteServer; readonly differences: readonly string[] }[]> {
    const { serverName, settings } = this.#dependencies;
    const others = (await this.list()).filter(({ name }) => name !== serverName);
    return others.map((server) => {
      const wanted = settings.texts(settings.of(server.name));
      const behind = settingKeys
        .filter((key) => server.settings[key] !== undefined && server.settings[key] !== wanted[key])
        .map((key) => `it runs with ${key} ${server.settings[key]}, and the site wants ${wanted[key]}`);
      const { problems, differences } = server;
      return { server, differences: server.isAlive ? [...behind, ...problems, ...differences] : [] };
    });
  }

  #look(): void {
    const { settings, segments, groups, chunkDesk, log } = this.#dependencies;
    const looking = async (): Promise<void> => {
      await segments.load();
      await groups.load();
      if (await settings.load()) {
        const { opened, closed, problems } = await this.follow();
        log.info({ opened, closed, problems }, "followed a change of the site's settings");
      } else {
        await this.#dependencies.move.pursue();
        await this.#report();
      }
    };
    // A database that is away is no reason to change anything: what was read last counts.
    const noteFailure =
      (what: string) =>
      (error: unknown): void => {
        if (!(error instanceof StoreError)) {
          log.error({ err: error }, what);
        }
      };
    looking().catch(noteFailure("the site's settings could not be followed"));
    chunkDesk.look().catch(noteFailure("requests of other servers could not be answered"));
  }

  #lookLater(): void {
    if (!this.#isStopped) {
      this.#cancel = this.#dependencies.clock.after(reportDelayMs, () => {
        this.#look();
        this.#lookLater();
      });
    }
  }

  async #report(): Promise<void> {
    const { servers, settings, services, serverName, startedAtMs, clock } = this.#dependencies;
    if (!this.#isStopped) {
      await servers.report({
        name: serverName,
        startedAtMs,
        seenAtMs: clock.epochMs(),
        settings: settings.texts(settings.current()),
        problems: services.problems(),
        differences: this.#dependencies.differences(),
      });
    }
  }
}
