import { randomBytes } from "node:crypto";
import { formatPorts } from "#plan/format-flows.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket, portsInclude } from "#plan/socket-grant.ts";
import { fetchByGrant, type FetchQuestion } from "#platform/granted-fetch.ts";
import { NetworkError } from "#platform/network-error.ts";
import { AccountStore } from "#store/account-store.ts";
import { AuditStore } from "#store/audit-store.ts";
import { ProviderIdentityStore } from "#store/provider-identity-store.ts";
import { RepeatStore } from "#store/repeat-store.ts";
import { SecondFactorStore } from "#store/second-factor-store.ts";
import { SecurityKeyStore } from "#store/security-key-store.ts";
import { SiteStore } from "#store/site-store.ts";
import { Accounts } from "./accounts/accounts.ts";
import { AuditLog } from "./accounts/audit-log.ts";
import { KeyAccess } from "./accounts/key-access.ts";
import { LoginProvider } from "./accounts/login-provider.ts";
import { ProviderAccess } from "./accounts/provider-access.ts";
import { SecondFactors } from "./accounts/second-factors.ts";
import { consolePlace, SecurityKeys } from "./accounts/security-keys.ts";
import { RepeatedRequests } from "./repeated-requests.ts";
import type { PortolanServer, ServerParts } from "./server.ts";

const providerTimeoutMs = 10_000;

/** What the login provider gave this site. Beside the settings, because those are shown. */
export type ProviderSecret = {
  readonly read: () => Promise<string | null>;
  readonly write: (secret: string | null) => Promise<void>;
};

function createProviderSecret(site: SiteStore): ProviderSecret {
  const key = "login-provider-secret";
  return {
    read: () => site.read(key),
    write: (secret) => (secret === null ? site.remove(key) : site.write(key, secret)),
  };
}

/** A request to the login provider, by the one flow the plan has for it. @throws NetworkError */
function askProvider(
  { flows }: Pick<ServerParts, "flows">,
  url: URL,
  question: Omit<FetchQuestion, "timeoutMs">,
): Promise<Response> {
  const flow = findFlow(flows(), "login.provider");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  if (!portsInclude(flow.ports, port)) {
    throw new NetworkError(
      "not-granted",
      `it sends this server to ${url.host}, and the plan has TCP port ${formatPorts(flow.ports)} for it alone`,
    );
  }
  const grant = grantSocket(flow, { role: "server", side: "connect" });
  return fetchByGrant(grant, url, { ...question, timeoutMs: providerTimeoutMs });
}

/** Who may come in: accounts, keys, the login provider, and what is written down of them. */
export function createAccounts(
  parts: ServerParts,
): Pick<
  PortolanServer,
  "accounts" | "keyAccess" | "providerAccess" | "providerSecret" | "audit" | "repeated" | "adminToken"
> {
  const { db, clock, log, config, settings } = parts;
  const adminToken = randomBytes(32).toString("base64url");
  const epochMs = (): number => clock.epochMs();
  const keyStore = new SecurityKeyStore(db);
  const store = new AccountStore(db);
  const factors = new SecondFactors({ store: new SecondFactorStore(db), keys: keyStore, epochMs });
  const accounts = new Accounts({ adminToken }, { store, factors, epochMs });
  const place = () => consolePlace(settings.current()["console.name"], config.consolePort);
  const providerSecret = createProviderSecret(new SiteStore(db));
  const provider = new LoginProvider({
    ...{ settings: () => settings.current(), place, epochMs, readSecret: providerSecret.read },
    fetch: async (url, question) => askProvider(parts, url, question),
  });
  return {
    accounts,
    keyAccess: new KeyAccess(accounts, new SecurityKeys({ store: keyStore, place, epochMs })),
    providerAccess: new ProviderAccess(accounts, provider, {
      ...{ store, identities: new ProviderIdentityStore(db), settings: () => settings.current() },
      epochMs,
    }),
    providerSecret,
    audit: new AuditLog(new AuditStore(db), { log, epochMs }),
    repeated: new RepeatedRequests(new RepeatStore(db), epochMs),
    adminToken,
  };
}
