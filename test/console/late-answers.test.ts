import assert from "node:assert/strict";
import { test } from "node:test";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, letIn, openRoom, password } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: an order that was closed while it was on its way leaves the next one open when it has come",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 1 });
    await logInByPage(page, site.console.url, "ann", password);
    await letIn({ site, page }, 1);
    const asked = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    await page.route(/\/api\/v1\/jobs$/, async (route) => {
      if (route.request().method() === "POST") {
        asked.resolve();
        await goOn.promise;
      }
      await route.continue();
    });
    await dataRow(page, "SIM00001").click();
    await page.getByRole("button", { name: "Deploy lab-image" }).click();
    await page.getByRole("button", { name: "Erase and deploy 1 computer" }).click();
    await asked.promise;
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Restart", exact: true }).click();
    const next = page.getByRole("dialog", { name: "Restart" });
    await next.waitFor();
    goOn.resolve();
    const details = page.getByRole("region", { name: "Details" });
    await details.getByRole("heading", { name: "Deploy lab-image" }).waitFor();
    await next.getByRole("button", { name: "Order for 1 computer" }).click();
    await details.getByRole("heading", { name: "Restart" }).waitFor();
    assert.equal(site.server.jobs.listJobs().length, 2);
    assert.deepEqual(faults, []);
  },
);

test(
  "console: a button that is pressed twice before the page is drawn again orders once",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 1 });
    await logInByPage(page, site.console.url, "ann", password);
    await letIn({ site, page }, 1);
    await dataRow(page, "SIM00001").click();
    await page.getByRole("button", { name: "Restart", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Restart" });
    await dialog.getByRole("button", { name: "Order for 1 computer" }).waitFor();
    const orders: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/api/v1/jobs")) {
        orders.push(request.url());
      }
    });
    // As a busy browser takes a double click: both before anything else.
    await page.evaluate(`{
      const button = document.querySelector("dialog[open] button[type=submit]");
      button.click();
      button.click();
    }`);
    await dialog.waitFor({ state: "detached" });
    assert.equal(orders.length, 1);
    assert.equal(site.server.jobs.listJobs().length, 1);
    assert.deepEqual(faults, []);
  },
);
