import { pino } from "pino";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { systemClock } from "#platform/clock.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { TftpService } from "#server/services/tftp-service.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";

/* Runs the TFTP service alone, inside a namespace. usage: serve-tftp.ts INTERFACE single|dynamic|multicast|ipxe-mtftp */
const [interfaceName = "", mode = "dynamic"] = process.argv.slice(2);

/** Content a test can compute as well. */
function contentOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) {
    bytes[index] = (index * 31 + (index >> 9)) & 255;
  }
  return bytes;
}

/** Larger than many blocks; that the whole of it arrived unharmed shows when iPXE asks for the file it names. */
const script = Buffer.from(
  `#!ipxe\n${"# a line that is there to be read\n".repeat(1500)}chain tftp://10.9.0.1/proof.bin\n`,
);

const files = new Map([
  ["undionly.kpxe", script],
  ["proof.bin", contentOf(700)],
  ["small.bin", contentOf(1000)],
  ["edge.bin", contentOf(512 * 4)],
  ["medium.bin", contentOf(300_000)],
  ["large.bin", contentOf(20 << 20)],
]);
const isSinglePort = mode === "single";
const isMulticast = mode === "multicast" || mode === "ipxe-mtftp";
const settings = { ...classicSettings, "tftp.singlePort": isSinglePort, "tftp.multicast": isMulticast };
const network = createLinuxNetwork();
/** iPXE does not read the place from the offer: its own is fixed. */
const ipxePlace = { groups: [Ipv4Address.parse("239.255.1.1")], ports: [3001] };
const flows = computeFlows(settings, { consolePort: 8443 }).map((flow) =>
  flow.id === "boot.tftp-multicast" && mode === "ipxe-mtftp" ? { ...flow, ...ipxePlace } : flow,
);
const service = new TftpService(
  {
    flows: () => flows,
    interfaces: network.interfaces().filter((nic) => nic.name === interfaceName),
  },
  {
    network,
    clock: systemClock,
    log: pino({ level: "silent" }),
    findFile: (fileName) => files.get(fileName) ?? null,
    onTransfer: (report) => console.log(JSON.stringify(report)),
  },
);
await service.start();
// Counters for the test, once a second while something happens.
let shown = "";
setInterval(() => {
  const counters = JSON.stringify(Object.fromEntries(service.counters));
  if (counters !== shown) {
    shown = counters;
    console.log(`counters ${counters}`);
  }
}, 200);
console.log("ready");
