import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage, openBrowser } from "./browser.ts";
import { until } from "./limited-site.ts";
import { providerSecret, startProviderSite } from "./login-provider.ts";

const skip = browserObstacle() ?? false;

test(
  "provider login: a browser goes to the provider and comes back logged in; who has no role is told so; logging out ends both",
  { skip, timeout: 180_000 },
  async (t) => {
    const { origin, issuer } = await startProviderSite(t);
    const browser = await openBrowser();
    t.after(() => browser.close(!t.passed));
    const page = await browser.context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    const signIn = async (name: string): Promise<void> => {
      await page.locator('input[name="login"]').fill(name);
      await page.locator('input[name="password"]').fill("any");
      await page.getByRole("button", { name: "Sign-in" }).click();
    };
    const logInAs = async (name: string): Promise<void> => {
      await page.goto(`${origin}/login`);
      await page.getByRole("button", { name: "Log in at your organisation" }).click();
      await signIn(name);
      // What the site is told of a person is asked once.
      await page.getByRole("button", { name: "Continue" }).click();
    };
    await logInAs("ann");
    await page.getByRole("main", { name: "Computers" }).waitFor();
    assert.ok(!page.url().includes("code="), page.url());
    await page.getByRole("button", { name: "ann operator" }).click();
    const again = page.getByRole("menuitem", { name: "Log in again" });
    await again.waitFor();
    assert.equal(await page.getByRole("menuitem", { name: "Change my password" }).count(), 0);
    await again.click();
    await signIn("ann");
    await page.getByRole("main", { name: "Computers" }).waitFor();
    await page.getByRole("button", { name: "ann operator" }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.waitForURL(`${issuer}/session/end**`);
    await page.getByRole("button", { name: "Yes, sign me out" }).click();
    await page.getByText("Sign-out Success").waitFor();

    await logInAs("bob");
    await page.getByText("none of your groups has a role here: staff").waitFor();
    await page.getByRole("link", { name: "Back to the login" }).click();
    await page.getByLabel("Password").waitFor();
    assert.deepEqual(faults, []);
  },
);

test(
  "provider login: an administrator keeps, replaces and forgets the provider's secret on the page, which never shows it",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, origin, issuer } = await startProviderSite(t);
    const password = "correct horse battery";
    await site.server.accounts.createUser({ name: "root", role: "administrator", password });
    const browser = await openBrowser();
    t.after(() => browser.close(!t.passed));
    const page = await browser.context.newPage();
    await logInByPage(page, origin, "root", password);
    await page.goto(`${origin}/options/login`);
    const card = page.getByRole("region", { name: "Login provider" });
    await card.getByText("One is kept.").waitFor();
    await card.getByText(issuer, { exact: true }).waitFor();
    assert.equal(await card.getByLabel("Client secret").inputValue(), "");
    assert.ok(!(await page.content()).includes(providerSecret));
    assert.deepEqual(await findFaults(page, "login provider"), []);

    await card.getByLabel("Client secret").fill("another that it gave us");
    await card.getByRole("button", { name: "Replace the secret" }).click();
    await page.getByText("The secret is kept").waitFor();
    assert.equal(await site.server.providerSecret.read(), "another that it gave us");
    const typed = card.getByLabel("Client secret");
    await until(async () => (await typed.inputValue()) === "", "the end of what was typed");
    await card.getByRole("button", { name: "Forget the secret" }).click();
    await card.getByText("None is kept.").waitFor();
    assert.equal(await site.server.providerSecret.read(), null);
    await card.getByLabel("Client secret").fill(providerSecret);
    await card.getByRole("button", { name: "Keep the secret" }).click();
    await card.getByText("One is kept.").waitFor();
    // That one is kept may be told before the answer to who kept it.
    await until(async () => (await typed.inputValue()) === "", "the answer");

    const entries = await site.server.audit.list({ limit: 100 });
    const written = entries.filter(({ action }) => action === "setProviderSecret");
    assert.deepEqual(
      written.map(({ actor, outcome }) => `${actor} ${outcome}`),
      ["root done", "root done", "root done"],
    );
    assert.doesNotMatch(JSON.stringify(entries), /another that it gave us|kept by the test's provider/);
  },
);
