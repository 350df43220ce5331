import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { livePath } from "#api/live-api.ts";
import { startSimulatedRoom } from "#dev/simulated-room.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, openRoom, password, type Room } from "./console-room.ts";
import { collect, openSocket, until } from "./limited-site.ts";

const skip = browserObstacle() ?? false;

/** A new computer, on record and told of: who was connected to live events has the event of it behind them. */
async function addComputer(t: TestContext, { site }: Room): Promise<void> {
  const told = collect(await openSocket(t, site, livePath, null));
  const [computer] = startSimulatedRoom(site, { count: 1, writeDelayMs: 60, areInstalled: false });
  t.after(() => computer?.stop());
  await until(() => told.some((text) => text.includes("SIM00001")), "the event of the computer");
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
        await addComputer(t, room);
      }
      await route.fulfill({ response });
    });
    await logInByPage(page, site.console.url, "ann", password);
    await dataRow(page, "SIM00001").waitFor();
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
    await addComputer(t, room);
    begin.resolve();
    await dataRow(page, "SIM00001").waitFor();
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
    await page.getByRole("heading", { name: "People and tokens" }).waitFor();
    assert.deepEqual(faults, []);
  },
);
