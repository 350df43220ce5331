import type { SettingResource } from "#api/settings-api.ts";
import {
  formatSettingValue,
  overlaySettings,
  parseSettingKey,
  parseSettingValue,
  settingKeys,
  SettingError,
  settingRules,
} from "#plan/setting-rules.ts";
import { type ProfileName, type SettingKey, settingProfiles, type Settings } from "#plan/settings.ts";
import type { ServerStore, StoredServer } from "#store/server-store.ts";
import type { SiteStore } from "#store/site-store.ts";

const profileKey = "profile";

export type SiteSettingsDependencies = {
  readonly site: SiteStore;
  readonly servers: ServerStore;
  /** This server's name. */
  readonly serverName: string;
  /** Refuses values that cannot stand beside each other. @throws SettingError */
  readonly check: (settings: Settings) => void;
  /** Tells the other servers of the site. */
  readonly notify: () => Promise<void>;
};

/**
 * The site's settings: a profile, what was changed over it, and what single servers have for themselves. In memory for
 * those who answer firmware.
 */
export class SiteSettings {
  readonly #dependencies: SiteSettingsDependencies;
  #profile: ProfileName = "classic";
  #changed: Readonly<Record<string, string>> = {};
  /** By server name. BOUNDED by the servers of the site. */
  #own: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
  #settings: Settings = settingProfiles.classic;
  #loadedText = "";

  constructor(dependencies: SiteSettingsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Reads them again. True when something has changed for this server. */
  async load(): Promise<boolean> {
    const { site, servers, serverName } = this.#dependencies;
    const profile = await site.read(profileKey);
    this.#profile = profile === "firewall" ? "firewall" : "classic";
    this.#changed = await site.readSettings();
    this.#own = await servers.readOwnSettings();
    const settings = this.of(serverName);
    const text = JSON.stringify(settings);
    const hasChanged = text !== this.#loadedText;
    if (hasChanged) {
      this.#settings = settings;
      this.#loadedText = text;
    }
    return hasChanged;
  }

  get profile(): ProfileName {
    return this.#profile;
  }

  /** What this server runs with. The same object until something changes. */
  current(): Settings {
    return this.#settings;
  }

  /** What a server of the site should run with. */
  of(serverName: string): Settings {
    const base = settingProfiles[this.#profile];
    return overlaySettings(base, { ...this.#changed, ...this.#own[serverName] });
  }

  /** As text by key. */
  texts(settings: Settings): Record<SettingKey, string> {
    const entries = settingKeys.map((key) => [key, formatSettingValue(key, settings[key])]);
    return Object.fromEntries(entries) as Record<SettingKey, string>;
  }

  /** Every setting of one server, with where its value comes from and where other servers differ. */
  list(
    serverName: string = this.#dependencies.serverName,
    others: readonly StoredServer[] = [],
  ): SettingResource[] {
    const base = this.texts(settingProfiles[this.#profile]);
    const values = this.texts(this.of(serverName));
    const site = this.texts(overlaySettings(settingProfiles[this.#profile], this.#changed));
    const own = this.#own[serverName] ?? {};
    return settingKeys.map((key) => ({
      key,
      value: values[key],
      default: base[key],
      isChanged: Object.hasOwn(this.#changed, key) || Object.hasOwn(own, key),
      scope: settingRules[key].scope,
      source: Object.hasOwn(own, key) ? "server" : Object.hasOwn(this.#changed, key) ? "site" : "profile",
      siteValue: site[key],
      servers: others
        .filter(({ settings }) => settings[key] !== undefined && settings[key] !== values[key])
        .map(({ name, settings }) => ({
          server: name,
          value: settings[key] ?? "",
          isOwn: Object.hasOwn(this.#own[name] ?? {}, key) && this.#own[name]?.[key] === settings[key],
        })),
      help: settingRules[key].help,
      accepts: settingRules[key].accepts,
    }));
  }

  /**
   * Sets a value for the site, or for one server alone.
   *
   * @throws SettingError
   */
  async set(keyText: string, valueText: string, serverName: string | null = null): Promise<void> {
    const { site, servers, check, notify } = this.#dependencies;
    const key = parseSettingKey(keyText);
    const parsed = parseSettingValue(key, valueText);
    const value = formatSettingValue(key, parsed);
    check({ ...(serverName === null ? this.#settings : this.of(serverName)), [key]: parsed });
    if (serverName === null) {
      await site.writeSetting(key, value);
    } else {
      requireServerScope(key);
      await servers.writeOwnSetting(serverName, key, value);
    }
    await this.load();
    await notify();
  }

  /** Goes back to the profile's value; with a server's name, to the site's. @throws SettingError */
  async reset(keyText: string, serverName: string | null = null): Promise<void> {
    const key = parseSettingKey(keyText);
    if (serverName === null) {
      await this.#dependencies.site.clearSetting(key);
    } else {
      await this.#dependencies.servers.removeOwnSetting(serverName, key);
    }
    await this.load();
    await this.#dependencies.notify();
  }

  /** Takes all values of a profile; changes made over the old one are gone, at every server. */
  async setProfile(profile: ProfileName): Promise<void> {
    const { site, servers, notify } = this.#dependencies;
    await site.clearSettings();
    await servers.clearOwnSettings();
    await site.write(profileKey, profile);
    await this.load();
    await notify();
  }
}

/** @throws SettingError when the setting belongs to the whole site */
function requireServerScope(key: SettingKey): void {
  if (settingRules[key].scope === "site") {
    throw new SettingError(
      "bad-setting-value",
      key,
      `${key} belongs to the whole site, because every computer must find the same at each server; set it without --server`,
    );
  }
}
