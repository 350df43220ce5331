import assert from "node:assert/strict";
import { test } from "node:test";
import { browserObstacle, logInByPage } from "./browser.ts";
import {
  dataRow,
  makeFirstAccount,
  openRoom,
  password,
  waitForComputers,
  waitForPreboot,
} from "./console-room.ts";
import { startSite } from "./console-site.ts";

const skip = browserObstacle() ?? false;

test(
  "console: the first account is made with the link of the terminal",
  { skip, timeout: 180_000 },
  async (t) => {
    const site = await startSite(t);
    const page = await makeFirstAccount(t, site);
    await page.getByRole("link", { name: "First steps" }).click();
    await page.getByRole("heading", { name: "Boot a computer" }).waitFor();
    assert.equal(await site.server.accounts.needsFirstUser(), false);
  },
);

test(
  "console: pending computers are approved, an image is dragged onto two of them, and both are seen done",
  { skip, timeout: 300_000 },
  async (t) => {
    // Disks so slow that imaging is seen under way, however late the page looks.
    const { site, page, faults } = await openRoom(t, { count: 3, writeDelayMs: 1500 });
    const { jobs } = site.server;
    await logInByPage(page, site.console.url, "ann", password);
    await waitForComputers(page, 3);
    await dataRow(page, "SIM00001").click();
    await page.keyboard.press("Control+a");
    await page.getByRole("button", { name: "Approve 3" }).click();
    await waitForPreboot(page, 3);
    await dataRow(page, "SIM00001").click();
    await dataRow(page, "SIM00002").click({ modifiers: ["Control"] });
    await page.getByRole("button", { name: "Deploy lab-image" }).dragTo(dataRow(page, "SIM00002"));
    const dialog = page.getByRole("dialog", { name: "Deploy lab-image" });
    await dialog.getByText("Everything on the disks of these computers will be erased").waitFor();
    assert.deepEqual(await dialog.getByRole("listitem").locator("strong").allTextContents(), [
      "SIM00001",
      "SIM00002",
    ]);
    assert.match(await dialog.textContent().then(String), /serial DISK00001/);
    await dialog.getByRole("button", { name: "Erase and deploy 2 computers" }).click();
    await page.getByText("ordered for 2 computers").waitFor();
    const details = page.getByRole("region", { name: "Details" });
    await details.getByText("imaging", { exact: true }).nth(1).waitFor();
    await details.getByText("100 %").nth(1).waitFor();
    // The job itself, and each of both.
    await details.getByText("done", { exact: true }).nth(2).waitFor();
    await dataRow(page, "SIM00001").getByText("Running").waitFor();
    await dataRow(page, "SIM00002").getByText("Running").waitFor();
    const [job] = jobs.listJobs();
    assert.ok(job !== undefined);
    assert.deepEqual(
      jobs.runsOf(job.id).map(({ state }) => state),
      ["done", "done"],
    );
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.getByText("2 / 2 joined").waitFor();
    assert.deepEqual(faults, []);
  },
);

test(
  "console: a changed transfer port shows what opens and closes, then the plan has it",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    await logInByPage(page, site.console.url, "ann", password);
    await page.getByRole("link", { name: "Options" }).click();
    await page.getByRole("link", { name: "Transfer", exact: true }).click();
    await page.getByLabel("transfer.port", { exact: true }).fill("47999");
    const effect = page.locator(".effect");
    await effect.getByText("TCP 47999").waitFor();
    assert.match(String(await effect.textContent()), /Closed.*TCP 1025–65535/s);
    await effect.getByText("TCP 127.20.0.0/24 → 127.20.0.1 47999").waitFor();
    await page.getByLabel("transfer.port", { exact: true }).fill("banana");
    await effect.getByText(/is refused: it must be a port/).waitFor();
    assert.equal(await page.getByRole("button", { name: /^Apply/ }).isDisabled(), true);
    await page.getByLabel("transfer.port", { exact: true }).fill("47999");
    await page.getByRole("button", { name: "Apply 1 change" }).click();
    await page.getByText("The settings are changed").waitFor();
    assert.equal(site.server.settings.current()["transfer.port"], 47_999);
    await page.getByRole("link", { name: "Plan" }).click();
    await page.getByRole("link", { name: "Flows" }).click();
    await page.getByRole("row").filter({ hasText: "transfer.data" }).getByText("TCP 47999").waitFor();
    assert.deepEqual(faults, []);
  },
);

test("console: a viewer sees everything and can change nothing", { skip, timeout: 180_000 }, async (t) => {
  const { site, page, faults } = await openRoom(t, { count: 1 });
  await logInByPage(page, site.console.url, "vic", password);
  await dataRow(page, "SIM00001").waitFor();
  await dataRow(page, "SIM00001").click();
  assert.equal(await page.getByRole("button", { name: "Approve" }).isDisabled(), true);
  assert.equal(await page.getByRole("button", { name: "Deploy lab-image" }).isDisabled(), true);
  assert.equal(await dataRow(page, "SIM00001").getAttribute("draggable"), "false");
  assert.equal(await page.getByRole("link", { name: "Audit" }).count(), 0);
  await page.getByRole("link", { name: "Options" }).click();
  await page.getByText("needs the role administrator; you are viewer").waitFor();
  assert.equal(await page.getByRole("textbox").first().isDisabled(), true);
  await page.goto(`${site.console.url}/audit`);
  await page.getByText(/needs the role administrator/).waitFor();
  const [computer] = site.server.registry.list();
  assert.equal(computer?.state, "pending");
  await site.server.registry.approve(computer.id);
  await site.server.control.reconsider();
  const reason = "needs the role operator; you are viewer";
  await page.goto(`${site.console.url}/computers/${computer.id}`);
  const terminal = page.getByRole("button", { name: "Terminal" });
  await terminal.waitFor();
  assert.deepEqual([await terminal.isDisabled(), await terminal.getAttribute("title")], [true, reason]);
  await page.getByRole("link", { name: "Files" }).click();
  const files = page.getByRole("button", { name: "Open the files" });
  await files.waitFor();
  assert.deepEqual([await files.isDisabled(), await files.getAttribute("title")], [true, reason]);
  await page.goto(`${site.console.url}/computers/${computer.id}/settings`);
  const settings = page.getByRole("button", { name: "Change …" });
  await settings.waitFor();
  assert.equal(await settings.isDisabled(), true);
  // A page that asks all the same is refused by the server.
  const refused = await page.evaluate<string>(`new Promise((resolve) => {
    const path = "/api/v1/computers/${computer.id}/terminal?columns=80&rows=24";
    const proof = "portolan.proof." + localStorage.getItem("portolan.proof");
    const socket = new WebSocket("wss://" + location.host + path, ["portolan.v1", proof]);
    socket.onopen = () => resolve("opened");
    socket.onerror = () => resolve("refused");
  })`);
  assert.equal(refused, "refused");
  const entries = await site.server.audit.list({ limit: 50, actor: "vic" });
  assert.ok(entries.some(({ action, outcome }) => action === "open-terminal" && outcome === "refused"));
  // The browser says that the audit log was refused, as it should be.
  assert.deepEqual(
    faults.filter((fault) => !fault.includes("403")),
    [],
  );
});
