import { z } from "zod";

/** Bytes of a key, as browsers write them. */
const base64Url = z
  .string()
  .regex(/^[\w-]+$/, "must be base64url")
  .max(16_384);
const publicKeyType = z.literal("public-key");

/** What `navigator.credentials.create` gives as JSON; what else browsers add is dropped. WebAuthn §5.1.8 */
export const addedCredential = z.object({
  id: base64Url,
  rawId: base64Url,
  type: publicKeyType,
  response: z.object({
    clientDataJSON: base64Url,
    attestationObject: base64Url,
    transports: z.array(z.string().max(32)).max(8).optional(),
  }),
});
export type AddedCredential = z.output<typeof addedCredential>;

/** What `navigator.credentials.get` gives as JSON. */
export const shownCredential = z.object({
  id: base64Url,
  rawId: base64Url,
  type: publicKeyType,
  response: z.object({
    clientDataJSON: base64Url,
    authenticatorData: base64Url,
    signature: base64Url,
    userHandle: base64Url.nullish(),
  }),
});
export type ShownCredential = z.output<typeof shownCredential>;

/** For `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`, which know all its fields. */
export const keyOptions = z.looseObject({ challenge: z.string() });
