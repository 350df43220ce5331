import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, openRoom, password, waitForComputers } from "./console-room.ts";
import { ask } from "./console-site.ts";
import { addSimulatedInstaller } from "./simulated-installer.ts";

const skip = browserObstacle() ?? false;

test(
  "console: shows installers with what Secure Boot thinks of their kernels, where there are any",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    await logInByPage(page, site.console.url, "ann", password);
    const listed = page.waitForResponse((response) => response.url().endsWith("/api/v1/installers"));
    await page.goto(`${site.console.url}/images`);
    await (await listed).finished();
    await page.getByRole("region", { name: "lab-image" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Installers" }).count(), 0);
    await addSimulatedInstaller(t, site, "debian-12");
    await page.reload();
    const card = page.getByRole("region", { name: "debian-12" });
    await card.getByText("the kernel is not signed and does not start there").waitFor();
    await card.getByText("auto=true priority=critical").waitFor();
    await card.getByText("6.1.0-37-amd64").waitFor();
    await page.getByText("drag Install … onto computers on the first page").waitFor();
    assert.deepEqual(await findFaults(page, "installers"), []);
    assert.deepEqual(faults, []);
  },
);

const answers = "d-i netcfg/get_hostname string {{hostName}}\nd-i netcfg/get_domain string {{domain}}\n";

test(
  "console: an installation is ordered by dragging, with answers from a file, and the dialog says what they lack",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 2 });
    await addSimulatedInstaller(t, site, "debian-12");
    await logInByPage(page, site.console.url, "ann", password);
    await waitForComputers(page, 2);
    const [computer] = site.server.registry.list().filter(({ name }) => name === "SIM00002");
    assert.ok(computer !== undefined);
    await site.server.registry.approve(computer.id);
    await site.server.control.reconsider();
    await dataRow(page, "SIM00002").getByText("In preboot").waitFor();
    await dataRow(page, "SIM00002").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Install debian-12" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Install debian-12" }).dragTo(dataRow(page, "SIM00002"));
    const dialog = page.getByRole("dialog", { name: "Install debian-12" });
    await dialog.getByText("Everything on this computer's disk will be erased.").waitFor();
    await dialog.getByText("Simulated NVMe 256").waitFor();
    const typed = dialog.getByLabel("Answers", { exact: true });
    const order = dialog.getByRole("button", { name: "Erase and install 1 computer" });
    await typed.fill("d-i passwd/username string {{user}}");
    await order.click();
    await dialog.getByText(/\{\{user\}\} is no variable; there are name, hostName/).waitFor();
    await dialog
      .getByLabel("Load a file …")
      .setInputFiles({ name: "lab.cfg", mimeType: "text/plain", buffer: Buffer.from(answers) });
    await page.waitForFunction("document.querySelector('dialog textarea').value.includes('netcfg')");
    assert.equal(await typed.inputValue(), answers);
    await order.click();
    await dialog.getByText("the answers name {{domain}}; say it with domain").waitFor();
    await dialog.getByLabel("Domain").fill("example.org");
    await dialog.getByText("Name of the answers, kernel arguments, time limit").click();
    await dialog.getByLabel("Name of the answers' file").fill("lab.cfg");
    await dialog.getByLabel("Further kernel arguments").fill("preseed/file=/lab.cfg");
    await dialog.getByLabel("Time limit").fill("90 min");
    assert.deepEqual(await findFaults(page, "install"), []);
    await order.click();
    await page.getByText("Install debian-12: ordered for 1 computer").waitFor();
    const headers = { authorization: `Bearer ${site.server.adminToken}` };
    const { json } = await ask(site, "/api/v1/jobs", { headers });
    const [job, other] = json as readonly { readonly name: string; readonly tasks: readonly object[] }[];
    assert.equal(other, undefined);
    assert.equal(job?.name, "Install debian-12");
    const [task] = job.tasks as readonly Record<string, unknown>[];
    assert.partialDeepStrictEqual(task, {
      ...{ kind: "deploy-installer", installerName: "debian-12", domain: "example.org" },
      ...{ timeoutMs: 5_400_000, answers: { fileName: "lab.cfg" } },
      commandLine: "auto=true priority=critical preseed/file=/lab.cfg",
    });
    assert.ok(!JSON.stringify(json).includes("netcfg"), "answers are never shown again");
    const [stored] = site.server.jobs.listJobs().flatMap(({ tasks }) => tasks);
    assert.partialDeepStrictEqual(stored, { answers: { template: answers } });
    await page.getByText("1 of 1 done").first().waitFor();
    // The browser says that two orders were refused, as they should be.
    assert.deepEqual(
      faults.filter((fault) => !fault.includes("400")),
      [],
    );
  },
);
