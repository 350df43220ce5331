import { relative } from "node:path";
import { bringDown, bringUp, holdDoor, passedDoor, readyLine } from "./background.ts";
import { enterIsolation, isInside, LabError } from "./isolation.ts";
import { captureAndRestore } from "./scenarios/capture.ts";
import { failingDisk } from "./scenarios/failing-disk.ts";
import { firewalledSegment } from "./scenarios/firewall.ts";
import { firstDeployment } from "./scenarios/first-deployment.ts";
import { scriptedInstallation } from "./scenarios/installer.ts";
import { managedComputers } from "./scenarios/managed.ts";
import { menuOfNewComputers } from "./scenarios/menu.ts";
import { openRoom, readSetupLink } from "./scenarios/open-room.ts";
import { relayedComputers } from "./scenarios/relay.ts";
import { secureBoot } from "./scenarios/secure-boot.ts";
import { twoSides } from "./scenarios/two-sides.ts";
import { wakeByMagicPacket } from "./scenarios/wake.ts";
import { LabSite } from "./site.ts";
import { passSoftware, prepareSoftware } from "./software.ts";
import { Steps } from "./steps.ts";

type Scenario = { readonly title: string; readonly run: (site: LabSite) => Promise<void> };

const scenarios: Readonly<Record<string, Scenario>> = {
  "first-deployment": {
    title:
      "three bare computers boot, are approved, imaged by one multicast session, and come back under their agents",
    run: (site) => firstDeployment(site),
  },
  loss: {
    title: "the same with 2 % of all frames lost at the switch",
    run: (site) => firstDeployment(site, { lossPercent: 2 }),
  },
  "server-killed": {
    title: "the same with the server killed and started again while it images",
    run: (site) => firstDeployment(site, { killServer: true }),
  },
  "failing-disk": {
    title:
      "two computers in one session, and one's disk fails: it says so and has no start, the other is done",
    run: failingDisk,
  },
  menu: {
    title:
      "new computers on BIOS and UEFI: a key chooses from the menu, time chooses, and one goes to its own disk",
    run: menuOfNewComputers,
  },
  relay: {
    title: "behind a relay: known with work is imaged, known without work starts its disk, unknown waits",
    run: relayedComputers,
  },
  firewall: {
    title:
      "a router that drops, loaded with nothing but the exported rules: a whole deployment passes, nothing else",
    run: (site) => firewalledSegment(site, "firewall"),
  },
  "firewall-classic": {
    title: "the same with the paper's own ports, dynamic ones included",
    run: (site) => firewalledSegment(site, "classic"),
  },
  "two-sides": {
    title: "one server on two segments without a route between: each side hears only its own address",
    run: twoSides,
  },
  "secure-boot": {
    title: "a computer with Secure Boot boots through signed stages and registers",
    run: secureBoot,
  },
  installer: {
    title:
      "a stand-in installer goes the whole way; under Secure Boot Debian's own reads the answers of its computer",
    run: scriptedInstallation,
  },
  capture: {
    title:
      "a Debian computer and one with four file systems are captured, and restored to larger and smaller disks",
    run: captureAndRestore,
  },
  managed: {
    title: "three plain Debian computers get the agent over ssh, do one job with a jump, and open a terminal",
    run: managedComputers,
  },
  wake: { title: "a magic packet switches a computer on", run: wakeByMagicPacket },
};

const usage = `usage: portolan lab up                        a room of bare computers to try things in, in the background
       portolan lab down                      ends it
       portolan lab list
       portolan lab run SCENARIO [--keep]     --keep: leave everything running until Ctrl-C`;

async function runScenario(name: string, scenario: Scenario, isKept: boolean): Promise<void> {
  const steps = new Steps();
  const site = await LabSite.open(name, steps);
  steps.say(scenario.title);
  try {
    await scenario.run(site);
    process.stdout.write(`\n${name}: passed\n${steps.summary()}\n`);
    process.stdout.write(`consoles, captures and logs: ${site.folder}\n`);
    if (isKept) {
      process.stdout.write("everything keeps running; Ctrl-C ends it\n");
      await new Promise(() => setInterval(() => undefined, 1 << 30));
    }
  } catch (error) {
    process.stdout.write(`\n${name}: FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stdout.write(`serial consoles and logs: ${site.folder}\n`);
    process.exitCode = 1;
  } finally {
    await site.close();
  }
}

/** Runs in the background until `lab down`: outside as the door's outer end, inside as the room. */
async function holdRoom(): Promise<void> {
  const door = passedDoor();
  if (!isInside()) {
    await holdDoor(door);
  }
  await enterIsolation();
  const site = await LabSite.open("up", new Steps());
  await openRoom(site, door);
  const dataDir = relative(process.cwd(), site.dataDir);
  const lines = [
    "",
    "three bare computers are switched on and will wait for approval in a minute or two",
    `console        ${await readSetupLink(site)}`,
    `command line   bin/portolan computer list --data ${dataDir}`,
    `then           bin/portolan computer approve ID… --data ${dataDir}`,
    `               bin/portolan deploy debian ID… --data ${dataDir}`,
    `screens        ${relative(process.cwd(), site.folder)}/pc1.serial, pc2.serial, pc3.serial`,
    "to end it      bin/portolan lab down",
    readyLine,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  await new Promise(() => setInterval(() => undefined, 1 << 30));
}

async function runNamed(name: string, scenario: Scenario, isKept: boolean): Promise<void> {
  await enterIsolation(isInside() ? {} : passSoftware(await prepareSoftware(new Steps())));
  await runScenario(name, scenario, isKept);
  process.exit();
}

async function upOrDown(command: "up" | "down"): Promise<void> {
  if (command === "down") {
    const wasUp = await bringDown();
    process.stdout.write(wasUp ? "the lab is down, its computers and networks are gone\n" : "no lab is up\n");
    return;
  }
  Object.assign(process.env, passSoftware(await prepareSoftware(new Steps())));
  await bringUp();
}

function printScenarios(): void {
  for (const [scenarioName, { title }] of Object.entries(scenarios)) {
    process.stdout.write(`${scenarioName.padEnd(18)} ${title}\n`);
  }
}

async function main(): Promise<void> {
  const [command, name = "", ...rest] = process.argv.slice(2);
  const scenario = scenarios[name];
  try {
    if (command === "list") {
      printScenarios();
    } else if (command === "up" || command === "down") {
      await upOrDown(command);
    } else if (command === "hold") {
      await holdRoom();
    } else if (command === "run" && scenario !== undefined) {
      await runNamed(name, scenario, rest.includes("--keep"));
    } else {
      process.stderr.write(`${usage}\nscenarios: ${Object.keys(scenarios).join(", ")}\n`);
      process.exitCode = 2;
    }
  } catch (error) {
    if (!(error instanceof LabError)) {
      throw error;
    }
    process.stderr.write(`portolan: ${error.message}\n`);
    process.exitCode = 1;
  }
}

await main();
