import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle } from "./browser.ts";
import { openBlockedVerify } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: remedies are written for the device that is chosen beside Verify now, which is kept for the session",
  { skip, timeout: 300_000 },
  async (t) => {
    const { page, faults } = await openBlockedVerify(t);
    const device = page.getByLabel("Remedies for");
    assert.equal(await device.inputValue(), "nftables");
    await device.selectOption("iptables");
    const asked = page.waitForRequest((request) => request.url().endsWith("/plan/verify"));
    await page.getByRole("button", { name: "Verify now" }).click();
    assert.deepEqual((await asked).postDataJSON(), { format: "iptables" });
    const row = page.getByRole("row").filter({ hasText: "boot.tftp" }).first();
    await row.getByRole("button", { name: "blocked" }).first().click({ timeout: 120_000 });
    const remedy = page.locator(".cell-details pre");
    await remedy.waitFor();
    assert.match(String(await remedy.textContent()), /^-A PORTOLAN-ROOM-A .*--dports 69 .*-j ACCEPT$/m);
    assert.deepEqual(await findFaults(page, "verify"), []);
    await page.getByRole("link", { name: "Rules to hand out" }).click();
    assert.equal(await page.getByLabel("Format").inputValue(), "iptables");
    await page.reload();
    assert.equal(await page.getByLabel("Format").inputValue(), "iptables");
    assert.deepEqual(faults, []);
  },
);
