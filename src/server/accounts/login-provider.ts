import type { Configuration } from "openid-client";
import type { Settings } from "#plan/settings.ts";
import { NetworkError } from "#platform/network-error.ts";
import type { ProviderIdentity } from "#store/provider-identity-store.ts";
import { ApiError } from "../api-error.ts";
import { createSecret, hashSecret, isSameSecret } from "./console-cookie.ts";
import type { ConsolePlace } from "./security-keys.ts";
import { ShortLived } from "./short-lived.ts";

/** Time for a person to log in at the provider. */
const attemptLifetimeMs = 10 * 60_000;
/** What a provider says of itself is asked again after this; after a failure, soon. */
const configurationLifetimeMs = 3_600_000;
const failureLifetimeMs = 5000;
/** Its clock may be behind ours by so much. */
const clockToleranceMs = 30_000;

/** What waits while somebody is at the provider. */
type Attempt = {
  readonly verifier: string;
  readonly nonce: string;
  readonly redirectUri: string;
  /** SHA-256 of what the browser keeps: nobody else's browser can end this attempt. */
  readonly bindingHash: string;
  readonly issuer: string;
  /** Since when somebody must have shown again who it is; `null`: an old login at the provider will do. */
  readonly freshSinceMs: number | null;
};

/** Whom the provider says somebody is. */
export type ProviderPerson = ProviderIdentity & {
  /** What the account may be called, best first. */
  readonly names: readonly string[];
  readonly email: string | null;
  readonly isEmailVerified: boolean;
  readonly groups: readonly string[];
  /** The provider has asked just now, as it was told to. */
  readonly isFresh: boolean;
};

export type LoginProviderEdges = {
  readonly settings: () => Settings;
  readonly place: () => ConsolePlace | null;
  readonly readSecret: () => Promise<string | null>;
  /** Over sockets of the plan. @throws NetworkError */
  readonly fetch: (
    url: URL,
    question: { method: string; headers: Record<string, string>; body: string | null },
  ) => Promise<Response>;
  readonly epochMs: () => number;
};

function loadClient(): Promise<typeof import("openid-client")> {
  return import("openid-client");
}

/** The failure of the network in what the library made of it, or `null`. */
function networkErrorOf(error: unknown): NetworkError | null {
  if (error instanceof NetworkError) {
    return error;
  }
  return error instanceof Error && error.cause !== undefined ? networkErrorOf(error.cause) : null;
}

/** @throws Error when the provider has not asked since then, or does not say */
function requireFresh(authTime: unknown, freshSinceMs: number | null): void {
  const isFresh = typeof authTime === "number" && authTime * 1000 >= (freshSinceMs ?? 0) - clockToleranceMs;
  if (freshSinceMs !== null && !isFresh) {
    throw new Error("it was told to ask again who this is, and has not");
  }
}

/** Requests of the library are forms or have no body. */
function bodyText(body: unknown): string {
  if (typeof body === "string" || body instanceof URLSearchParams) {
    return body.toString();
  }
  throw new TypeError("the OpenID Connect client sends a body that is neither text nor a form");
}

/** The claim that was not right, somewhere in what led to the error. */
function claimOf(error: unknown): string | null {
  const { claim, cause } = (error ?? {}) as { claim?: unknown; cause?: unknown };
  return textOf(claim) ?? (cause === undefined ? null : claimOf(cause));
}

