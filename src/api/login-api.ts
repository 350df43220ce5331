import { z } from "zod";
import { sessionOpened } from "./account-api.ts";
import type { Routes } from "./route.ts";
import { keyOptions, shownCredential } from "./security-key-schema.ts";
import { nothingSchema } from "./values.ts";

/** Ways to log in beside a password and a code. */
export const loginRoutes = {
  showLogin: {
    method: "GET",
    path: "/login",
    summary: "Which ways to log in there are",
    access: "public",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    response: z.object({
      /** Security keys work when the console is opened by this host name; `null`: nowhere. */
      keyHost: z.string().nullable(),
      /** What the button to the organisation's login provider says; `null`: there is none. */
      providerTitle: z.string().nullable(),
    }),
  },
  beginKeyLogin: {
    method: "POST",
    path: "/login/key/begin",
    summary:
      "Get a challenge for a security key: beside name and password, or for a passkey that says whose it is",
    access: "public",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    body: z
      .object({ name: z.string().max(64), password: z.string().max(256) })
      .strict()
      .or(z.object({}).strict()),
    isToldOnce: true,
    response: keyOptions,
  },
  finishKeyLogin: {
    method: "POST",
    path: "/login/key",
    summary: "Open a session of the console by what a security key answered",
    access: "public",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    body: z.object({ credential: shownCredential }).strict(),
    isToldOnce: true,
    response: sessionOpened,
  },
  beginProviderLogin: {
    method: "POST",
    path: "/login/provider/begin",
    summary:
      "Get the address of the login provider to send the browser to, and what the browser keeps until it is back",
    access: "public",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    /**
     * `origin`: where this page was opened; the browser comes back there. `isFresh`: the provider must ask the person
     * again; the session may then order work that erases many computers, for five minutes.
     */
    body: z.object({ origin: z.string().max(300), isFresh: z.boolean().default(false) }).strict(),
    isToldOnce: true,
    response: z.object({ url: z.string(), binding: z.string() }),
  },
  finishProviderLogin: {
    method: "POST",
    path: "/login/provider",
    summary: "Open a session of the console by what the login provider sent the browser back with",
    access: "public",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    /** `returnedSecret`: the query of the address it came back to. */
    body: z.object({ returnedSecret: z.string().max(8192), bindingSecret: z.string().max(128) }).strict(),
    isToldOnce: true,
    response: sessionOpened,
  },
  showProvider: {
    method: "GET",
    path: "/login/provider",
    summary: "What the login provider must be told of this site, and whether its secret is kept here",
    access: "administrator",
    scope: "site",
    response: z.object({
      issuer: z.string().nullable(),
      hasSecret: z.boolean(),
      /** Why it cannot be used now; `null`: it answers. */
      problem: z.string().nullable(),
      redirectUris: z.array(z.string()),
    }),
  },
  setProviderSecret: {
    method: "PUT",
    path: "/login/provider/secret",
    summary: "Keep the secret that the login provider gave this site; it is never shown",
    access: "administrator",
    scope: "site",
    /** `null`: forget it; this site then has none, and shows PKCE alone. */
    body: z.object({ secret: z.string().min(1).max(1024).nullable() }).strict(),
    response: nothingSchema,
  },
} as const satisfies Routes;
