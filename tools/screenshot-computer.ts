import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { VirtualDisplay } from "#test/agent/virtual-display.ts";
import { realAgentCommand } from "#test/console/real-agent.ts";
import type { TestEnd } from "#test/network-hosts.ts";

/** What its pictures show, in a file system of its own. The shell keeps its history elsewhere. */
export const folder = "/srv/room-a";
const home = "/srv/home";
const serial = "SIM00025";

/** Names and identity of an example, so that no picture shows the machine it was taken on. */
const prepare = `
set -e
hostname room-a-13
mount -t tmpfs tmpfs /sys/class
mkdir -p /sys/class/dmi/id /sys/class/net/eno1/device
cd /sys/class/net/eno1
echo 52:54:0a:00:00:19 >address
echo 1 >type
cd /sys/class/dmi/id
echo ${serial} >product_serial
echo 5a3c0000-0000-4000-8000-000000000019 >product_uuid
echo "OptiPlex 7010" >product_name
mount -t tmpfs -o size=64g,mode=755 /dev/nvme0n1p3 /srv
mkdir -p ${home} ${folder}/exam ${folder}/handouts ${folder}/software
cd ${folder}
truncate -s 18432 seating-plan.ods
truncate -s 482113 room-a.pdf
truncate -s 2214 printers.csv
printf '%s\n' "09:00 room A: exam, no network" "13:00 room A: new image" >today.txt
touch -d '9 days ago' exam printers.csv
touch -d '26 hours ago' handouts room-a.pdf
touch -d '40 days ago' software seating-plan.ods
cd "$OLDROOT"
exec "$@"
`;

const lesson = `<!doctype html><title>Worksheet</title>
<body style="margin:0;font:17px/1.6 sans-serif;background:#fdfcf7;color:#14283a">
<header style="background:#7a3b69;color:#fff;padding:18px 36px;font-size:26px">Geography 8b: the coast</header>
<main style="padding:12px 36px;max-width:820px">
<p>A <b>portolan</b> is a chart of harbours. Its lines do not show land, they show how to sail from one port to the next.</p>
<ol><li>Find the compass rose. How many winds has it?</li><li>Which harbours lie on the line to the south east?</li>
<li>Why are names written at a right angle to the coast?</li></ol>
<p><input style="font:inherit;padding:6px 10px;width:420px" value="Sixteen, and each has a colour"></p></main></body>`;

/** A desktop with somebody's work on it. */
async function startDesktop(end: TestEnd, dataDir: string): Promise<string> {
  const display = await VirtualDisplay.start(end, dataDir, "1280x720");
  display.run("xsetroot", "-solid", "#24506b");
  // Its key is for a host name; the agent's computer has another. ffff is any (FamilyWild of Xauth.h).
  const anyHost = 'key=$(xauth -q nlist "$DISPLAY"); echo "$key" | sed "s/^..../ffff/" | xauth -q nmerge -';
  display.run("sh", "-c", anyHost);
  const page = join(dataDir, "worksheet.html");
  writeFileSync(page, lesson);
  const flags = ["--no-sandbox", "--test-type", "--no-first-run", "--disable-gpu", "--disable-sync"];
  const place = ["--window-position=140,60", "--window-size=1000,580"];
  const profile = `--user-data-dir=${join(dataDir, "desktop-browser")}`;
  display.open(end, "chromium", ...flags, ...place, profile, `--app=file://${page}`);
  display.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "Worksheet");
  await delay(3000);
  return display.name;
}

/** The agent as installed systems run it, in a computer of its own, approved and connected. @returns its id */
export async function startPictureComputer(end: TestEnd, site: SimulatedSite): Promise<string> {
  const { registry, control, config } = site.server;
  const remoteDisplay = await startDesktop(end, config.dataDir);
  const command = realAgentCommand(site, { remoteDisplay });
  const agent = spawn("unshare", ["--mount", "--uts", "sh", "-c", prepare, "sh", ...command], {
    env: { ...process.env, HOME: home, OLDROOT: process.cwd() },
    stdio: ["ignore", "ignore", "inherit"],
  });
  end.after(() => void agent.kill("SIGKILL"));
  for (let tries = 0; tries < 300; tries += 1) {
    const computer = registry.list().find(({ name }) => name === serial);
    if (computer !== undefined) {
      await registry.approve(computer.id);
      await control.reconsider();
      return computer.id;
    }
    await delay(100);
  }
  throw new Error("the agent of the pictures' computer has not come");
}
