import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, openRoom, password, waitForComputers } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: a filter is kept under a name, within its group, and is there again",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 4 });
    const { groups, registry } = site.server;
    await logInByPage(page, site.console.url, "ann", password);
    await waitForComputers(page, 4);
    const lab = await groups.add({ name: "LAB1", parent: null });
    const names = ["SIM00001", "SIM00002"];
    const ids = registry.list().filter(({ name }) => names.includes(name));
    await groups.move(
      ids.map(({ id }) => id),
      lab.id,
    );
    const pane = page.getByRole("navigation", { name: "Groups and filters" });
    const entry = (name: string) => pane.getByRole("button", { name, exact: true });
    await page.reload();
    await entry("LAB1 2").click();
    await page.getByRole("searchbox").fill("127.10.0");
    await page.getByRole("button", { name: "Keep …" }).click();
    const dialog = page.getByRole("dialog", { name: "Keep this filter" });
    await dialog.getByText("Computers with “127.10.0” in LAB1").waitFor();
    await dialog.getByLabel("Name").fill("Left row");
    assert.deepEqual(await findFaults(page, "filter"), []);
    await dialog.getByRole("button", { name: "Keep the filter" }).click();
    await entry("Left row 1").waitFor();
    await page.reload();
    await entry("Left row 1").click();
    await dataRow(page, "SIM00004").waitFor({ state: "detached" });
    assert.equal(await page.getByRole("grid", { name: "Computers" }).getByRole("row").count(), 2);
    await pane.getByRole("button", { name: "Remove the filter Left row" }).click();
    await entry("Left row 1").waitFor({ state: "detached" });
    await page.reload();
    await entry("LAB1 2").waitFor();
    assert.equal(await entry("Left row 1").count(), 0);
    assert.deepEqual(faults, []);
  },
);
