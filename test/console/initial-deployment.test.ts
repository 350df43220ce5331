import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobResource } from "#api/job-api.ts";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, openRoom, password } from "./console-room.ts";
import { ask } from "./console-site.ts";
import { until } from "./limited-site.ts";

const skip = browserObstacle() ?? false;

test(
  "console: what new computers get is edited beside what their screen will show, and comes about",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 1 });
    const { server } = site;
    const make = async (name: string, task: object): Promise<string> => {
      const headers = { authorization: `Bearer ${server.adminToken}` };
      const body = { name, tasks: [task] };
      const { status, json, text } = await ask(site, "/api/v1/jobs", { method: "POST", headers, body });
      assert.equal(status, 200, text);
      return (json as JobResource).id;
    };
    const stock = await make("Take stock", { kind: "inventory" });
    const erase = await make("Lab image", { kind: "deploy-image", image: "lab-image", disk: "only-disk" });
    await logInByPage(page, site.console.url, "ann", password);
    await dataRow(page, "SIM00001").waitFor();
    await page.getByRole("link", { name: "Boot", exact: true }).click();
    await page.getByRole("link", { name: "Initial Deployment" }).click();
    const screen = page.getByLabel("What its screen shows");
    await screen.getByText("It waits in preboot for an operator").waitFor();

    await page.getByRole("radio", { name: /shows a menu/ }).check();
    await page.getByLabel("Add a job …").selectOption({ label: "Take stock" });
    await page.getByLabel("Add a job …").selectOption({ label: "Lab image" });
    await page.getByRole("button", { name: "Move Lab image up" }).click();
    await page.getByLabel("Seconds").fill("45");
    await page.getByLabel("Default", { exact: true }).selectOption({ label: "Lab image" });
    await page.getByText(/the default job Lab image erases disks, so it is not taken/).waitFor();
    assert.match(
      String(await screen.textContent()),
      /> 1 {2}Lab image {2}\(erases the disk\)\n {2}2 {2}Take stock/,
    );
    assert.match(String(await screen.textContent()), /It waits for you\./);
    await page.getByLabel("The default may erase disks with nobody at the computer").check();
    assert.match(String(await screen.textContent()), /In 45 s it takes: Lab image\./);
    await page.getByLabel("Default", { exact: true }).selectOption({ label: "Take stock" });
    assert.deepEqual(await findFaults(page, "Initial Deployment"), []);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("New computers get this from now on").waitFor();
    const settings = server.settings.current();
    assert.deepEqual(
      [
        settings["initialDeployment.action"],
        settings["initialDeployment.jobs"],
        settings["initialDeployment.default"],
        settings["initialDeployment.menuMs"],
        settings["initialDeployment.mayErase"],
      ],
      ["menu", [erase, stock], stock, 45_000, true],
    );

    const [computer] = server.registry.list();
    assert.ok(computer !== undefined);
    await server.registry.approve(computer.id);
    await server.control.reconsider();
    await until(() => server.initial.list().length > 0, "the computer before its menu");
    await page.reload();
    await page
      .getByRole("listitem")
      .filter({ hasText: "SIM00001" })
      .getByText("shows the menu", { exact: true })
      .waitFor();
    assert.deepEqual(faults, []);
  },
);

test(
  "console: a viewer reads what new computers get and changes nothing",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page } = await openRoom(t, { count: 0 });
    await logInByPage(page, site.console.url, "vic", password);
    await page.goto(`${site.console.url}/boot/initial`);
    await page.getByText("needs the role administrator; you are viewer").waitFor();
    await page.getByRole("radio").nth(3).waitFor();
    const radios = await page.getByRole("radio").all();
    assert.equal(radios.length, 4);
    for (const radio of radios) {
      assert.equal(await radio.isDisabled(), true);
    }
  },
);
