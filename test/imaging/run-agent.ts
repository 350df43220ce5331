import { parseArgs } from "node:util";
import { Agent } from "#agent/agent.ts";
import { choosePlace } from "#agent/choose-place.ts";
import { loadAgentConfig } from "#agent/config.ts";
import { AgentIdentity } from "#agent/identity.ts";
import { readInventory } from "#agent/inventory.ts";
import { systemClock } from "#platform/clock.ts";
import { SettingsKeeper } from "#agent/settings-keeper.ts";
import { createNetwork } from "#platform/create-network.ts";
import { openDisk } from "#platform/disk.ts";
import { MacAddress } from "#wire/address/mac-address.ts";

/*
 * The agent as preboot runs it, with one disk: a loop device, which an installed system's disks never are.
 * usage: run-agent.ts --config FILE --server IP --site-key HEX --disk NAME --mac MAC
 */
const { values } = parseArgs({
  options: {
    config: { type: "string", default: "" },
    server: { type: "string", default: "" },
    "site-key": { type: "string", default: "" },
    disk: { type: "string", default: "" },
    mac: { type: "string", default: "" },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const overrides = { server: values.server, siteKey: values["site-key"] };
const config = loadAgentConfig("preboot", values.config, overrides);
const disk = await openDisk(`/dev/${values.disk}`, "read");
await disk.close();
const network = await createNetwork();
const settings = await SettingsKeeper.load(null, overrides, config);
const agent = new Agent({
  network,
  settings,
  identity: await AgentIdentity.load(config.stateDir),
  findServer: (failures, onRogue) =>
    choosePlace(settings.current(), failures, {
      network,
      clock: systemClock,
      say,
      onRogue,
      lastDiscovery: () => settings.lastDiscovery(),
      askDns: () => Promise.resolve(null),
    }),
  readInventory: () => ({
    ...readInventory(),
    macs: [MacAddress.parse(values.mac)],
    uuid: null,
    serial: null,
    disks: [
      {
        name: values.disk,
        sizeBytes: disk.sizeBytes,
        model: "loop",
        serial: values.disk,
        wwn: null,
        byPath: null,
        isRemovable: false,
      },
    ],
  }),
  say,
});
process.once("SIGTERM", () => agent.stop());
await agent.run();