/** What the library says, with the claim or the provider's own words that it is about. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const about = ("error_description" in error ? textOf(error.error_description) : null) ?? claimOf(error);
  return about === null ? error.message : `${error.message} (${about.slice(0, 200)})`;
}

/** The provider does not know this site by its client id and secret. */
function isClientRefused(error: unknown): boolean {
  const { code, error: word } = (error ?? {}) as { code?: unknown; error?: unknown };
  return code === "OAUTH_WWW_AUTHENTICATE_CHALLENGE" || word === "invalid_client";
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** The organisation's login provider: OpenID Connect, authorization code with PKCE, state and nonce. */
export class LoginProvider {
  readonly #edges: LoginProviderEdges;
  readonly #attempts = new ShortLived<Attempt>(attemptLifetimeMs);
  #known: { readonly key: string; readonly configuration: Promise<Configuration>; untilMs: number } | null =
    null;

  constructor(edges: LoginProviderEdges) {
    this.#edges = edges;
  }

  /** What the login page offers; `null`: nothing. */
  get title(): string | null {
    const settings = this.#edges.settings();
    return settings["login.issuer"] === null ? null : settings["login.title"];
  }

  /** What the provider must know as this site's redirect address; `null`: the console has no name. */
  get redirectUris(): readonly string[] {
    return (this.#edges.place()?.origins ?? []).map((origin) => `${origin}/login/provider`);
  }

  /** Where to send the browser, and what it is to keep until it comes back. @throws ApiError 409 | 502 */
  async begin(
    origin: string,
    options: { readonly address: string; readonly isFresh: boolean },
  ): Promise<{ readonly url: string; readonly binding: string }> {
    const { address, isFresh } = options;
    const redirectUri = `${origin}/login/provider`;
    if (!this.redirectUris.includes(redirectUri)) {
      throw new ApiError(
        409,
        "no-host-name",
        "the login provider sends browsers back to the console's name alone: set console.name, and open the console by it",
      );
    }
    const client = await loadClient();
    const configuration = await this.#configure();
    const [verifier, nonce, state] = [
      client.randomPKCECodeVerifier(),
      client.randomNonce(),
      client.randomState(),
    ];
    const binding = createSecret();
    const { issuer } = configuration.serverMetadata();
    const attempt = {
      verifier,
      nonce,
      redirectUri,
      bindingHash: hashSecret(binding),
      issuer,
      freshSinceMs: isFresh ? this.#edges.epochMs() : null,
    };
    this.#attempts.add(state, attempt, address, this.#edges.epochMs());
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: "openid profile email",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      // `max_age` has it say when it asked.
      ...(isFresh ? { prompt: "login", max_age: "0" } : {}),
    });
    return { url: url.href, binding };
  }

  /**
   * Who has come back. Takes the attempt: the same address of the browser is not right again.
   *
   * @param query of the address that the provider sent the browser to
   * @throws ApiError 401 `bad-provider-answer`, 502
   */
  async finish(query: string, binding: string): Promise<ProviderPerson> {
    const parameters = new URLSearchParams(query);
    const state = parameters.get("state") ?? "";
    const attempt = this.#attempts.take(state, this.#edges.epochMs());
    if (attempt === null || !isSameSecret(hashSecret(binding), attempt.bindingHash)) {
      throw new ApiError(
        401,
        "bad-provider-answer",
        "this login was not begun in this browser, or too long ago, or has ended already; begin again",
      );
    }
    const client = await loadClient();
    const configuration = await this.#configure();
    const url = new URL(`${attempt.redirectUri}?${parameters.toString()}`);
    try {
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: attempt.verifier,
        expectedState: state,
        expectedNonce: attempt.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined || claims.iss !== attempt.issuer) {
        throw new Error("it names another issuer than the one this login was begun at");
      }
      requireFresh(claims["auth_time"], attempt.freshSinceMs);
      const more =
        configuration.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return {
        ...this.#describe({ ...more, ...claims }),
        ...{ issuer: claims.iss, subject: claims.sub, isFresh: attempt.freshSinceMs !== null },
      };
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Why it cannot be used now; `null`: it answers, or there is none. */
  async findProblem(): Promise<string | null> {
    try {
      await (this.title === null ? null : this.#configure());
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Where the browser ends its session at the provider; `null` where the provider has no such place or is away. */
  async logoutUrl(): Promise<string | null> {
    try {
      const configuration = await this.#configure();
      const { end_session_endpoint: place } = configuration.serverMetadata();
      return place === undefined ? null : (await loadClient()).buildEndSessionUrl(configuration).href;
    } catch {
      return null;
    }
  }

  #describe(
    claims: Readonly<Record<string, unknown>>,
  ): Omit<ProviderPerson, keyof ProviderIdentity | "isFresh"> {
    const found = claims[this.#edges.settings()["login.groupsClaim"]];
    const groups = Array.isArray(found) ? found : typeof found === "string" ? [found] : [];
    const email = textOf(claims["email"]);
    return {
      names: [textOf(claims["preferred_username"]), email, textOf(claims["name"])].filter(
        (name) => name !== null,
      ),
      email,
      isEmailVerified: claims["email_verified"] === true,
      groups: groups.filter((group): group is string => typeof group === "string"),
    };
  }

  #explain(error: unknown): ApiError {
    const network = networkErrorOf(error);
    const issuer = this.#edges.settings()["login.issuer"] ?? "";
    if (isClientRefused(error)) {
      return new ApiError(
        502,
        "site-unknown",
        `the login provider ${issuer} refuses this site: login.clientId or the secret is not right; portolan settings provider-secret sets it`,
      );
    }
    return network === null
      ? new ApiError(
          401,
          "bad-provider-answer",
          `the answer of the login provider is refused: ${messageOf(error)}`,
        )
      : new ApiError(
          502,
          "provider-away",
          `the login provider ${issuer} cannot be asked: ${network.message}; accounts of this server still log in by password`,
        );
  }

  /** What the provider says of itself. Asked once for all who come meanwhile. @throws ApiError 409 | 502 */
  async #configure(): Promise<Configuration> {
    const { settings, readSecret, epochMs } = this.#edges;
    const { "login.issuer": issuer, "login.clientId": clientId } = settings();
    if (issuer === null) {
      throw new ApiError(409, "no-provider", "this site has no login provider; log in by name and password");
    }
    const secret = await readSecret();
    const key = [issuer, clientId, hashSecret(secret ?? "")].join(" ");
    const known = this.#known;
    if (known !== null && known.key === key && known.untilMs > epochMs()) {
      return known.configuration;
    }
    const asked = {
      key,
      configuration: this.#discover(issuer, clientId, secret),
      untilMs: Number.MAX_SAFE_INTEGER,
    };
    this.#known = asked;
    try {
      const configuration = await asked.configuration;
      asked.untilMs = epochMs() + configurationLifetimeMs;
      return configuration;
    } catch (error) {
      asked.untilMs = epochMs() + failureLifetimeMs;
      throw error;
    }
  }

  async #discover(issuer: string, clientId: string, secret: string | null): Promise<Configuration> {
    const client = await loadClient();
    const isPlain = new URL(issuer).protocol === "http:";
    try {
      return await client.discovery(
        new URL(issuer),
        clientId,
        undefined,
        secret === null
          ? client.None()
          : (server, ...given) => {
              const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
              const show = methods.includes("client_secret_basic")
                ? client.ClientSecretBasic
                : client.ClientSecretPost;
              show(secret)(server, ...given);
            },
        {
          execute: [client.enableNonRepudiationChecks, ...(isPlain ? [client.allowInsecureRequests] : [])],
          [client.customFetch]: (url, { method, headers, body }) =>
            this.#edges.fetch(new URL(url), {
              method,
              headers,
              body: body === undefined || body === null ? null : bodyText(body),
            }),
        },
      );
    } catch (error) {
      const network = networkErrorOf(error);
      throw network === null
        ? new ApiError(
            502,
            "provider-away",
            `${issuer} is no login provider (OpenID Connect): ${messageOf(error)}; accounts of this server still log in by password`,
          )
        : this.#explain(error);
    }
  }
}
