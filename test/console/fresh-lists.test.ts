import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startSimulatedRoom } from "#dev/simulated-room.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, openRoom, password, type Room } from "./console-room.ts";

const skip = browserObstacle() ?? false;

/** Long enough that an event of it has been told to every console. */
const toldDelayMs = 1500;

/** A new computer, on record and told of. */
async function addComputer({ site }: Room): Promise<() => void> {
  const [computer] = startSimulatedRoom(site, { count: 1, writeDelayMs: 60, areInstalled: false });
  while (site.server.registry.list().length === 0) {
    await delay(50);
  }
  await delay(toldDelayMs);
  return () => computer?.stop();
}

test(
  "console: a computer that comes while the list is on its way is shown",
  { skip, timeout: 120_000 },
  async (t) => {
    const room = await openRoom(t, { count: 0 });
    const { page, site, faults } = room;
    let isFirst = true;
    await page.route(/\/api\/v1\/computers$/, async (route) => {
      const response = await route.fetch();
      if (isFirst) {
        isFirst = false;
        t.after(await addComputer(room));
      }
      await route.fulfill({ response });
    });
    await logInByPage(page, site.console.url, "ann", password);
    await dataRow(page, "SIM00001").waitFor({ timeout: 20_000 });
    assert.deepEqual(faults, []);
  },
);

test(
  "console: a computer that comes after the list was read and before live events began is shown",
  { skip, timeout: 120_000 },
  async (t) => {
    const room = await openRoom(t, { count: 0 });
    const { page, site, faults } = room;
    const begin = Promise.withResolvers<void>();
    await page.routeWebSocket(/\/api\/v1\/events/, async (socket) => {
      await begin.promise;
      socket.connectToServer();
    });
    await logInByPage(page, site.console.url, "ann", password);
    await page.getByText("No computer yet").waitFor();
    t.after(await addComputer(room));
    begin.resolve();
    await dataRow(page, "SIM00001").waitFor({ timeout: 20_000 });
    assert.deepEqual(faults, []);
  },
);

test(
  "console: a browser that thinks it is offline still reads from the server of its own network",
  { skip, timeout: 120_000 },
  async (t) => {
    const { page, site, faults } = await openRoom(t, { count: 0 });
    await logInByPage(page, site.console.url, "ann", password);
    await page.evaluate("dispatchEvent(new Event('offline'))");
    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor({ timeout: 20_000 });
    assert.deepEqual(faults, []);
  },
);
