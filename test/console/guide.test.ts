import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startSimulatedRoom } from "#dev/simulated-room.ts";
import { findFaults } from "./axe.ts";
import { writeBuild } from "./boot-build.ts";
import { browserObstacle } from "./browser.ts";
import { dataRow, makeFirstAccount } from "./console-room.ts";
import { startSite } from "./console-site.ts";

const skip = browserObstacle() ?? false;

test(
  "console: the first steps are walked from the link of the terminal to a computer that has booted and has its image",
  { skip, timeout: 300_000 },
  async (t) => {
    const site = await startSite(t);
    const { dataDir } = site.server.config;
    const page = await makeFirstAccount(t, site);

    const steps = page.getByRole("main").getByRole("listitem");
    const openGuide = async (doneCount: number): Promise<void> => {
      await page.getByRole("link", { name: "First steps", exact: true }).click();
      await steps
        .getByText("done", { exact: true })
        .nth(doneCount - 1)
        .waitFor();
      assert.equal(await steps.getByText("done", { exact: true }).count(), doneCount);
    };
    await openGuide(2);
    await steps.getByText("portolan boot build").waitFor();
    writeBuild(dataDir, { vmlinuz: "kernel", "initrd.img": "drivers", "preboot.squashfs": "system" });
    await page.reload();
    await openGuide(3);

    const [computer] = startSimulatedRoom(site, { count: 1, writeDelayMs: 5, areInstalled: false });
    t.after(() => computer?.stop());
    await steps.getByText("done", { exact: true }).nth(3).waitFor();
    await page.getByRole("link", { name: "Open the computers" }).click();
    await dataRow(page, "SIM00001").click();
    await page.getByRole("button", { name: "Approve" }).click();
    await dataRow(page, "SIM00001").getByText("In preboot").waitFor();
    await openGuide(5);

    const path = join(dataDir, "disk.raw");
    writeFileSync(path, Buffer.alloc(4 * 2 ** 20, "portolan"));
    await page.getByRole("link", { name: "Open the images" }).click();
    await page.getByRole("button", { name: "Import …" }).click();
    const dialog = page.getByRole("dialog", { name: "Import a disk" });
    await dialog.getByLabel("Path on the server").fill(path);
    await dialog.getByLabel("Name").fill("lab");
    await dialog.getByRole("button", { name: "Import" }).click();
    await page.getByRole("region", { name: "lab" }).waitFor();
    await openGuide(6);

    await page.getByRole("link", { name: "Computers", exact: true }).click();
    await page.getByRole("button", { name: "Deploy lab" }).dragTo(dataRow(page, "SIM00001"));
    await page.getByRole("button", { name: "Erase and deploy 1 computer" }).click();
    await dataRow(page, "SIM00001").getByText("Running").waitFor();
    await openGuide(7);
    await page.getByText("This site works").waitFor();
    assert.deepEqual(await findFaults(page, "first steps"), []);
    assert.deepEqual(
      site.server.registry.list().map(({ deployedAtMs }) => deployedAtMs !== null),
      [true],
    );
  },
);
