import { randomBytes } from "node:crypto";
import type { AddedCredential, ShownCredential } from "#api/security-key-schema.ts";
import type { SecurityKeyStore, StoredSecurityKey } from "#store/security-key-store.ts";
import { ApiError } from "../api-error.ts";
import { ShortLived } from "./short-lived.ts";

const challengeLifetimeMs = 2 * 60_000;
const keysPerUserMax = 20;

/** Where browsers open this console. Keys are bound to the name; an address has none (WebAuthn §5.1.3). */
export type ConsolePlace = { readonly host: string; readonly origins: readonly string[] };

/** @param host of the setting `console.name` */
export function consolePlace(host: string | null, port: number): ConsolePlace | null {
  // Without a port too: a firewall may forward 443 to the console.
  return host === null ? null : { host, origins: [`https://${host}:${port}`, `https://${host}`] };
}

/** What a challenge was made for. `userId` is `null` where the key is to say whose it is. */
type Purpose =
  | { readonly type: "add"; readonly userId: string }
  | { readonly type: "log-in"; readonly userId: string | null };

/** Imported when first needed: it costs a quarter of a second. */
function loadWebAuthn(): Promise<typeof import("@simplewebauthn/server")> {
  return import("@simplewebauthn/server");
}

function transportsOf(key: StoredSecurityKey): string[] {
  // Written by this class alone.
  return JSON.parse(key.transports) as string[];
}

function toDescriptor(key: StoredSecurityKey): { id: string; transports: string[] } {
  return { id: key.credentialId, transports: transportsOf(key) };
}

/** The challenge that the browser says it has signed; `null` when this is nothing a browser sends. */
function readChallenge(clientData: string): string | null {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientData, "base64url").toString("utf8")) as {
      challenge?: unknown;
    };
    return typeof challenge === "string" ? challenge : null;
  } catch {
    return null;
  }
}

function refuse(why: string): ApiError {
  return new ApiError(401, "bad-key", `this security key is refused: ${why}`);
}

/** Security keys and passkeys (WebAuthn): challenges, and what keys answer to them. */
export class SecurityKeys {
  readonly #store: SecurityKeyStore;
  readonly #place: () => ConsolePlace | null;
  readonly #epochMs: () => number;
  readonly #challenges = new ShortLived<Purpose>(challengeLifetimeMs);

  constructor(edges: {
    readonly store: SecurityKeyStore;
    readonly place: () => ConsolePlace | null;
    readonly epochMs: () => number;
  }) {
    this.#store = edges.store;
    this.#place = edges.place;
    this.#epochMs = edges.epochMs;
  }

  /** The host name that keys work at; `null`: none is set. */
  get host(): string | null {
    return this.#place()?.host ?? null;
  }

  list(userId: string): Promise<StoredSecurityKey[]> {
    return this.#store.list(userId);
  }

  /** What the browser is to ask a new key. @throws ApiError 409 */
  async beginAdding(user: { readonly id: string; readonly name: string }, siteName: string) {
    const { host } = this.#requirePlace();
    const keys = await this.#store.list(user.id);
    if (keys.length >= keysPerUserMax) {
      throw new ApiError(409, "too-many-keys", `an account has at most ${keysPerUserMax} keys; remove one`);
    }
    const { generateRegistrationOptions } = await loadWebAuthn();
    const options = await generateRegistrationOptions({
      rpName: siteName,
      rpID: host,
      userName: user.name,
      userID: new TextEncoder().encode(user.id),
      timeout: challengeLifetimeMs,
      attestationType: "none",
      excludeCredentials: keys.filter((key) => key.host === host).map(toDescriptor),
      authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
    });
    this.#challenges.add(options.challenge, { type: "add", userId: user.id }, user.id, this.#epochMs());
    return { ...options };
  }

