import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import { startSimulatedSite } from "#dev/simulated-site.ts";
import { ask, portsOf } from "./console-site.ts";

test(
  "simulated computers: switched off in the middle of a session, with the site gone, they leave no timer behind",
  { timeout: 60_000 },
  async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "portolan-console-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const site = await startSimulatedSite({ dataDir, ...portsOf(0), log: pino({ level: "fatal" }) });
    const { registry, adminToken, imaging } = site.server;
    await addSimulatedImage(site, { name: "lab-image", dataMib: 8, sizeMib: 16 });
    const room = startSimulatedRoom(site, { count: 2, writeDelayMs: 500, areInstalled: false });
    while (registry.list().length < 2) {
      await delay(50);
    }
    const headers = { authorization: `Bearer ${adminToken}` };
    const order = (path: string, body: unknown) =>
      ask(site, `/api/v1${path}`, { method: "POST", headers, body });
    const computers = registry.list().map(({ id }) => id);
    for (const id of computers) {
      await order(`/computers/${id}/approve`, {});
    }
    const tasks = [{ kind: "deploy-image", image: "lab-image" }];
    const ordered = await order("/jobs", { name: "deploy", tasks, computers });
    assert.equal(ordered.status, 200, ordered.text);
    while (!imaging.list().some(({ state }) => state === "sending")) {
      await delay(50);
    }
    await site.stop();
    room.forEach((computer) => computer.stop());
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const startedAtMs = performance.now();
    while (timers() > 0 && performance.now() - startedAtMs < 8000) {
      await turn();
    }
    assert.equal(timers(), 0);
  },
);
