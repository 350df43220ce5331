import type { TestContext } from "node:test";
import { NetworkHosts } from "../network-hosts.ts";
import { createFolder } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";

type Flow = {
  readonly id: string;
  readonly sockets: readonly { readonly port: number }[];
};
type Plan = { readonly flows: readonly Flow[] };

/** A server and one computer that is let in: server 10.9.0.1, one 10.9.0.2. */
export async function prepareRemoteSite(
  t: TestContext,
  given: { readonly settings?: readonly (readonly [string, string])[]; readonly agent?: object } = {},
) {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
  ]);
  const site = new ManagedSite(hosts, createFolder(t));
  let server = await site.startServer();
  for (const [key, value] of given.settings ?? []) {
    site.portolan("settings", "set", key, value);
  }
  if (given.settings !== undefined) {
    const ended = new Promise((resolve) => {
      server.child.once("exit", resolve);
    });
    server.child.kill("SIGTERM");
    await ended;
    server = await site.startServer();
  }
  const one = site.startAgent("one", { server: "10.9.0.1", remoteNotice: false, ...given.agent });
  await one.waitFor("waiting for approval", 60_000);
  site.approveAll();
  await one.waitFor("connected as", 60_000);
  return { site, one, id: site.idOf("10.9.0.2") };
}

/** Ports that the plan says are open for remote control now. */
export function remotePorts(site: ManagedSite): number[] {
  const { flows } = site.portolan("plan", "show") as Plan;
  const flow = flows.find(({ id }) => id === "remote.control");
  return (flow?.sockets ?? []).map(({ port }) => port);
}
