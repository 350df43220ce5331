import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { importInstaller } from "#server/installer-import.ts";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: shows installers with what Secure Boot thinks of their kernels, where there are any",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    const { chunks, installers, packages } = site.server;
    await logInByPage(page, site.console.url, "ann", password);
    await page.goto(`${site.console.url}/images`);
    await page.getByRole("heading", { name: "Images", exact: true }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Installers" }).count(), 0);
    const folder = mkdtempSync(join(tmpdir(), "portolan-installers-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const [kernel, initrd] = [join(folder, "linux"), join(folder, "initrd.gz")];
    const head = Buffer.alloc(0x400);
    head.write("HdrS", 0x202);
    head.writeUInt16LE(0x100, 0x20e);
    head.write("6.1.0-37-amd64 (nobody)\0", 0x300);
    writeFileSync(kernel, head);
    writeFileSync(initrd, randomBytes(100_000));
    await importInstaller(
      { chunks, installers, packages },
      {
        ...{ name: "debian-12", kernel, initrd },
        ...{ description: "Debian 12, by preseed", commandLine: "auto=true priority=critical" },
      },
      1_795_000_000_000,
      () => undefined,
    );
    await page.reload();
    const card = page.getByRole("region", { name: "debian-12" });
    await card.getByText("the kernel is not signed and does not start there").waitFor();
    await card.getByText("auto=true priority=critical").waitFor();
    await card.getByText("6.1.0-37-amd64").waitFor();
    assert.deepEqual(await findFaults(page, "installers"), []);
    assert.deepEqual(faults, []);
  },
);
