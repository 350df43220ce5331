import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

/** What an authenticator shows above the code. */
const siteName = "Portolan";

export function secondFactorHandlers({ accounts }: PortolanServer) {
  return {
    showMySecondFactor: async ({ principal: { type, userId } }) =>
      type !== "user" || userId === null
        ? { authenticatorSince: null, recoveryCodesLeft: 0 }
        : accounts.factors.show(userId),
    beginMyAuthenticator: async ({ principal, body, address }) =>
      accounts.beginAuthenticator(principal, { ...body, address, site: siteName }),
    confirmMyAuthenticator: async ({ principal, body, address }) =>
      accounts.confirmAuthenticator(principal, { ...body, address }),
    removeMyAuthenticator: async ({ principal, body, address }) => {
      await accounts.removeAuthenticator(principal, { ...body, address });
      return { ok: true as const };
    },
    resetSecondFactor: async ({ id }) => {
      await accounts.resetSecondFactor(id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
