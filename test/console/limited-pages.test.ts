import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage, logOutByPage } from "./browser.ts";
import { dataRow, openRoom, password } from "./console-room.ts";
import { until } from "./limited-site.ts";

const skip = browserObstacle() ?? false;

test(
  "people page: an account is limited to a group, and its console shows and offers what is in it",
  { skip, timeout: 240_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 3 });
    const { registry, groups, accounts } = site.server;
    await until(() => registry.list().length === 3, "every computer");
    const inside = registry.require("SIM00002");
    const lab = await groups.add({ name: "LAB1", parent: null });
    const row = await groups.add({ name: "Row 1", parent: "LAB1" });
    await groups.move([inside.id], row.id);

    await logInByPage(page, site.console.url, "ann", password);
    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("button", { name: "Add an account" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("joe");
    await dialog.getByLabel("Role").selectOption("operator");
    await dialog.getByLabel("Only computers in these groups").check();
    await dialog.getByLabel("Password").fill(password);
    assert.ok(
      await dialog.getByRole("button", { name: "Add an account" }).isDisabled(),
      "no group is chosen",
    );
    await dialog.getByLabel("LAB1/Row 1").check();
    assert.deepEqual(await findFaults(page, "account dialog"), []);
    await dialog.getByRole("button", { name: "Add an account" }).click();
    const joe = page.getByRole("row").filter({ hasText: "joe" });
    await joe.getByText("LAB1/Row 1").waitFor();
    await page.getByRole("button", { name: "Change the computers of joe" }).click();
    await dialog.getByLabel("LAB1", { exact: true }).check();
    await dialog.getByLabel("LAB1/Row 1").uncheck();
    await dialog.getByRole("button", { name: "Change" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual((await accounts.requireUser("joe")).groupIds, [lab.id]);
    assert.deepEqual(await findFaults(page, "people"), []);

    await logOutByPage(page, "ann");
    await logInByPage(page, site.console.url, "joe", password);
    await dataRow(page, "SIM00002").waitFor();
    assert.equal(await dataRow(page, "SIM0000").count(), 1);
    assert.equal(await page.getByRole("link", { name: "People" }).count(), 0);
    await dataRow(page, "SIM00002").getByText("Waits for approval").click();
    await page.getByRole("button", { name: "Approve" }).click();
    await until(() => registry.get(inside.id)?.state === "approved", "the approval");
    for (const name of ["Images", "Sessions", "Boot", "Options", "First steps", "Plan"]) {
      await page.getByRole("link", { name, exact: true }).first().click();
      await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
    }
    await page.getByRole("link", { name: "Verify", exact: true }).click();
    const verify = page.getByRole("button", { name: /^Verify/ });
    assert.ok(await verify.isDisabled());
    assert.match((await verify.getAttribute("title")) ?? "", /accounts of the whole site/);

    const closed = page.getByRole("status").filter({ hasText: "no connection" });
    await groups.move([inside.id], null);
    await page.getByRole("link", { name: "Computers" }).first().click();
    await page.getByText("No computer yet").waitFor();
    assert.equal(await closed.count(), 0);
    assert.deepEqual(faults, []);
  },
);
