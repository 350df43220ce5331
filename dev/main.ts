import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { addSimulatedImage, startSimulatedRoom } from "./simulated-room.ts";
import { startSimulatedSite } from "./simulated-site.ts";

const usage = `usage: npm run dev [-- --computers N] [--console-port N]

The real server with simulated computers, for work on the console. Nothing leaves this machine, nothing needs root:
every address is of loopback, and datagrams go over a simulated network. Everything is gone when it ends.`;

const { values } = parseArgs({
  options: {
    computers: { type: "string", default: "12" },
    "console-port": { type: "string", default: "8443" },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const startedAtMs = performance.now();
  const dataDir = mkdtempSync(join(tmpdir(), "portolan-dev-"));
  const consolePort = Number(values["console-port"]);
  const site = await startSimulatedSite({
    dataDir,
    consolePort,
    controlPort: consolePort + 1,
    httpPort: consolePort + 2,
    log: pino({ level: process.env["PORTOLAN_LOG"] ?? "warn" }, pino.destination({ dest: 2, sync: true })),
  });
  await addSimulatedImage(site, { name: "lab-image", dataMib: 48, sizeMib: 256 });
  const password = "simulated";
  await site.server.accounts.createUser({
    name: "admin",
    role: "administrator",
    password: `${password} site`,
  });
  await site.server.accounts.createUser({ name: "viewer", role: "viewer", password: `${password} site` });
  const computers = startSimulatedRoom(site, {
    count: Number(values.computers),
    writeDelayMs: 120,
    areInstalled: false,
  });
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  process.stdout.write(
    [
      `a SIMULATED site with ${computers.length} simulated computers, ready after ${seconds} s`,
      `  console   ${site.console.url}`,
      `  accounts  admin and viewer, password "${password} site"`,
      `  data      ${dataDir} (removed at the end)`,
      "end it with Ctrl-C",
      "",
    ].join("\n"),
  );
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  computers.forEach((computer) => computer.stop());
  await site.stop();
  rmSync(dataDir, { recursive: true, force: true });
  process.exit();
}

if (values.help) {
  process.stdout.write(`${usage}\n`);
} else {
  await main();
}
