import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { computeCode, stepAt } from "#server/accounts/one-time-code.ts";
import { browserObstacle, logInByPage, logOutByPage, openBrowser } from "./browser.ts";
import { startSite } from "./console-site.ts";

const skip = browserObstacle() ?? false;
const password = "correct horse battery";

test(
  "console: an authenticator is added by its picture, asked for at the login, and reset by an administrator",
  { skip, timeout: 180_000 },
  async (t) => {
    const site = await startSite(t);
    const { accounts, clock } = site.server;
    await accounts.createUser({ name: "ann", role: "administrator", password });
    const browser = await openBrowser();
    t.after(() => browser.close(!t.passed));
    const page = await browser.context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    await logInByPage(page, site.console.url, "ann", password);
    await page.getByRole("button", { name: "ann" }).click();
    await page.getByRole("menuitem", { name: "Second factor" }).click();
    const dialog = page.getByRole("dialog", { name: "Second factor" });
    await dialog.getByLabel("Password now").fill(password);
    await dialog.getByRole("button", { name: "Add an authenticator" }).click();
    await dialog.getByRole("img", { name: /picture for an authenticator/ }).waitFor();
    const secret = (await dialog.locator("pre").textContent()) ?? "";
    assert.match(secret, /^[A-Z2-7]{32}$/);
    await page.evaluate(axe.source);
    const found = await page.evaluate<axe.AxeResults>("axe.run(document.querySelector('dialog[open]'))");
    assert.deepEqual(
      found.violations.map(({ id }) => id),
      [],
    );
    const step = stepAt(clock.epochMs());
    await dialog.getByLabel("Code").fill(computeCode(secret, step));
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByText("Keep these recovery codes").waitFor();
    const codes = ((await dialog.locator("pre").textContent()) ?? "").split("\n");
    assert.equal(codes.length, 10);
    await dialog.getByRole("button", { name: "Close" }).click();

    await logOutByPage(page, "ann");
    await page.getByLabel("Name").fill("ann");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    const code = page.getByLabel("Code of your authenticator");
    await code.fill("123");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("this code is not right").waitFor();
    await code.fill(codes[0] ?? "");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("main", { name: "Computers" }).waitFor();

    await accounts.createUser({ name: "bob", role: "administrator", password });
    await logOutByPage(page, "ann");
    await logInByPage(page, site.console.url, "bob", password);
    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("button", { name: "Reset the second factor of ann" }).click();
    await page.getByText("ann logs in by password alone").waitFor();
    assert.deepEqual(await accounts.factors.listUsers(), []);
    assert.deepEqual(faults, []);
  },
);
