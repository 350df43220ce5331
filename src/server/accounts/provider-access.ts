import type { Role } from "#api/route.ts";
import type { Settings } from "#plan/settings.ts";
import type { AccountStore, StoredUser } from "#store/account-store.ts";
import type { ProviderIdentityStore } from "#store/provider-identity-store.ts";
import { ApiError } from "../api-error.ts";
import { type Accounts, confirmationMs, type OpenedSession } from "./accounts.ts";
import { hashSecret } from "./console-cookie.ts";
import type { LoginProvider, ProviderPerson } from "./login-provider.ts";
import type { Principal } from "./principal.ts";

/** A login at the provider says whose it is only when it is right: wrong ones are counted by address. */
function guessKey(address: string): string {
  return `provider from ${address}`;
}

function shown(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 64);
}

/** The highest role that somebody's groups give; `null`: none. */
export function roleOfGroups(settings: Settings, groups: readonly string[]): Role | null {
  const isOneOf = (wanted: readonly string[]): boolean => wanted.some((group) => groups.includes(group));
  if (isOneOf(settings["login.administrators"])) {
    return "administrator";
  }
  if (isOneOf(settings["login.operators"])) {
    return "operator";
  }
  return isOneOf(settings["login.viewers"]) ? "viewer" : null;
}

/** As accounts are named here: what a person is called elsewhere, without what no name has. */
function accountName(text: string): string | null {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._@-]/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 64);
  return name === "" ? null : name;
}

/** Accounts of those who log in at the organisation's login provider. */
export class ProviderAccess {
  readonly #accounts: Accounts;
  readonly #provider: LoginProvider;
  readonly #identities: ProviderIdentityStore;
  readonly #store: AccountStore;
  readonly #settings: () => Settings;
  readonly #epochMs: () => number;

  constructor(
    accounts: Accounts,
    provider: LoginProvider,
    edges: {
      readonly identities: ProviderIdentityStore;
      readonly store: AccountStore;
      readonly settings: () => Settings;
      readonly epochMs: () => number;
    },
  ) {
    this.#accounts = accounts;
    this.#provider = provider;
    this.#identities = edges.identities;
    this.#store = edges.store;
    this.#settings = edges.settings;
    this.#epochMs = edges.epochMs;
  }

  get title(): string | null {
    return this.#provider.title;
  }

  get redirectUris(): readonly string[] {
    return this.#provider.redirectUris;
  }

  /** @throws ApiError 409 | 429 | 502 */
  async begin(
    origin: string,
    options: { readonly address: string; readonly isFresh: boolean },
  ): Promise<{ readonly url: string; readonly binding: string }> {
    this.#accounts.requireNoWait(guessKey(options.address), options.address);
    return this.#provider.begin(origin, options);
  }

  /**
   * @param onKnown is told who the provider says it is, before it is decided whether that helps
   * @throws ApiError 401 `bad-provider-answer`, 403 `no-role` | `wrong-domain` | `name-taken`, 429 | 502
   */
  async login(
    given: { readonly query: string; readonly binding: string; readonly address: string },
    onKnown: (name: string) => void,
  ): Promise<OpenedSession> {
    const { query, binding, address } = given;
    this.#accounts.requireNoWait(guessKey(address), address);
    try {
      const person = await this.#provider.finish(query, binding);
      onKnown(shown(person.names[0] ?? person.subject));
      const user = await this.#admit(person);
      onKnown(user.name);
      const session = await this.#accounts.openSession(user, address, "provider");
      return person.isFresh ? await this.#confirm(session) : session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.#accounts.noteWrongAttempt(guessKey(address), address);
      }
      throw error;
    }
  }

  findProblem(): Promise<string | null> {
    return this.#provider.findProblem();
  }

  /** Who has just logged in at the provider again need not do so for work on many computers. */
  async #confirm(session: OpenedSession): Promise<OpenedSession> {
    const confirmedUntil = Math.round(this.#epochMs()) + confirmationMs;
    await this.#store.updateSession(hashSecret(session.cookieSecret), { confirmedUntilMs: confirmedUntil });
    return { ...session, me: { ...session.me, confirmedUntil } };
  }

  /** Where a browser that leaves goes; `null`: nowhere, for accounts of this site. */
  async logoutUrl({ userId }: Principal): Promise<string | null> {
    const isTheirs = userId !== null && (await this.#identities.isOfProvider(userId));
    return isTheirs ? this.#provider.logoutUrl() : null;
  }

  /** The account of a person, made at the first login, with the role that the groups of today give. */
  async #admit(person: ProviderPerson): Promise<StoredUser> {
    const userId = await this.#identities.find(person);
    const refusal = this.#findRefusal(person);
    const role = roleOfGroups(this.#settings(), person.groups);
    if (refusal !== null || role === null) {
      if (userId !== null) {
        // Whoever is let in no more is out everywhere, at once.
        await this.#store.removeSessionsOf(userId, null);
      }
      throw refusal ?? new ApiError(403, "no-role", describeNoRole(person, this.#settings()));
    }
    if (userId !== null) {
      return this.#accounts.setRole(userId, role);
    }
    const name = await this.#chooseName(person);
    const user = await this.#accounts.createUser({ name, role, password: null });
    await this.#identities.insert({ issuer: person.issuer, subject: person.subject }, user.id);
    return user;
  }

  #findRefusal({ email, isEmailVerified }: ProviderPerson): ApiError | null {
    const domains = this.#settings()["login.domains"];
    const domain = email?.split("@").at(-1)?.toLowerCase() ?? null;
    if (domains.length === 0) {
      return null;
    }
    if (domain === null || !isEmailVerified) {
      return new ApiError(
        403,
        "wrong-domain",
        "the login provider names no e-mail address that it has verified",
      );
    }
    return domains.includes(domain)
      ? null
      : new ApiError(
          403,
          "wrong-domain",
          `nobody of ${shown(domain)} is let in here; login.domains says who is`,
        );
  }

  async #chooseName({ names, subject }: ProviderPerson): Promise<string> {
    const wanted = [...names, subject].map(accountName).filter((name) => name !== null);
    for (const name of wanted) {
      if ((await this.#store.findUser(name)) === null) {
        return name;
      }
    }
    throw new ApiError(
      403,
      "name-taken",
      `there is another account ${wanted[0] ?? ""}, which is not the login provider's; an administrator removes it first`,
    );
  }
}

function describeNoRole({ groups }: ProviderPerson, settings: Settings): string {
  const claim = settings["login.groupsClaim"];
  const has =
    groups.length === 0
      ? `the login provider names no groups in ${shown(claim)}`
      : `none of your groups has a role here: ${groups.slice(0, 8).map(shown).join(", ")}`;
  return `${has}; login.administrators, login.operators and login.viewers say which do`;
}
