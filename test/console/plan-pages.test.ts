import assert from "node:assert/strict";
import { test } from "node:test";
import { browserObstacle } from "./browser.ts";
import { openBlockedVerify } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: a blocked TFTP port is a red cell with its cause and the line that mends it",
  { skip, timeout: 300_000 },
  async (t) => {
    const { page, faults } = await openBlockedVerify(t);
    await page.getByRole("button", { name: "Verify now" }).click();
    const row = page.getByRole("row").filter({ hasText: "boot.tftp" }).first();
    const cell = row.getByRole("button", { name: "blocked" }).first();
    await cell.waitFor({ timeout: 120_000 });
    const end = page.getByRole("status").filter({ hasText: "verify every segment" });
    await end.getByText("Faults found").waitFor();
    assert.match(String(await end.textContent()), /[1-9]\d* faults? in \d+ cells/);
    const bar = end.getByRole("progressbar");
    assert.equal(await bar.getAttribute("class"), "progress progress-bad");
    await cell.click();
    const details = page.locator(".cell-details");
    await details.getByRole("heading", { name: "Remedy" }).waitFor();
    assert.match(String(await details.locator("pre").textContent()), /69/);
    assert.match(String(await details.textContent()), /Cause/);
    await page.getByRole("link", { name: "Map" }).click();
    await page.locator(".chart-blocked").first().waitFor({ state: "attached" });
    await page.getByRole("link", { name: "Rules to hand out" }).click();
    await page.locator("pre").filter({ hasText: "table inet portolan_room_a" }).first().waitFor();
    assert.deepEqual(faults, []);
  },
);
