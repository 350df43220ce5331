import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { systemClock } from "#platform/clock.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { type ControlLink, ControlService } from "#server/services/control-service.ts";
import { DiscoveryService } from "#server/services/discovery-service.ts";
import { createSiteKey, SiteAuthority, type SiteKeyMaterial } from "#server/site-authority.ts";
import type { TaskMessage } from "#wire/control/task-message.ts";

/*
 * Control connections and discovery alone, inside a namespace. What happens is printed, one JSON value a line.
 * usage: serve-agents.ts FOLDER INTERFACE…
 * FOLDER/site.json keeps the site key, FOLDER/fingerprint shows it. Computers are let in once FOLDER/approved exists.
 * SIGUSR1: ask again for who waits. SIGUSR2: send FOLDER/task.json to every agent. SIGQUIT: print the counters.
 */
const [folder = "", ...interfaceNames] = process.argv.slice(2);

function print(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

async function loadAuthority(): Promise<SiteAuthority> {
  const path = join(folder, "site.json");
  if (!existsSync(path)) {
    writeFileSync(path, JSON.stringify(await createSiteKey(Date.now())));
  }
  return new SiteAuthority(JSON.parse(readFileSync(path, "utf8")) as SiteKeyMaterial);
}

const authority = await loadAuthority();
writeFileSync(join(folder, "fingerprint"), authority.fingerprint);
const network = createLinuxNetwork();
const interfaces = network.interfaces().filter((nic) => interfaceNames.includes(nic.name));
const addresses = interfaces.map((nic) => nic.address);
const tls = await authority.issueServer("ds1", addresses, Date.now());
const shared = { network, clock: systemClock, log: pino({ level: "silent" }), authority };
const flows = () => computeFlows(classicSettings, { consolePort: 8443 });
const links = new Set<ControlLink>();

const control = new ControlService(
  { flows, places: () => interfaces, tls, discovery: () => null },
  {
    ...shared,
    decideEnrolment: (_message, keyFingerprint) =>
      Promise.resolve(
        existsSync(join(folder, "approved"))
          ? { type: "enrolled", computerId: `c-${keyFingerprint.slice(0, 8)}`, lifetimeMs: 3_600_000 }
          : { type: "pending", computerId: null, reason: "not approved yet" },
      ),
    joinRemote: () => null,
    admit: (subject) => Promise.resolve({ name: subject.computerId }),
    onConnected: (link) => {
      links.add(link);
      const { computerId, serverAddress, hello } = link;
      print({ event: "connected", computerId, serverAddress, tasks: hello.tasks });
    },
    onDisconnected: (link) => {
      links.delete(link);
      print({ event: "disconnected", computerId: link.computerId });
    },
    onMessage: (link, message) => print({ event: "message", computerId: link.computerId, message }),
  },
);
const discovery = new DiscoveryService(
  {
    ...{ flows, interfaces, controlPort: () => 402, serverName: "ds1" },
    controlAddress: (name) => control.openAddress(name),
  },
  { ...shared, isKnown: () => false },
);
await control.start();
await discovery.start();

process.on("SIGUSR1", () => {
  control.reconsider().catch((error: unknown) => print({ event: "error", text: String(error) }));
});
process.on("SIGUSR2", () => {
  const task = JSON.parse(readFileSync(join(folder, "task.json"), "utf8")) as TaskMessage;
  for (const link of links) {
    link.send(task);
  }
  print({ event: "task-sent" });
});
process.on("SIGQUIT", () => {
  print({
    event: "counters",
    control: Object.fromEntries(control.counters),
    discovery: Object.fromEntries(discovery.counters),
  });
});
print({ event: "ready" });
