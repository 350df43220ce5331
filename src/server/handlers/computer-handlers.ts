import type { ComputerResource } from "#api/computer-api.ts";
import { splitPackage } from "#engine/agent/software-change.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

export function toComputer(server: PortolanServer, computer: StoredComputer): ComputerResource {
  const link = server.control.find(computer.id);
  return {
    id: computer.id,
    name: computer.name,
    state: computer.state,
    reason: computer.reason,
    groupId: server.groups.groupOf(computer.id),
    macs: [...computer.macs],
    uuid: computer.uuid,
    serial: computer.serial,
    environment: link?.environment ?? null,
    address: link?.address ?? computer.address,
    firmware: computer.inventory?.firmware ?? null,
    product: computer.inventory?.product ?? null,
    lastSeenAt: link === null ? computer.lastSeenAtMs : Math.round(server.clock.epochMs()),
    inventory: computer.inventory,
  };
}

type Wanted = {
  readonly state?: ComputerResource["state"] | undefined;
  readonly connected?: "yes" | "no" | undefined;
  readonly text?: string | undefined;
};

function isWanted(computer: ComputerResource, { state, connected, text }: Wanted): boolean {
  const { id, name, macs, uuid, serial, address, product } = computer;
  const isConnected = computer.environment !== null;
  const named = [id, name, ...macs, uuid, serial, address, product].join(" ").toLowerCase();
  const words = (text ?? "").toLowerCase().split(/\s+/);
  return (
    (state === undefined || computer.state === state) &&
    (connected === undefined || isConnected === (connected === "yes")) &&
    words.every((word) => named.includes(word))
  );
}

export function computerHandlers(server: PortolanServer) {
  const { registry, control, groups } = server;
  return {
    listComputers: async ({ query, scope }) => {
      const inGroup = query.group === undefined ? null : groups.computersIn(groups.require(query.group).id);
      return registry
        .list()
        .filter(({ id }) => scope.hasComputer(id) && (inGroup === null || inGroup.has(id)))
        .map((computer) => toComputer(server, computer))
        .filter((computer) => isWanted(computer, query));
    },
    showComputer: async ({ id }) => toComputer(server, registry.require(id)),
    showComputerSoftware: async ({ id }) => {
      const known = server.management.software.find(registry.require(id).id);
      return {
        packages: (known?.software.packages ?? []).map(splitPackage),
        users: [...(known?.software.users ?? [])],
        toldAt: known === null ? null : Math.round(known.atMs),
      };
    },
    approveComputer: async ({ id }) => {
      const computer = await registry.approve(id);
      await control.reconsider();
      return toComputer(server, computer);
    },
    wakeComputer: async ({ id, body, scope }) => {
      const { interfaces, management } = server;
      const computer = registry.require(id);
      const secureOn = body?.secureOn;
      const { sentCount, peerIds } = await management.wake.order(computer.id, {
        secureOnPassword: secureOn === undefined ? null : Uint8Array.from(Buffer.from(secureOn, "hex")),
        usesDirectedBroadcast: body?.directedBroadcast ?? false,
      });
      const peers = peerIds.filter((peerId) => scope.hasComputer(peerId));
      return { sent: sentCount, interfaces: interfaces.map(({ name }) => name), peers };
    },
    forgetComputer: async ({ id }) => {
      const computer = registry.require(id);
      await registry.forget(computer.id);
      await groups.forgotten();
      await server.management.agentSettings.forget(computer.id);
      await server.management.software.forget(computer.id);
      control.disconnect(computer.id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
