import { existsSync } from "node:fs";
import { copyFile, mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  approve,
  bootEventsSince,
  bootToApproval,
  findRecord,
  isDiskUntouched,
  untilRecord,
  untilScreen,
} from "../computer-story.ts";
import { LabError } from "../isolation.ts";
import { type LabSite, until } from "../site.ts";
import type { LabSoftware } from "../software.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

type Run = { readonly state: string; readonly reason: string | null };
type Job = { readonly id: string; readonly state: string; readonly runs: readonly Run[] };

const debianFolder = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64";
const debianPackage = "debian-installer-12-netboot-amd64";
/** The site's web server: Debian's mirror as far as an installer without the Internet can ask one. */
const mirror = "192.168.10.2:8000";
// Emulated on a busy machine, a processor may stand still while the kernel looks whether its timer ticks.
const consoleArguments = "console=ttyS0 no_timer_check";

/** What the installer does is seen on the console, and by the web server that it takes for its mirror. */
const preseed = `d-i preseed/early_command string echo "answers of {{name}} ({{mac}}) at {{server}} are read" > /dev/ttyS0
d-i debian-installer/locale string en_US.UTF-8
d-i keyboard-configuration/xkb-keymap select us
d-i netcfg/choose_interface select auto
d-i netcfg/no_default_route boolean true
d-i netcfg/get_nameservers string 192.168.10.2
d-i netcfg/get_hostname string {{name}}
d-i netcfg/get_domain string {{domain}}
d-i mirror/country string manual
d-i mirror/http/hostname string ${mirror}
d-i mirror/http/directory string /of-{{name}}
d-i mirror/http/proxy string
d-i mirror/suite string bookworm
`;

/** An installer that needs no mirror: it writes a finished system over the disk, and restarts. */
const standIn = `bb=/bin/busybox
$bb mkdir -p /bin /sbin /proc /sys /dev /run
$bb --install -s /bin
ln -s /bin/busybox /sbin/modprobe
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
exec > /dev/ttyS0 2>&1
echo "stand-in installer: answers of {{name}} ({{mac}}) at {{server}} are read"
for pass in 1 2; do
  cat /sys/bus/*/devices/*/modalias | sort -u | while read -r alias; do modprobe -q "$alias"; done
done
card=$(ls /sys/class/net | grep -v '^lo$' | head -n 1)
ip link set "$card" up
udhcpc -q -n -f -t 10 -T 2 -i "$card" -s /lease
wget -q -O /dev/vda "http://${mirror}/system.raw" && sync && echo "stand-in installer: the system is written"
sleep 2
reboot -f
`;

/**
 *   pc1 (BIOS)   pc2 (UEFI with Secure Boot)
 *      │            │
 *   ───┴─────┬──────┴─────┬──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1
 *     and web server
 *
 * At pc1 a stand-in for an installer goes the whole way, to the agent of the system it writes. At pc2 it is Debian's own
 * installer, which reads the answers of that computer and asks for its mirror; a kernel that somebody has changed is refused.
 */
export async function scriptedInstallation(site: LabSite): Promise<void> {
  if (!existsSync(join(debianFolder, "linux"))) {
    throw new LabError(`Debian's installer is missing; install: apt-get install ${debianPackage}`);
  }
  const { steps } = site;
  const software = await site.installSoftware();
  await connect(site);
  await steps.do("starting the server", () => site.startServer(["eth0"]));
  await site.portolan("settings", "set", "boot.uefiLoader", "shim");
  await steps.do("adding installers", () => addInstallers(site, software));
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "room", memoryMib: 1024 });
  const pc2 = await site.addComputer({
    ...{ name: "pc2", firmware: "uefi-secure", segment: "room", memoryMib: 1536 },
  });
  await steps.do("pc1 boots and is approved", () => letIn(site, pc1));
  await steps.do("a stand-in installer writes a system, whose agent comes in by itself", () =>
    goWholeWay(site, pc1),
  );
  await pc1.powerOff();
  await steps.do("pc2 boots with Secure Boot and is approved", () => letIn(site, pc2));
  await steps.do("a changed kernel is refused, and nothing has begun", () => refuseChanged(site, pc2));
  await steps.do("Debian's installer reads the answers of pc2, and asks for its mirror", () =>
    startDebian(site, pc2),
  );
}

async function connect(site: LabSite): Promise<void> {
  const { network, folder } = site;
  await network.addSegment("room");
  await network.connect("server", "eth0", "room", "192.168.10.1/24");
  await network.connect("dhcp", "eth0", "room", "192.168.10.2/24");
  // Debian's signed GRUB reads from the next server of the site's DHCP server: docs/operating/firmware.md.
  await site.startForeignDhcp("dhcp", "eth0", "192.168.10.100,192.168.10.150", "192.168.10.1");
  await mkdir(webFolder(site), { recursive: true });
  const web = ["httpd", "-f", "-vv", "-p", mirror, "-h", webFolder(site)];
  network.spawnOn("dhcp", "/bin/busybox", web, join(folder, "web.log"));
}

function webFolder(site: LabSite): string {
  return join(site.folder, "web");
}

