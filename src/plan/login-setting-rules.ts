import type { SettingRule } from "./setting-rules.ts";
import type { Settings } from "./settings.ts";

type LoginKey = Extract<keyof Settings, `login.${string}`>;

const listMax = 32;

/** Where a login provider may be spoken to without TLS: on this machine, for trials. */
function isLoopback(host: string): boolean {
  return host === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function parseIssuer(text: string): string | null | undefined {
  if (text === "none") {
    return null;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  const isPlain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return isSafe && isPlain && text.length <= 512 ? text : undefined;
}

function parseLine(text: string): string | undefined {
  return /^[\x20-\x7e]{1,128}$/.test(text) ? text : undefined;
}

function list(
  accepts: string,
  none: string,
  isItem: (text: string) => boolean,
): Pick<SettingRule<readonly string[]>, "accepts" | "parse" | "format"> {
  return {
    accepts: `${accepts}, at most ${listMax}, none twice, or ${none}`,
    parse: (text) => {
      const items = text === none ? [] : text.split(",").map((item) => item.trim());
      const isWhole = items.every(isItem) && new Set(items).size === items.length;
      return isWhole && items.length <= listMax ? items : undefined;
    },
    format: (value) => (value.length === 0 ? none : value.join(",")),
  };
}

const groups = list("groups of the login provider, with commas between", "none", (text) =>
  /^[\x20-\x7e]{1,256}$/.test(text),
);
const line = { accepts: "1 to 128 characters", parse: parseLine, format: String } as const;

/** Login by the organisation's provider (OpenID Connect). Its secret is no setting: settings are shown. */
export const loginSettingRules: { readonly [Key in LoginKey]: SettingRule<Settings[Key]> } = {
  "login.issuer": {
    scope: "site",
    help: "login provider (OpenID Connect) by its issuer address",
    accepts: "an https address such as https://login.example.org/realms/main, or none",
    parse: parseIssuer,
    format: (value) => value ?? "none",
  },
  "login.clientId": { ...line, scope: "site", help: "what the login provider calls this site" },
  "login.title": { ...line, scope: "site", help: "what the button to the login provider says" },
  "login.groupsClaim": { ...line, scope: "site", help: "where the login provider says somebody's groups" },
  "login.administrators": { ...groups, scope: "site", help: "who of the login provider administers" },
  "login.operators": { ...groups, scope: "site", help: "who of the login provider is operator" },
  "login.viewers": { ...groups, scope: "site", help: "who of the login provider is viewer" },
  "login.domains": {
    ...list("domains of verified e-mail addresses such as example.org", "any", (text) =>
      /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(text),
    ),
    scope: "site",
    help: "whom of the login provider to let in, by e-mail",
  },
};
