import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, letIn, openRoom, password } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: work is scheduled by keyboard, with a time zone, a repetition, a window and a limit",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 2 });
    await logInByPage(page, site.console.url, "ann", password);
    await letIn({ site, page }, 2);
    await page.getByRole("rowgroup", { name: "Computers" }).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByText("2 computers selected").waitFor();
    await page.keyboard.press("Shift+F10");
    await page.getByRole("menuitem", { name: "Restart" }).press("Enter");
    const dialog = page.getByRole("dialog", { name: "Restart" });
    await dialog.getByText("When, how often, how many at a time").press("Enter");
    await dialog.getByRole("radio", { name: "at a time" }).press("Space");
    await dialog.getByRole("checkbox", { name: "only in a maintenance window" }).press("Space");
    await dialog.getByLabel("Date and time").fill("2098-12-05T18:00");
    await dialog.getByLabel("Repetition").selectOption("weekly");
    await dialog.getByLabel("Time zone").fill("Europe/Berlin");
    await dialog.getByLabel("Window on").selectOption("mon-fri");
    await dialog.getByLabel("Computers at a time").fill("1");
    await dialog.getByRole("button", { name: "What would happen" }).press("Enter");
    await dialog.getByText("Begins 5 Dec 2098").waitFor();
    assert.deepEqual(await findFaults(page, "order"), []);
    await dialog.getByRole("button", { name: "Order for 2 computers" }).press("Enter");
    await page.getByText("ordered for 2 computers").waitFor();
    await page.getByText(/begins 5 Dec 2098/).waitFor();
    const [job] = site.server.jobs.listJobs();
    assert.ok(job !== undefined);
    assert.equal(job.schedule?.at, "2098-12-05T18:00");
    assert.equal(job.schedule.timeZone, "Europe/Berlin");
    assert.equal(job.windows.length, 1);
    assert.equal(job.concurrency, 1);
    assert.deepEqual(faults, []);
  },
);

test("console: axe finds nothing serious in the dialogs", { skip, timeout: 300_000 }, async (t) => {
  const { site, page } = await openRoom(t, { count: 2 });
  const { url } = site.console;
  await logInByPage(page, url, "ann", password);
  await dataRow(page, "SIM00002").waitFor();
  const found: string[] = [];
  const look = async (name: string): Promise<void> => {
    await page.getByRole("dialog").first().waitFor();
    found.push(...(await findFaults(page, name)));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  };
  await dataRow(page, "SIM00001").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Wake" }).waitFor();
  found.push(...(await findFaults(page, "menu of a computer")));
  await page.getByRole("menuitem", { name: "Agent settings …" }).click();
  await look("agent settings");
  await dataRow(page, "SIM00001").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Forget …" }).click();
  await look("forget");
  await page.getByRole("button", { name: "Deploy lab-image" }).click();
  await look("deploy");
  await page.getByRole("link", { name: "Images" }).click();
  for (const name of ["Import …", "Export …", "Remove …"]) {
    await page.getByRole("button", { name }).click();
    await look(name);
  }
  await page.getByRole("link", { name: "Plan" }).click();
  await page.getByRole("button", { name: "Name a segment …" }).click();
  await look("segment");
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("heading", { name: "People and tokens" }).waitFor();
  for (const button of await page.locator(".page-actions button").all()) {
    await button.click();
    await look("people");
  }
  await page.getByRole("button", { name: /^ann/ }).click();
  await page.getByRole("menuitem", { name: "Change my password" }).click();
  await look("password");
  assert.deepEqual(found, []);
});