async function addInstallers(site: LabSite, software: LabSoftware): Promise<void> {
  const { folder } = site;
  const debian = ["--kernel", join(debianFolder, "linux"), "--initrd", join(debianFolder, "initrd.gz")];
  const text = `${consoleArguments} DEBIAN_FRONTEND=text auto=true priority=critical`;
  await site.portolan("installer", "add", "debian-12", ...debian, "--command-line", text);
  const changed = join(folder, "changed-kernel");
  await copyFile(join(debianFolder, "linux"), changed);
  const handle = await open(changed, "r+");
  await handle.write("changed", (await handle.stat()).size >> 1);
  await handle.close();
  await site.portolan("installer", "add", "changed", "--kernel", changed, ...debian.slice(2));
  // Our own kernel and drivers, started by the answers: a script is all that such an installer is.
  const own = [join(software.bootDir, "vmlinuz"), join(software.bootDir, "initrd.img")] as const;
  const start = `${consoleArguments} quiet rdinit=/bin/busybox -- sh /answers.sh`;
  await site.portolan(
    ...["installer", "add", "stand-in", "--kernel", own[0], "--initrd", own[1]],
    ...["--command-line", start],
  );
  const source = await site.prepareSource(software, "192.168.10.1");
  await site.network.run("dhcp", "cp", ["--sparse=always", source, join(webFolder(site), "system.raw")]);
}

async function letIn(site: LabSite, computer: VirtualComputer): Promise<void> {
  await bootToApproval(site, computer);
  await approve(site, computer);
}

async function install(
  site: LabSite,
  computer: VirtualComputer,
  installer: string,
  answers: { readonly name: string; readonly text: string },
): Promise<string> {
  const record = await findRecord(site, computer);
  await writeFile(join(site.folder, answers.name), answers.text);
  const path = join(site.folder, `${installer}.yaml`);
  const lines = [
    `name: ${installer}`,
    `computers: [${record?.id ?? ""}]`,
    "tasks:",
    "  - kind: deploy-installer",
    `    installer: ${installer}`,
    `    answersFile: ${answers.name}`,
    `    answersName: ${answers.name}`,
    "    domain: example.org",
    "    timeoutMs: 30 min",
  ];
  await writeFile(path, `${lines.join("\n")}\n`);
  return (await site.portolan<Job>("job", "create", path)).id;
}

function untilRun(site: LabSite, jobId: string, state: string): Promise<Run> {
  return until(`the run of ${jobId} is ${state}`, 600_000, async () => {
    const [run] = (await site.portolan<Job>("job", "show", jobId)).runs;
    if (run !== undefined && run.state !== state && ["failed", "done", "cancelled"].includes(run.state)) {
      throw new Error(`it is ${run.state}: ${run.reason ?? ""}`);
    }
    return run?.state === state ? run : null;
  });
}

async function goWholeWay(site: LabSite, computer: VirtualComputer): Promise<void> {
  const { steps } = site;
  const off = computer.waitOff(1_800_000);
  const jobId = await install(site, computer, "stand-in", { name: "answers.sh", text: standIn });
  await untilRun(site, jobId, "installing");
  steps.say("  the installer is told to start");
  await untilScreen(computer, `answers of pc1 (${computer.plan.mac}) at 192.168.10.1 are read`);
  steps.say("  its kernel runs and reads the answers of pc1");
  await off;
  const since = Date.now();
  computer.powerOn();
  await until("pc1 is left to its disk", 300_000, async () => {
    const events = await bootEventsSince(site, computer, since);
    return events.some(({ reason }) => reason === "known-without-work") ? true : null;
  });
  steps.say("  restarted, its network boot gets no answer");
  await untilRun(site, jobId, "done");
  await untilRecord(site, computer, "is in its system", ({ environment }) => environment === "os", 60_000);
}

async function refuseChanged(site: LabSite, computer: VirtualComputer): Promise<void> {
  const jobId = await install(site, computer, "changed", { name: "preseed.cfg", text: preseed });
  const { reason } = await untilRun(site, jobId, "failed");
  if (reason?.startsWith("Secure Boot: preboot's kernel starts no kernel but one signed") !== true) {
    throw new Error(`it failed for another reason: ${reason ?? ""}`);
  }
  site.steps.say(`  ${reason}`);
}

async function startDebian(site: LabSite, computer: VirtualComputer): Promise<void> {
  const { steps, folder } = site;
  const jobId = await install(site, computer, "debian-12", { name: "preseed.cfg", text: preseed });
  await untilRun(site, jobId, "installing");
  await untilScreen(computer, `answers of pc2 (${computer.plan.mac}) at 192.168.10.1 are read`);
  steps.say("  Debian's kernel runs, and its installer reads the answers of pc2");
  await until("the installer asks for its mirror", 600_000, async () => {
    const asked = await readFile(join(folder, "web.log"), "utf8");
    return asked.includes("/of-pc2/") ? true : null;
  });
  steps.say("  it asks the web server for the folder that the answers of pc2 name");
  const { reason } = await untilRun(site, jobId, "installing");
  steps.say(`  the job says: ${reason ?? ""}`);
  if (!(await isDiskUntouched(computer))) {
    const { blocks } = await stat(computer.diskPath);
    throw new Error(`the installer had no mirror and wrote ${blocks} blocks all the same`);
  }
}
