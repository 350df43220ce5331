import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";
import { giveSession } from "./account-handlers.ts";

export function loginHandlers({ keyAccess, providerAccess, providerSecret, settings }: PortolanServer) {
  return {
    showLogin: async () => ({ keyHost: keyAccess.host, providerTitle: providerAccess.title }),
    beginKeyLogin: async ({ body, address }) => keyAccess.beginLogin({ ...body, address }),
    finishKeyLogin: async ({ body, address, setCookie, setActor }) => {
      const session = await keyAccess.login(body.credential, address);
      setActor(session.me.name);
      return giveSession(session, setCookie);
    },
    beginProviderLogin: async ({ body, address }) =>
      providerAccess.begin(body.origin, { address, isFresh: body.isFresh }),
    finishProviderLogin: async ({ body, address, setCookie, setActor }) => {
      const given = { query: body.returnedSecret, binding: body.bindingSecret, address };
      return giveSession(await providerAccess.login(given, setActor), setCookie);
    },
    showProvider: async () => ({
      issuer: settings.current()["login.issuer"],
      problem: await providerAccess.findProblem(),
      hasSecret: (await providerSecret.read()) !== null,
      redirectUris: [...providerAccess.redirectUris],
    }),
    setProviderSecret: async ({ body }) => {
      await providerSecret.write(body.secret);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
