import { join } from "node:path";
import { approve, bootToApproval, deployToOne, isDiskUntouched } from "../computer-story.ts";
import { captureSegment, countFramesWith } from "../segment-capture.ts";
import type { LabSite } from "../site.ts";

type Side = {
  readonly segment: string;
  readonly interfaceName: string;
  /** The server's address here. */
  readonly server: string;
  readonly dhcp: string;
  readonly range: string;
};

const sides: readonly [Side, Side] = [
  {
    segment: "left",
    interfaceName: "eth0",
    server: "192.168.0.1",
    dhcp: "192.168.0.2",
    range: "192.168.0.100,192.168.0.150",
  },
  {
    segment: "right",
    interfaceName: "eth1",
    server: "11.11.11.1",
    dhcp: "11.11.11.2",
    range: "11.11.11.100,11.11.11.150",
  },
];

/**
 *   pc1 (BIOS)                                    pc2 (UEFI)
 *      │                                             │
 *   ───┴─── left, 192.168.0.0/24 ───┐   ┌─── right, 11.11.11.0/24 ───┴───
 *                       192.168.0.1 │   │ 11.11.11.1
 *                                  server               no route between the sides
 *
 * Each side hears only the server's address on that side: in offers, scripts, the control connection and transfers.
 */
export async function twoSides(site: LabSite): Promise<void> {
  const { steps, network, folder } = site;
  const software = await site.installSoftware();
  for (const side of sides) {
    await network.addSegment(side.segment);
    await network.connect("server", side.interfaceName, side.segment, `${side.server}/24`);
    await network.connect(`dhcp-${side.segment}`, "eth0", side.segment, `${side.dhcp}/24`);
    await site.startForeignDhcp(`dhcp-${side.segment}`, "eth0", side.range);
    // Whole frames with what HTTP says, but without the bulk that the server sends after its headers.
    captureSegment(network, side.segment, capturePath(folder, side), "arp or udp or (tcp and greater 0)");
  }
  await steps.do("starting the server with both interfaces", () => site.startServer(["eth0", "eth1"]));
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "left" });
  const pc2 = await site.addComputer({ name: "pc2", firmware: "uefi", segment: "right", bootsFirst: "disk" });
  await steps.do("one computer on each side boots and waits", async () => {
    const [left, right] = await Promise.all([bootToApproval(site, pc1), bootToApproval(site, pc2)]);
    if (left.address?.startsWith("192.168.0.") !== true || right.address?.startsWith("11.11.11.") !== true) {
      throw new Error(`pc1 was seen at ${left.address} and pc2 at ${right.address}`);
    }
    if (!(await isDiskUntouched(pc1)) || !(await isDiskUntouched(pc2))) {
      throw new Error("a disk was written before anybody approved");
    }
  });
  await steps.do("approving both", () => Promise.all([approve(site, pc1), approve(site, pc2)]));
  for (const [index, computer] of [pc1, pc2].entries()) {
    const { server } = sides[index] ?? sides[0];
    await steps.do(`imaging ${computer.plan.name} from ${server}`, async () => {
      const sourcePath = await site.prepareSource(software, server);
      await site.portolan("image", "import", sourcePath, `debian-${index + 1}`);
      await deployToOne(site, computer, `debian-${index + 1}`, sourcePath);
    });
  }
  await steps.do("reading the captures", () => compareCaptures(site));
}

function capturePath(folder: string, side: Side): string {
  return join(folder, `${side.segment}.pcap`);
}

/** Neither side may see the server's other address: not as text, and not as an address field of any frame. */
async function compareCaptures({ steps, network, folder }: LabSite): Promise<void> {
  const [left, right] = sides;
  for (const [here, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const path = capturePath(folder, here);
    const text = await countFramesWith(path, [Buffer.from(other.server)]);
    // As four bytes only where fields are read: anywhere in compressed bulk they occur by chance.
    const fields = `host ${other.server} or arp host ${other.server}`;
    const asField = await network.run("switch", "tcpdump", ["-n", "-r", path, fields]);
    const own = await network.run("switch", "tcpdump", ["-n", "-c", "1", "-r", path, `src ${here.server}`]);
    if (own.trim() === "") {
      throw new Error(`the capture of ${here.segment} holds nothing from ${here.server}: it proves nothing`);
    }
    const inBoot = await countBootFramesWith(network, path, other.server);
    if (text.foundCount > 0 || asField.trim() !== "" || inBoot > 0) {
      throw new Error(`${here.segment} heard of ${other.server}; see ${path}`);
    }
    steps.say(`  ${here.segment}: ${text.frameCount} frames, none names ${other.server}`);
  }
}

/** DHCP and TFTP carry addresses as four bytes inside. */
async function countBootFramesWith(
  network: LabSite["network"],
  path: string,
  address: string,
): Promise<number> {
  const cutPath = `${path}.boot`;
  await network.run("switch", "tcpdump", [
    ...["-n", "-Z", "root", "-r", path, "-w", cutPath],
    "udp port 67 or udp port 68 or udp port 4011",
  ]);
  const bytes = Uint8Array.from(address.split(".").map(Number));
  const { frameCount, foundCount } = await countFramesWith(cutPath, [bytes]);
  if (frameCount === 0) {
    throw new Error(`${path} holds no DHCP: it proves nothing`);
  }
  return foundCount;
}
