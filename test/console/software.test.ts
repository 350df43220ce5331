import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../agent/agent-site.ts";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";
import { startRealAgent } from "./real-agent.ts";

const skip = browserObstacle() ?? false;

test(
  "console: shows what a real agent says is installed and what changed, and sets who may take its computer over",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    const { registry, management } = site.server;
    startRealAgent(t, site);
    await logInByPage(page, site.console.url, "ann", password);
    await page.getByRole("grid", { name: "Computers" }).getByText("Waits for approval").click();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("region", { name: "Details" }).getByText("Running").waitFor();
    const [computer] = registry.list();
    assert.ok(computer !== undefined);
    const { id } = computer;
    await until(() => management.software.find(id) !== null);
    const told = management.software.find(id)?.software;
    assert.ok(told !== undefined && told.packages.length > 50, "this machine has packages");
    await page.goto(`${site.console.url}/computers/${id}/software`);
    await page.getByText(`${told.packages.length.toLocaleString("en")} packages`).waitFor();
    await page.getByLabel("Filter packages").fill("bash");
    await page.getByRole("grid", { name: "Packages" }).getByText("bash", { exact: true }).waitFor();
    await page.getByText("root", { exact: true }).waitFor();
    const less = { ...told, packages: told.packages.filter((one) => !one.startsWith("bash ")) };
    management.software.receive(id, less);
    const isNoted = ({ detail }: { readonly detail: string }): boolean =>
      detail.includes("package gone: bash");
    await until(async () => (await management.history.list(id)).some(isNoted));
    await page.reload();
    await page.getByText(/package gone: bash /).waitFor();
    assert.deepEqual(await findFaults(page, "software"), []);

    await page.getByRole("link", { name: "Settings", exact: true }).click();
    await page.getByRole("button", { name: "Change …" }).click();
    const dialog = page.getByRole("dialog", { name: "Agent settings of 1 computer" });
    await dialog.getByLabel("Remote control").selectOption({ label: "only if its user agrees" });
    await dialog.getByLabel("Tells its user of remote work").selectOption("on");
    assert.deepEqual(await findFaults(page, "agent settings"), []);
    await dialog.getByRole("button", { name: "Send to 1 agent" }).click();
    await page.getByText("applied", { exact: true }).waitFor();
    const running = page.getByRole("main");
    await running.getByText("only if its user agrees").first().waitFor();
    const settings = management.agentSettings.find(id).settings;
    assert.deepEqual([settings?.remoteControl, settings?.remoteNotice], ["ask", true]);
    assert.deepEqual(faults, []);
  },
);
