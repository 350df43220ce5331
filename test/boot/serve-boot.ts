import { pino } from "pino";
import type { KnownComputer } from "#engine/boot/identify-computer.ts";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings, type Settings } from "#plan/settings.ts";
import { systemClock } from "#platform/clock.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { createBootServices } from "#server/boot-services.ts";
import { LeaseService } from "#server/services/lease-service.ts";
import { createComputerDirectory } from "#server/computer-directory.ts";
import { ProbeWatch } from "#server/verify/probe-watch.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** What the boot services of a test are given, as JSON in the first argument. */
export type ServeBootOptions = {
  readonly interfaces: readonly string[];
  readonly dataDir: string;
  readonly relays?: readonly string[];
  readonly computers?: readonly KnownComputer[];
  readonly settings?: Partial<Settings>;
  /** The store refuses every event. */
  readonly isStoreDown?: boolean;
  /** The store takes events and they are not printed. */
  readonly isQuiet?: boolean;
};

/** Runs the boot services alone, inside a namespace; prints `ready`, each boot event, and counters as they change. */
async function main(given: ServeBootOptions): Promise<void> {
  const settings: Settings = { ...classicSettings, ...given.settings };
  const network = createLinuxNetwork();
  const directory = createComputerDirectory();
  directory.replaceAll(given.computers ?? []);
  const interfaces = network.interfaces().filter((nic) => given.interfaces.includes(nic.name));
  const services = createBootServices(
    {
      flows: () => computeFlows(settings, { consolePort: 8443 }),
      interfaces,
      relays: (given.relays ?? []).map((relay) => Ipv4Address.parse(relay)),
      dataDir: given.dataDir,
      siteKeyFingerprint: "ab".repeat(32),
      extraKernelArguments: ["console=ttyS0"],
    },
    {
      network,
      clock: systemClock,
      log: pino({ level: "silent" }),
      settings: () => settings,
      control: () => ({
        openPort: () => settings["control.tcpPort"],
        openAddress: (name) => interfaces.find((nic) => nic.name === name)?.address ?? Ipv4Address.any,
      }),
      directory,
      leases: new LeaseService({
        settings: () => settings,
        // In memory: what survives a restart is the store's own test.
        store: { list: () => Promise.resolve([]), put: () => Promise.resolve() },
        clock: systemClock,
        log: pino({ level: "silent" }),
        gatewayOf: () => null,
      }),
      probes: new ProbeWatch(),
      observe: () => undefined,
      sink: (events) => {
        if (given.isStoreDown === true) {
          return Promise.reject(new Error("the store is down"));
        }
        for (const event of given.isQuiet === true ? [] : events) {
          console.log(JSON.stringify({ event }));
        }
        return Promise.resolve();
      },
    },
  );
  const report = await services.files.load();
  await services.dhcp.start();
  await services.tftp.start();
  await services.http.start();
  console.log(JSON.stringify({ report }));
  console.log("ready");
  let printed = "";
  setInterval(() => {
    const counters = Object.fromEntries(services.dhcp.counters);
    const latency = { count: services.dhcp.latency.count, maxMs: services.dhcp.latency.maxMs };
    const text = JSON.stringify({ counters, latency });
    if (text !== printed) {
      printed = text;
      console.log(text);
    }
  }, 100);
}

const [json] = process.argv.slice(2);
if (import.meta.main && json !== undefined) {
  await main(JSON.parse(json) as ServeBootOptions);
}
