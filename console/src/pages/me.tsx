import { createContext, useContext } from "react";
import type { MeResource } from "#api/account-api.ts";
import { text } from "../text/text.ts";

type Role = MeResource["role"];
const order: readonly Role[] = ["viewer", "operator", "administrator"];

/** Who looks at this console. Set by the shell, which shows nothing before it is known. */
export const MeContext = createContext<MeResource>({
  type: "user",
  name: "",
  role: "viewer",
  isLimited: false,
  confirmedUntil: null,
  hasPassword: true,
});

export function useMe(): MeResource {
  return useContext(MeContext);
}

/** As `useObstacle`, for what belongs to no group of computers. */
export function useSiteObstacle(role: Role): string | null {
  const { isLimited } = useMe();
  return useObstacle(role) ?? (isLimited ? text.common.needsWholeSite : null);
}

/** Why somebody may not do what needs this role, or `null`. The server decides; this only says it beforehand. */
export function useObstacle(role: Role): string | null {
  const me = useMe();
  return order.indexOf(me.role) >= order.indexOf(role) ? null : text.common.needsRole(role, me.role);
}