  /** @throws ApiError 401 `bad-key`, 409 */
  async add(userId: string, name: string, credential: AddedCredential): Promise<StoredSecurityKey> {
    const { host, origins } = this.#requirePlace();
    const { clientDataJSON, attestationObject, transports = [] } = credential.response;
    const challenge = this.#takeChallenge(clientDataJSON, (purpose) =>
      purpose.type === "add" && purpose.userId === userId ? purpose : null,
    ).challenge;
    const { verifyRegistrationResponse } = await loadWebAuthn();
    const { registrationInfo } = await verifyRegistrationResponse({
      response: {
        ...credential,
        response: { clientDataJSON, attestationObject, transports },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: host,
      requireUserVerification: false,
    }).catch((error: unknown) => {
      throw refuse(error instanceof Error ? error.message : String(error));
    });
    if (registrationInfo === undefined) {
      throw refuse("what it signed is not right");
    }
    const added = registrationInfo.credential;
    if ((await this.#store.findCredential(added.id)) !== null) {
      throw new ApiError(409, "known-key", "this key was added already");
    }
    const key: StoredSecurityKey = {
      id: `k-${randomBytes(4).toString("hex")}`,
      userId,
      name,
      host,
      credentialId: added.id,
      publicKey: Buffer.from(added.publicKey).toString("base64url"),
      useCount: added.counter,
      transports: JSON.stringify(transports),
      createdAtMs: Math.round(this.#epochMs()),
      lastUsedAtMs: null,
    };
    await this.#store.insert(key);
    return key;
  }

  /** @throws ApiError 404 */
  async remove(userId: string, id: string): Promise<void> {
    if (!(await this.#store.remove(userId, id))) {
      throw new ApiError(404, "not-found", `your account has no security key ${id}`);
    }
  }

  /**
   * What the browser is to ask a key. With an account whose password was right, any of its keys will do; without one,
   * the key must say whose it is and have checked its owner by a PIN or a finger.
   *
   * @throws ApiError 409
   */
  async beginLogin(userId: string | null, address: string) {
    const { host } = this.#requirePlace();
    const keys = userId === null ? [] : await this.#store.list(userId);
    const usable = keys.filter((key) => key.host === host);
    if (userId !== null && usable.length === 0) {
      const elsewhere = [...new Set(keys.map((key) => key.host))].join(", ");
      throw new ApiError(
        409,
        "no-key",
        elsewhere === ""
          ? "this account has no security key"
          : `this account's security keys work at ${elsewhere}, not at ${host}`,
      );
    }
    const { generateAuthenticationOptions } = await loadWebAuthn();
    const options = await generateAuthenticationOptions({
      rpID: host,
      timeout: challengeLifetimeMs,
      userVerification: userId === null ? "required" : "preferred",
      ...(userId === null ? {} : { allowCredentials: usable.map(toDescriptor) }),
    });
    const owner = userId ?? address;
    this.#challenges.add(options.challenge, { type: "log-in", userId }, owner, this.#epochMs());
    return { ...options };
  }

  /** Whose key has answered. Takes the answer: it is not right again. @throws ApiError 401 `bad-key`, 409 */
  async checkLogin(credential: ShownCredential): Promise<StoredSecurityKey> {
    const { host, origins } = this.#requirePlace();
    const { challenge, purpose } = this.#takeChallenge(credential.response.clientDataJSON, (given) =>
      given.type === "log-in" ? given : null,
    );
    const key = await this.#store.findCredential(credential.id);
    const isWanted = key !== null && key.host === host && (purpose.userId ?? key.userId) === key.userId;
    const { userHandle: handle, ...answer } = credential.response;
    if (!isWanted || (handle && Buffer.from(handle, "base64url").toString("utf8") !== key.userId)) {
      throw refuse("it belongs to no account here that asked for it");
    }
    const { verifyAuthenticationResponse } = await loadWebAuthn();
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...credential,
        response: answer,
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: host,
      requireUserVerification: purpose.userId === null,
      credential: {
        id: key.credentialId,
        publicKey: new Uint8Array(Buffer.from(key.publicKey, "base64url")),
        counter: key.useCount,
      },
    }).catch((error: unknown) => {
      throw refuse(error instanceof Error ? error.message : String(error));
    });
    const isNew =
      verified &&
      (await this.#store.takeUse(key.id, authenticationInfo.newCounter, Math.round(this.#epochMs())));
    if (!isNew) {
      throw refuse(
        verified ? "it counts fewer uses than before, as a copy would" : "what it signed is not right",
      );
    }
    return key;
  }

  #takeChallenge<Wanted extends Purpose>(
    clientData: string,
    accept: (purpose: Purpose) => Wanted | null,
  ): { readonly challenge: string; readonly purpose: Wanted } {
    const challenge = readChallenge(clientData);
    const purpose = challenge === null ? null : this.#challenges.take(challenge, this.#epochMs());
    const wanted = purpose === null ? null : accept(purpose);
    if (challenge === null || wanted === null) {
      throw refuse("it was not asked for this, or too long ago, or has answered already; try again");
    }
    return { challenge, purpose: wanted };
  }

  /** @throws ApiError 409 `no-host-name` */
  #requirePlace(): ConsolePlace {
    const place = this.#place();
    if (place === null) {
      throw new ApiError(
        409,
        "no-host-name",
        "security keys work at a host name alone: set one by portolan settings set console.name NAME, and open the console by it",
      );
    }
    return place;
  }
}
