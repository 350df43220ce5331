import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import axe from "axe-core";
import type { CDPSession, Page } from "playwright-core";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { browserObstacle, logInByPage, logOutByPage, openBrowser } from "./browser.ts";
import { ask, startSite } from "./console-site.ts";

const skip = browserObstacle() ?? false;
const password = "correct horse battery";

type KeySite = {
  readonly site: SimulatedSite;
  readonly page: Page;
  /** Where the browser opens the console: by name, as keys need. */
  readonly url: string;
  readonly faults: string[];
  readonly chrome: CDPSession;
};

/** A site whose console has a name, and a browser for it. Chromium takes no keys where a certificate is not trusted, but at localhost. */
async function openKeySite(t: TestContext): Promise<KeySite> {
  const site = await startSite(t);
  await site.server.settings.set("console.name", "localhost");
  await site.server.accounts.createUser({ name: "ann", role: "administrator", password });
  const browser = await openBrowser();
  t.after(() => browser.close(!t.passed));
  const page = await browser.context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  const chrome = await browser.context.newCDPSession(page);
  await chrome.send("WebAuthn.enable");
  return { site, page, faults, chrome, url: site.console.url.replace("127.0.0.1", "localhost") };
}

/** Chromium's own authenticator, in software. @param checksOwner as one with a PIN or a finger */
async function plugIn(chrome: CDPSession, checksOwner: boolean): Promise<string> {
  const { authenticatorId } = await chrome.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: checksOwner ? "internal" : "usb",
      hasResidentKey: checksOwner,
      hasUserVerification: checksOwner,
      isUserVerified: checksOwner,
      automaticPresenceSimulation: true,
    },
  });
  return authenticatorId;
}

async function openMenu(page: Page, item: string): Promise<void> {
  await page.getByRole("button", { name: "ann" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

/** Adds the key that is plugged in; the recovery codes that were shown. */
async function addKey(page: Page, name: string): Promise<string[]> {
  await openMenu(page, "Security keys");
  const dialog = page.getByRole("dialog", { name: "Security keys" });
  await dialog.getByLabel("Name of a new key").fill(name);
  await dialog.getByLabel("Password now").fill(password);
  await dialog.getByRole("button", { name: "Add a key" }).click();
  await dialog.getByText("Keep these recovery codes").waitFor();
  const codes = ((await dialog.locator("pre").textContent()) ?? "").split("\n");
  await dialog.getByRole("button", { name: "Close" }).click();
  return codes;
}

async function giveNameAndPassword(page: Page): Promise<void> {
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

test(
  "security keys: one is added, asked for beside the password, shown and removed",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, url, faults, chrome } = await openKeySite(t);
    await plugIn(chrome, false);
    await logInByPage(page, url, "ann", password);
    const codes = await addKey(page, "blue key");
    assert.equal(codes.length, 10);
    await logOutByPage(page, "ann");

    await giveNameAndPassword(page);
    await page.getByLabel("Code of your authenticator").waitFor();
    await page.getByRole("button", { name: "Use a security key" }).click();
    await page.getByRole("main", { name: "Computers" }).waitFor();

    await openMenu(page, "Security keys");
    const dialog = page.getByRole("dialog", { name: "Security keys" });
    await dialog.getByText("blue key", { exact: true }).waitFor();
    await page.evaluate(axe.source);
    const found = await page.evaluate<axe.AxeResults>("axe.run(document.querySelector('dialog[open]'))");
    assert.deepEqual(
      found.violations.map(({ id }) => id),
      [],
    );
    await dialog.getByRole("button", { name: "Remove the security key blue key" }).click();
    await dialog.getByText("do not belong together").waitFor();
    await dialog.getByLabel("Password now").fill(password);
    await dialog.getByRole("button", { name: "Remove the security key blue key" }).click();
    await dialog.getByText("There is none yet").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await logOutByPage(page, "ann");
    await giveNameAndPassword(page);
    await page.getByRole("main", { name: "Computers" }).waitFor();

    const entries = await site.server.audit.list({ limit: 100 });
    const done = entries
      .filter(({ outcome }) => outcome === "done")
      .map(({ action, actor }) => `${actor} ${action}`);
    for (const action of ["addMySecurityKey", "finishKeyLogin", "removeMySecurityKey"]) {
      assert.ok(done.includes(`ann ${action}`), `${action} is audited with who it was`);
    }
    assert.ok(!JSON.stringify(entries).includes("clientDataJSON"));
    assert.deepEqual(faults, []);
  },
);

test(
  "security keys: a passkey that checks its owner opens the console alone; one that does not is refused",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, url, faults, chrome } = await openKeySite(t);
    const authenticatorId = await plugIn(chrome, true);
    await logInByPage(page, url, "ann", password);
    const codes = await addKey(page, "laptop");
    await logOutByPage(page, "ann");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("main", { name: "Computers" }).waitFor();
    await logOutByPage(page, "ann");

    await chrome.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByText("The key gave no answer").waitFor();

    await giveNameAndPassword(page);
    await page.getByLabel("Code of your authenticator").fill(codes[3] ?? "");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("main", { name: "Computers" }).waitFor();
    assert.deepEqual(await site.server.accounts.factors.listUsers(), [
      (await site.server.accounts.requireUser("ann")).id,
    ]);
    assert.deepEqual(faults, []);
  },
);

