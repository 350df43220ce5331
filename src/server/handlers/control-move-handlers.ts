import type { ControlMoveResource } from "#api/settings-api.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { Straggler } from "../control-move.ts";
import type { PortolanServer } from "../server.ts";

export function controlMoveHandlers({ settings, sync, move, plan }: PortolanServer) {
  function showMove(stragglers: readonly Straggler[]): ControlMoveResource {
    return {
      port: settings.current()["control.tcpPort"],
      oldPorts: [...move.oldPorts],
      addresses: plan.controlPlaces().map(({ address }) => address),
      oldAddresses: [...move.oldAddresses],
      oldDiscovery: move.oldDiscovery.map(({ group, port }) => `${group}:${port}`),
      stragglers: stragglers.map(({ computer, ...straggler }) => ({
        ...straggler,
        name: computer?.name ?? straggler.computerId,
        lastSeenAt: computer?.lastSeenAtMs ?? null,
      })),
    };
  }

  return {
    showControlMove: async ({ scope }) =>
      showMove(move.stragglers().filter(({ computerId }) => scope.hasComputer(computerId))),
    releaseControlMove: async () => {
      const left = await move.release();
      await sync.follow();
      return showMove(left);
    },
  } satisfies Partial<ApiHandlers>;
}
