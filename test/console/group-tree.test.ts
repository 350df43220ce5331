import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, letIn, openRoom, password, waitForComputers } from "./console-room.ts";

const skip = browserObstacle() ?? false;

/** A group's row in the tree: its button says its name and how many computers are in it and in those nested. */
const folder = (page: Page, name: string, count: number): Locator =>
  page
    .getByRole("navigation", { name: "Groups and filters" })
    .getByRole("button", { name: `${name} ${count}`, exact: true });

test(
  "console: computers are dragged into a nested group, and work is dragged onto the group that holds it",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 4 });
    const { groups, registry, jobs } = site.server;
    await logInByPage(page, site.console.url, "ann", password);
    await letIn({ site, page }, 4);

    await page.getByRole("button", { name: "New group …" }).click();
    await page.getByRole("dialog", { name: "New group" }).getByLabel("Name").fill("Building A");
    await page.getByRole("button", { name: "Make the group" }).click();
    await folder(page, "Building A", 0).click({ button: "right" });
    await page.getByRole("menuitem", { name: "New group in it …" }).click();
    await page.getByRole("dialog", { name: "New group" }).getByLabel("Name").fill("LAB1");
    await page.getByRole("button", { name: "Make the group" }).click();
    await folder(page, "LAB1", 0).waitFor();
    const [, lab] = groups.list();
    assert.ok(lab !== undefined);

    await dataRow(page, "SIM00001").click();
    await dataRow(page, "SIM00002").click({ modifiers: ["Control"] });
    await dataRow(page, "SIM00002").dragTo(folder(page, "LAB1", 0));
    await page.getByText("2 computers are in Building A/LAB1 now").waitFor();
    await folder(page, "Building A", 2).waitFor();
    await folder(page, "In no group", 2).waitFor();
    const members = registry.list().filter(({ id }) => groups.groupOf(id) === lab.id);
    assert.equal(members.length, 2);

    await page.getByRole("button", { name: "Deploy lab-image" }).dragTo(folder(page, "Building A", 2));
    const dialog = page.getByRole("dialog", { name: "Deploy lab-image" });
    await dialog.getByRole("button", { name: "Erase and deploy 2 computers" }).click();
    await page.getByText("ordered for 2 computers").waitFor();
    const [job] = jobs.listJobs();
    assert.ok(job !== undefined);
    const given = jobs.runsOf(job.id).map(({ computerId }) => computerId);
    assert.deepEqual(given.toSorted(), members.map(({ id }) => id).toSorted());
    await page.getByRole("region", { name: "Details" }).getByText("100 %").nth(1).waitFor();
    await folder(page, "LAB1", 2).click();
    await dataRow(page, "SIM00003").waitFor({ state: "detached" });
    await dataRow(page, "SIM00004").waitFor({ state: "detached" });
    assert.equal(await dataRow(page, "SIM0000").count(), 2, "the list shows the group alone");
    assert.deepEqual(faults, []);
  },
);

test(
  "console: groups are made, filled, folded, given work, renamed and removed by keyboard and menu alone",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 2 });
    const { groups, registry } = site.server;
    const building = await groups.add({ name: "Building A", parent: null });
    await groups.add({ name: "LAB1", parent: building.id });
    await logInByPage(page, site.console.url, "ann", password);
    await waitForComputers(page, 2);
    for (const { id } of registry.list()) {
      await registry.approve(id);
    }
    const dialogs = page.getByRole("dialog");
    await page.getByRole("rowgroup", { name: "Computers" }).focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Shift+F10");
    await page.getByRole("menuitem", { name: "Move to a group …" }).press("Enter");
    const move = page.getByRole("dialog", { name: "Move 2 computers" });
    await move.getByLabel("Group").selectOption({ label: "Building A/LAB1" });
    assert.deepEqual(await findFaults(page, "move"), []);
    await move.getByRole("button", { name: "Move" }).press("Enter");
    await folder(page, "LAB1", 2).waitFor();
    // A key would go to the dialog: it closes when what is behind it has been read again.
    await dialogs.waitFor({ state: "detached" });
    assert.deepEqual(await findFaults(page, "tree"), []);

    await folder(page, "Building A", 2).press("ArrowLeft");
    await folder(page, "LAB1", 2).waitFor({ state: "detached" });
    await page.reload();
    await folder(page, "Building A", 2).waitFor();
    assert.equal(await folder(page, "LAB1", 2).count(), 0, "what is folded stays folded");
    await folder(page, "Building A", 2).press("ArrowRight");

    await folder(page, "LAB1", 2).press("Shift+F10");
    const restart = page.getByRole("menuitem", { name: "Restart" });
    await restart.waitFor();
    assert.deepEqual(await findFaults(page, "menu of a group"), []);
    await restart.press("Enter");
    await page.getByRole("dialog", { name: "Restart" }).getByText("SIM00002").waitFor();
    await page.keyboard.press("Escape");
    await dialogs.waitFor({ state: "detached" });

    await folder(page, "LAB1", 2).press("F2");
    const change = page.getByRole("dialog", { name: "The group LAB1" });
    await change.getByLabel("Name").fill("LAB2");
    await change.getByLabel("In", { exact: true }).selectOption({ label: "the top" });
    assert.deepEqual(await findFaults(page, "group"), []);
    await change.getByRole("button", { name: "Save" }).press("Enter");
    await page.getByText("The group is LAB2 now").waitFor();
    await dialogs.waitFor({ state: "detached" });
    await folder(page, "LAB2", 2).press("Delete");
    await page.getByRole("button", { name: "Remove the group" }).press("Enter");
    await page.getByText("The group LAB2 is removed").waitFor();
    assert.deepEqual(
      groups.list().map(({ id }) => id),
      [building.id],
    );
    await folder(page, "In no group", 2).waitFor();
    assert.deepEqual(faults, []);
  },
);

test("console: a viewer sees the groups and can change none", { skip, timeout: 180_000 }, async (t) => {
  const { site, page, faults } = await openRoom(t, { count: 1 });
  await site.server.groups.add({ name: "LAB1", parent: null });
  await logInByPage(page, site.console.url, "vic", password);
  await folder(page, "LAB1", 0).press("Shift+F10");
  await page.getByRole("menuitem", { name: "Remove …" }).waitFor();
  const items = await page.getByRole("menuitem").all();
  const states = await Promise.all(items.map((item) => item.getAttribute("aria-disabled")));
  assert.ok(states.length >= 6 && states.every((state) => state === "true"), states.join());
  await page.keyboard.press("Escape");
  await folder(page, "LAB1", 0).press("Delete");
  await page
    .getByRole("dialog", { name: "Remove the group LAB1" })
    .waitFor({ timeout: 1000 })
    .then(
      () => assert.fail("a viewer is not asked what the server would refuse"),
      () => undefined,
    );
  assert.equal(await page.getByRole("button", { name: "New group …" }).isDisabled(), true);
  assert.deepEqual(faults, []);
});
