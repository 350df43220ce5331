import {
  formatSettingValue,
  overlaySettings,
  parseSettingKey,
  parseSettingValue,
  settingKeys,
  settingRules,
} from "#plan/setting-rules.ts";
import { type ProfileName, settingProfiles, type Settings } from "#plan/settings.ts";
import type { SettingResource } from "#api/settings-api.ts";
import type { SiteStore } from "#store/site-store.ts";

const profileKey = "profile";

/** The site's settings: a profile and what was changed over it. In memory for those who answer firmware. */
export class SiteSettings {
  readonly #store: SiteStore;
  #profile: ProfileName = "classic";
  #changed: Readonly<Record<string, string>> = {};
  #settings: Settings = settingProfiles.classic;

  constructor(store: SiteStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    const profile = await this.#store.read(profileKey);
    this.#profile = profile === "firewall" ? "firewall" : "classic";
    this.#changed = await this.#store.readSettings();
    this.#settings = overlaySettings(settingProfiles[this.#profile], this.#changed);
  }

  get profile(): ProfileName {
    return this.#profile;
  }

  current(): Settings {
    return this.#settings;
  }

  list(): SettingResource[] {
    const base = settingProfiles[this.#profile];
    return settingKeys.map((key) => ({
      key,
      value: formatSettingValue(key, this.#settings[key]),
      default: formatSettingValue(key, base[key]),
      isChanged: Object.hasOwn(this.#changed, key),
      help: settingRules[key].help,
      accepts: settingRules[key].accepts,
    }));
  }

  /** @throws SettingError */
  async set(keyText: string, valueText: string): Promise<void> {
    const key = parseSettingKey(keyText);
    const value = formatSettingValue(key, parseSettingValue(key, valueText));
    await this.#store.writeSetting(key, value);
    await this.load();
  }

  /** Takes all values of a profile; changes made over the old one are gone. */
  async setProfile(profile: ProfileName): Promise<void> {
    await this.#store.clearSettings();
    await this.#store.write(profileKey, profile);
    await this.load();
  }
}
