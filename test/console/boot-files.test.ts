import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { writeBuild } from "./boot-build.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: a new build of the boot files is seen, not served before somebody says so, and then served",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    const { boot, config } = site.server;
    await logInByPage(page, site.console.url, "ann", password);
    await page.goto(`${site.console.url}/boot/files`);
    await page.getByText("No boot files yet").waitFor();
    writeBuild(config.dataDir, { vmlinuz: "kernel", "initrd.img": "drivers" });
    await page.reload();
    await page.getByText("6.12.9-test").waitFor();
    const state = (name: string) => page.getByRole("row").filter({ hasText: name }).last();
    await state("vmlinuz").getByText("not served").waitFor();
    assert.equal(boot.files.find("vmlinuz"), null);
    await page.getByRole("button", { name: "Serve what was built" }).click();
    await page.getByText("Network boot serves 2 files now").waitFor();
    await state("vmlinuz").getByText("served", { exact: true }).waitFor();
    assert.deepEqual(Buffer.from(boot.files.find("vmlinuz")?.bytes ?? []), Buffer.from("kernel"));
    assert.deepEqual(await findFaults(page, "boot files"), []);

    writeBuild(config.dataDir, { vmlinuz: "newer kernel", "initrd.img": "drivers" });
    writeFileSync(join(config.dataDir, "boot", "initrd.img"), "damaged");
    await page.reload();
    await state("vmlinuz").getByText("not served").waitFor();
    await page.getByRole("button", { name: "Serve what was built" }).click();
    await page.getByText(/initrd\.img is not the file of the manifest; run: portolan boot build/).waitFor();
    await state("vmlinuz").getByText("served", { exact: true }).waitFor();
    await state("initrd.img").getByText("not served").waitFor();
    assert.deepEqual(faults, []);
  },
);