type Given = { readonly id: string; readonly response: Record<string, string> };

/** What the page would send, taken from its browser instead. */
function answerChallenge(page: Page, changed: Record<string, unknown>): Promise<Given> {
  return page.evaluate(async (changes) => {
    const begun = await fetch("/api/v1/login/key/begin", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({}),
    });
    const options = { ...((await begun.json()) as object), ...changes };
    // oxlint-disable-next-line no-undef -- runs in the page
    const { PublicKeyCredential, navigator } = globalThis as never as {
      PublicKeyCredential: { parseRequestOptionsFromJSON(value: unknown): unknown };
      navigator: { credentials: { get(value: unknown): Promise<{ toJSON(): unknown }> } };
    };
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON() as Given;
  }, changed);
}

test(
  "security keys: an answer counts once, for its own challenge, at its own name, with its owner checked",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, url, chrome } = await openKeySite(t);
    const authenticatorId = await plugIn(chrome, true);
    await logInByPage(page, url, "ann", password);
    await addKey(page, "laptop");
    await logOutByPage(page, "ann");
    const send = async (credential: Given): Promise<[number, string]> => {
      const answer = await ask(site, "/api/v1/login/key", { method: "POST", body: { credential } });
      const { code = "", detail = "" } = answer.json as { code?: string; detail?: string };
      return [answer.status, `${code} ${detail}`];
    };
    const good = await answerChallenge(page, {});
    assert.equal((await send(good))[0], 200);
    const [again, why] = await send(good);
    assert.equal(again, 401);
    assert.match(why, /bad-key .*has answered already/);

    const own = Buffer.from("a challenge of somebody else").toString("base64url");
    assert.match((await send(await answerChallenge(page, { challenge: own })))[1], /was not asked for this/);

    await chrome.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    const unchecked = await answerChallenge(page, { userVerification: "discouraged" });
    assert.match((await send(unchecked))[1], /[Uu]ser.*verif/);
    await chrome.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });

    const damaged = await answerChallenge(page, {});
    const data = damaged.response["authenticatorData"] ?? "";
    const other = { ...damaged.response, authenticatorData: `${data.slice(0, -2)}AA` };
    assert.equal((await send({ ...damaged, response: other }))[0], 401);

    const moved = await answerChallenge(page, {});
    await site.server.settings.set("console.name", "elsewhere.example.org");
    assert.match((await send(moved))[1], /belongs to no account here/);
    await site.server.settings.set("console.name", "none");
    assert.match((await send(moved))[1], /no-host-name .*console\.name/);

    const entries = await site.server.audit.list({ limit: 100, action: "finishKeyLogin" });
    assert.deepEqual(
      entries.map(({ outcome }) => outcome),
      ["failed", "refused", "refused", "refused", "refused", "refused", "done"],
    );
  },
);
