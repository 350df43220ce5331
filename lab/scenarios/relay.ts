import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  approve,
  bootEventsSince,
  bootToApproval,
  deployToOne,
  findRecord,
  isDiskUntouched,
  untilRecord,
} from "../computer-story.ts";
import { addRouter, startCentralDhcp, startRelay } from "../router.ts";
import { captureSegment } from "../segment-capture.ts";
import type { LabSite } from "../site.ts";

/**
 *   pc1 (BIOS)          pc2 (UEFI)
 *      │                   │
 *   ───┴────────┬──────────┴──── far, 192.168.20.0/24
 *               │ .254
 *       router with ISC's relay
 *               │ .254
 *   ───┬────────┴──────────┬──── near, 192.168.10.0/24
 *      │                   │
 *   server .1       site's dnsmasq .2
 *
 * A known computer with work gets it, a known one without work starts from its disk, an unknown one waits.
 */
export async function relayedComputers(site: LabSite): Promise<void> {
  const { steps, network, folder } = site;
  const software = await site.installSoftware();
  await connectThroughRelay(site);
  const configPath = join(folder, "portolan.toml");
  await writeFile(configPath, '[server]\nrelays = ["192.168.20.254"]\n');
  await steps.do("starting the server", () => site.startServer(["eth0"], ["--config", configPath]));
  captureSegment(network, "far", join(folder, "far.pcap"));
  captureSegment(network, "near", join(folder, "near.pcap"));
  const sourcePath = await site.prepareSource(software, "192.168.10.1");
  await steps.do("importing the disk as image debian", () =>
    site.portolan("image", "import", sourcePath, "debian"),
  );
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "far" });
  const pc2 = await site.addComputer({ name: "pc2", firmware: "uefi", segment: "far" });

  await steps.do("an unknown computer behind the relay boots and waits", async () => {
    const { address } = await bootToApproval(site, pc1);
    if (address?.startsWith("192.168.20.") !== true) {
      throw new Error(`pc1 was seen at ${address}, not behind the relay`);
    }
  });
  await steps.do("approving it", () => approve(site, pc1));
  await steps.do("imaging it across the router", () => deployToOne(site, pc1, "debian", sourcePath));
  await steps.do("known and without work, it starts from its disk", async () => {
    await pc1.powerOff();
    await untilRecord(site, pc1, "is gone", ({ environment }) => environment === null, 120_000);
    const since = Date.now();
    pc1.powerOn();
    await untilRecord(site, pc1, "starts its own system", ({ environment }) => environment === "os");
    const events = await bootEventsSince(site, pc1, since);
    if (!events.some(({ outcome, reason }) => outcome === "ignored" && reason === "known-without-work")) {
      throw new Error(`no boot event says known-without-work: ${JSON.stringify(events)}`);
    }
    steps.say("  the server's boot event: ignored, because known-without-work");
  });
  await steps.do("another unknown one waits, its disk untouched", async () => {
    await bootToApproval(site, pc2);
    if (!(await isDiskUntouched(pc2))) {
      throw new Error("something was written to the disk of pc2, which nobody has approved");
    }
    const first = await findRecord(site, pc1);
    if (first?.environment !== "os") {
      throw new Error("pc1 lost its connection while pc2 booted");
    }
  });
}

async function connectThroughRelay({ network, folder }: LabSite): Promise<void> {
  await network.addSegment("near");
  await network.addSegment("far");
  await network.connect("server", "eth0", "near", "192.168.10.1/24");
  await network.connect("dhcp", "eth0", "near", "192.168.10.2/24");
  await addRouter(network, "router", [
    { interfaceName: "eth0", segment: "near", address: "192.168.10.254/24" },
    { interfaceName: "eth1", segment: "far", address: "192.168.20.254/24" },
  ]);
  for (const host of ["server", "dhcp"]) {
    await network.run(host, "ip", ["route", "add", "192.168.20.0/24", "via", "192.168.10.254"]);
  }
  startCentralDhcp(network, {
    host: "dhcp",
    interfaceName: "eth0",
    ranges: [
      {
        name: "far",
        first: "192.168.20.100",
        last: "192.168.20.150",
        netmask: "255.255.255.0",
        router: "192.168.20.254",
      },
    ],
    folder,
  });
  startRelay(network, {
    host: "router",
    downstream: "eth1",
    upstream: "eth0",
    servers: ["192.168.10.1", "192.168.10.2"],
    folder,
  });
}
