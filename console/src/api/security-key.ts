import type { RouteBody } from "#api/contract.ts";
import { text } from "../text/text.ts";

/** What the server gave for the browser to ask a key; the browser knows its fields. */
type KeyOptions = { readonly challenge: string };

/** Whether this page may use keys of that host name: its own, and with a browser that has them. */
export function canUseKeys(keyHost: string | null): boolean {
  return keyHost !== null && location.hostname === keyHost && "PublicKeyCredential" in globalThis;
}

async function ask(question: Promise<Credential | null>): Promise<unknown> {
  try {
    const credential = await question;
    if (credential instanceof PublicKeyCredential) {
      return credential.toJSON();
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "InvalidStateError") {
      throw new Error(text.securityKeys.known, { cause: error });
    }
    throw new Error(text.securityKeys.noAnswer, { cause: error });
  }
  throw new Error(text.securityKeys.noAnswer);
}

/** Asks for a new key. The browser shows what is to be done. */
export async function addKey(options: KeyOptions): Promise<RouteBody<"addMySecurityKey">["credential"]> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    // All its fields are the standard's; the contract names the one that every kind of them has.
    options as KeyOptions & PublicKeyCredentialCreationOptionsJSON,
  );
  // The shape is the browser's standard; the server checks it.
  return (await ask(
    navigator.credentials.create({ publicKey }),
  )) as RouteBody<"addMySecurityKey">["credential"];
}

/** Asks for a key that is known. */
export async function showKey(options: KeyOptions): Promise<RouteBody<"finishKeyLogin">["credential"]> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await ask(navigator.credentials.get({ publicKey }))) as RouteBody<"finishKeyLogin">["credential"];
}
