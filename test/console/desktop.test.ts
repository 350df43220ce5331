import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { VirtualDisplay } from "../agent/virtual-display.ts";
import { until } from "../agent/agent-site.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";
import { startRealAgent } from "./real-agent.ts";

const skip =
  browserObstacle() ?? networkTestObstacle("Xvfb", "xauth", "x11vnc", "xdotool", "xsetroot") ?? false;

/** Lets the one computer in, and opens the window of its desktop. */
async function openDesktop(site: SimulatedSite, page: Page): Promise<Page> {
  await logInByPage(page, site.console.url, "ann", password);
  await page.getByRole("grid", { name: "Computers" }).getByText("Waits for approval").click();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("region", { name: "Details" }).getByText("Running").waitFor();
  await page.getByRole("link", { name: "Open" }).click();
  const [desktop] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "Desktop" }).click(),
  ]);
  return desktop;
}

test(
  "console: the desktop of a real agent's computer is seen in the browser, and its pointer follows",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    const display = await VirtualDisplay.start(t, site.server.config.dataDir);
    display.run("xsetroot", "-solid", "#12ab56");
    startRealAgent(t, site, { remoteDisplay: display.name });
    const desktop = await openDesktop(site, page);
    desktop.on("pageerror", (error) => faults.push(error.message));
    const name = site.server.registry.list()[0]?.name ?? "";
    await desktop.getByRole("status").filter({ hasText: name }).waitFor();
    assert.equal(await desktop.title(), `${name} – Desktop – Portolan`);
    // Text: this program knows no types of a browser.
    const readMiddle = `(() => {
      const canvas = document.querySelector("#remote canvas");
      return canvas === null ? "" : canvas.getContext("2d")
        .getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data.join(",");
    })()`;
    const middle = (): Promise<unknown> => desktop.evaluate(readMiddle);
    await until(async () => (await middle()) === "18,171,86,255");
    const box = await desktop.locator("#remote canvas").boundingBox();
    assert.ok(box !== null);
    await desktop.mouse.move(box.x + box.width / 4, box.y + box.height / 2);
    await until(() => /^1[56][0-9],2[34][0-9]$/.test(display.pointer()));
    assert.deepEqual(faults, []);
    const entries = await site.server.audit.list({ limit: 50, actor: "ann" });
    assert.ok(entries.some(({ action, outcome }) => action === "open-desktop" && outcome === "done"));
  },
);

test(
  "console: a desktop whose key is wrong says why it is not shown, and not only that it has ended",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page } = await openRoom(t, { count: 0 });
    const display = await VirtualDisplay.start(t, site.server.config.dataDir);
    writeFileSync(join(site.server.config.dataDir, "Xauthority"), "");
    startRealAgent(t, site, { remoteDisplay: display.name });
    const closed = new Promise((resolve) => {
      page
        .context()
        .once("page", (opened) => opened.once("websocket", (socket) => socket.once("close", resolve)));
    });
    const desktop = await openDesktop(site, page);
    const state = desktop.getByRole("status");
    await state.filter({ hasText: /^x11vnc: / }).waitFor();
    await until(() => site.server.management.remote.list().length === 0);
    await closed;
    assert.match((await state.textContent()) ?? "", /^x11vnc: /);
  },
);
