import { z } from "zod";
import type { Routes } from "./route.ts";
import { epochMs, nothingSchema } from "./values.ts";

export const secondFactorSchema = z.object({
  /** Since when a code is asked for at each login; `null`: the password is enough. */
  authenticatorSince: epochMs.nullable(),
  recoveryCodesLeft: z.number().int(),
});
export type SecondFactorResource = z.infer<typeof secondFactorSchema>;

const passwordGiven = z.string().max(256);
/** Six digits of the authenticator, or a recovery code. */
export const factorCode = z.string().max(64);

/** The second factor of one's own account, and its reset by an administrator. */
export const secondFactorRoutes = {
  showMySecondFactor: {
    method: "GET",
    path: "/me/second-factor",
    summary: "Whether my account asks for a code beside the password",
    response: secondFactorSchema,
  },
  beginMyAuthenticator: {
    method: "POST",
    path: "/me/authenticator",
    summary: "Get a secret for my authenticator; it counts once a code has confirmed it",
    access: "viewer",
    body: z.object({ password: passwordGiven }).strict(),
    isToldOnce: true,
    response: z.object({ secret: z.string(), uri: z.string() }),
  },
  confirmMyAuthenticator: {
    method: "POST",
    path: "/me/authenticator/confirm",
    summary: "Ask for a code from now on; the recovery codes are shown this once",
    access: "viewer",
    body: z.object({ code: factorCode }).strict(),
    isToldOnce: true,
    response: z.object({ recoveryCodes: z.array(z.string()) }),
  },
  removeMyAuthenticator: {
    method: "POST",
    path: "/me/authenticator/remove",
    summary: "Ask for no code any more; needs the password and a last code",
    access: "viewer",
    body: z.object({ password: passwordGiven, code: factorCode }).strict(),
    response: nothingSchema,
  },
  resetSecondFactor: {
    method: "DELETE",
    path: "/users/:id/second-factor",
    summary: "Take the second factor off an account whose owner has lost it; its sessions end",
    access: "administrator",
    response: nothingSchema,
  },
} as const satisfies Routes;
