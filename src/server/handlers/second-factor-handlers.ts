import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

/** What an authenticator shows above the code. */
const siteName = "Portolan";

export function secondFactorHandlers({ accounts, keyAccess }: PortolanServer) {
  return {
    showMySecondFactor: async ({ principal: { type, userId } }) =>
      type !== "user" || userId === null
        ? { authenticatorSince: null, recoveryCodesLeft: 0, securityKeys: [], keyHost: keyAccess.host }
        : { ...(await accounts.factors.show(userId)), keyHost: keyAccess.host },
    beginMyAuthenticator: async ({ principal, body, address }) =>
      accounts.beginAuthenticator(principal, { ...body, address, site: siteName }),
    confirmMyAuthenticator: async ({ principal, body, address }) =>
      accounts.confirmAuthenticator(principal, { ...body, address }),
    removeMyAuthenticator: async ({ principal, body, address }) => {
      await accounts.removeAuthenticator(principal, { ...body, address });
      return { ok: true as const };
    },
    beginMySecurityKey: async ({ principal, body, address }) =>
      keyAccess.beginAdding(principal, { ...body, address, site: siteName }),
    addMySecurityKey: async ({ principal, body }) => keyAccess.add(principal, body),
    removeMySecurityKey: async ({ principal, id, body, address }) => {
      await keyAccess.remove(principal, { ...body, id, address });
      return { ok: true as const };
    },
    resetSecondFactor: async ({ id }) => {
      await accounts.resetSecondFactor(id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
