import type { Flow } from "../flow.ts";
import { portsInclude } from "../socket-grant.ts";
import type { Segment } from "../segment.ts";
import type { Settings } from "../settings.ts";
import type { LintFinding } from "./finding.ts";

/** A program that holds a port of ours: `dnsmasq (process 1234)`. */
export type PortHolder = {
  readonly transport: "udp" | "tcp";
  readonly port: number;
  readonly program: string;
};

function fixedPorts({ ports, dynamic }: Flow): readonly number[] {
  return dynamic || "from" in ports ? [] : ports;
}

/** Flows the server listens for with a socket of its own. Groups separate those that have some. */
function listeningFlows(flows: readonly Flow[]): Flow[] {
  return flows.filter(
    ({ state, to, carrier, groups }) =>
      state === "on" && to.includes("server") && carrier === null && groups.length === 0,
  );
}

/** What must be free for the server to start. */
export function fixedListenerPorts(
  flows: readonly Flow[],
): { readonly transport: "udp" | "tcp"; readonly port: number }[] {
  return listeningFlows(flows).flatMap((flow) =>
    fixedPorts(flow).map((port) => ({ transport: flow.transport, port })),
  );
}

function mendPort(flow: Flow): string {
  return flow.setting === null
    ? "the port is fixed by a standard: move the other one"
    : `portolan settings set ${flow.setting} PORT`;
}

function lintClashes(flows: readonly Flow[]): LintFinding[] {
  const listening = listeningFlows(flows);
  return listening.flatMap((flow, index) =>
    listening.slice(0, index).flatMap((other) =>
      fixedPorts(flow)
        .filter((port) => other.transport === flow.transport && fixedPorts(other).includes(port))
        .map((port) => ({
          code: "port-clash" as const,
          severity: "fault" as const,
          subject: `${flow.transport} ${port}`,
          flows: [other.id, flow.id],
          what: `${other.title} and ${flow.title.toLowerCase()} both listen on ${flow.transport} port ${port}.`,
          why: "One address has one listener for a port: whichever comes second does not start.",
          mend: mendPort(flow.setting === null ? other : flow),
        })),
    ),
  );
}

function lintHeld(flows: readonly Flow[], holders: readonly PortHolder[]): LintFinding[] {
  return holders.flatMap(({ transport, port, program }) =>
    listeningFlows(flows)
      .filter((flow) => flow.transport === transport && fixedPorts(flow).includes(port))
      .map((flow) => ({
        code: "port-held" as const,
        severity: "warning" as const,
        subject: `${transport} ${port}`,
        flows: [flow.id],
        what: `${transport} port ${port}, which ${flow.title.toLowerCase()} need${flow.title.endsWith("s") ? "" : "s"}, is also held by ${program}.`,
        why: "On the same address the second program cannot start; on another interface it does no harm.",
        mend:
          flow.setting === null ? `stop ${program}, or keep it off the interfaces served` : mendPort(flow),
      })),
  );
}

/** One note: the paper's 401 and 402 are such ports, and network boot needs the same right anyway. */
function lintPrivileged(settings: Settings): LintFinding[] {
  const ports = [settings["control.tcpPort"], settings["discovery.port"], settings["boot.httpPort"]].filter(
    (port) => port < 1024,
  );
  const names = { 401: "ups", 402: "genie" } as const;
  const unique = [...new Set(ports)];
  if (unique.length === 0) {
    return [];
  }
  const registered = unique.flatMap((port) =>
    port === 401 || port === 402 ? [`${port} for ${names[port]}`] : [],
  );
  return [
    {
      code: "port-privileged",
      severity: "note",
      subject: unique.join(", "),
      flows: ["agent.control", "agent.discovery"],
      what: `Port${unique.length === 1 ? "" : "s"} ${unique.join(", ")} below 1024: the server needs root or CAP_NET_BIND_SERVICE, as it does for 67 and 69.`,
      why:
        registered.length === 0
          ? "Another program of the system may be meant to have it."
          : `The paper calls them unassigned; the registry lists ${registered.join(" and ")}, which nobody is known to run.`,
      mend: "portolan settings set control.tcpPort PORT # to move it; nothing has to be done",
    },
  ];
}

const dynamicMends: Readonly<Record<string, string>> = {
  "transfer.port": "portolan settings set transfer.port 4402",
  "tftp.singlePort": "portolan settings set tftp.singlePort on",
  "remote.port": "portolan settings set remote.port control",
};

/** The rule set of a firewall is finite only where ports are. */
function lintDynamic(flows: readonly Flow[], segments: readonly Segment[]): LintFinding[] {
  const behind = segments.filter(({ interfaceName, intent }) => interfaceName === null && intent !== "none");
  return flows
    .filter(
      ({ state, dynamic, setting }) =>
        state === "on" && dynamic && setting !== null && setting in dynamicMends,
    )
    .flatMap((flow) => {
      const names = behind.filter(({ intent }) => flow.intents.includes(intent)).map(({ name }) => name);
      return names.length === 0
        ? []
        : [
            {
              code: "dynamic-through-router" as const,
              severity: "warning" as const,
              subject: flow.id,
              flows: [flow.id],
              what: `${flow.title}: dynamic ports, also for ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""} behind a router.`,
              why: portsInclude(flow.ports, 40_000)
                ? "A firewall in between has to leave a whole range open; with one port its rules are finite."
                : "A firewall in between has to leave the whole range open.",
              mend: `${dynamicMends[flow.setting ?? ""]} # or all of it: portolan settings profile firewall`,
            },
          ];
    });
}

export function lintPorts(given: {
  readonly flows: readonly Flow[];
  readonly settings: Settings;
  readonly segments: readonly Segment[];
  readonly holders: readonly PortHolder[];
}): LintFinding[] {
  const { flows, settings, segments, holders } = given;
  return [
    ...lintClashes(flows),
    ...lintHeld(flows, holders),
    ...lintDynamic(flows, segments),
    ...lintPrivileged(settings),
  ];
}
