import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { Locator, Page } from "playwright-core";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import { type SimulatedSite, startSimulatedSite } from "#dev/simulated-site.ts";
import { logInByPage, openBrowser } from "#test/console/browser.ts";
import { startProvider } from "#test/console/login-provider.ts";
import type { TestEnd } from "#test/network-hosts.ts";
import { shoot, shootFailure, taken, type Theme } from "./screenshot-camera.ts";
import { startPictureComputer } from "./screenshot-computer.ts";
import {
  configuredPictures,
  findUnseenRoutes,
  pictures,
  requireAll,
  requireTabs,
} from "./screenshot-list.ts";
import { fillSite, giveBuild, giveInstallers } from "./screenshot-site.ts";
import { shootWindows } from "./screenshot-windows.ts";

const password = "pictures of a simulated site";

/** Approves all but two, and gives eight of them an image. */
async function giveWork(page: Page, site: SimulatedSite): Promise<void> {
  const { registry, control } = site.server;
  for (let tries = 0; registry.list().length < 24 && tries < 200; tries += 1) {
    await delay(100);
  }
  for (const computer of registry.list().slice(0, 22)) {
    await registry.approve(computer.id);
  }
  await control.reconsider();
  await fillSite(site);
  const grid = page.getByRole("grid", { name: "Computers" });
  await grid.getByText("In preboot").nth(8).waitFor();
  const row = (name: string) => grid.getByRole("row").filter({ hasText: name });
  await row("SIM00001").click();
  await row("SIM00008").click({ modifiers: ["Shift"] });
  await page.getByRole("button", { name: "Deploy lab-image", exact: true }).dragTo(row("SIM00004"));
  await page.getByRole("button", { name: "Erase and deploy 8 computers" }).waitFor();
}

/** What a visitor sees who is not logged in. */
async function shootOutside(page: Page, url: string, theme: Theme): Promise<void> {
  for (const name of ["login", "setup", "login-provider"]) {
    await page.goto(`${url}/${name.replace("-", "/")}`);
    await page.getByRole("heading").first().waitFor();
    await shoot(page, name, theme);
  }
}

async function openMyDialog(page: Page, item: string): Promise<Locator> {
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("menuitem", { name: item }).click();
  return page.getByRole("dialog", { name: item });
}

/** Second factors of one's own account, and a login that asks for one. Chromium's own authenticator is the key. */
async function shootFactors(page: Page, site: SimulatedSite, theme: Theme): Promise<void> {
  const chrome = await page.context().newCDPSession(page);
  await chrome.send("WebAuthn.enable");
  await chrome.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "usb", automaticPresenceSimulation: true },
  });
  await page.goto(consoleUrl(site));
  const factor = await openMyDialog(page, "Second factor");
  await factor.getByLabel("Password now").fill(password);
  await factor.getByRole("button", { name: "Add an authenticator" }).click();
  await factor.getByRole("img").waitFor();
  await shoot(page, "second-factor", theme);
  await factor.getByRole("button", { name: "Cancel" }).click();
  const keys = await openMyDialog(page, "Security keys");
  await keys.getByLabel("Name of a new key").fill("blue key");
  await keys.getByLabel("Password now").fill(password);
  await keys.getByRole("button", { name: "Add a key" }).click();
  await keys.getByText("Keep these recovery codes").waitFor();
  await shoot(page, "recovery-codes", theme);
  await keys.getByRole("button", { name: "Close" }).click();
  await openMyDialog(page, "Security keys");
  await keys.getByText("blue key", { exact: true }).waitFor();
  await shoot(page, "security-keys", theme);
  await keys.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Code of your authenticator").waitFor();
  await shoot(page, "login-factor", theme);
  await site.server.accounts.resetSecondFactor("admin");
}

/** Keys are asked for by a name of the console, and Chromium takes them at this one without a trusted certificate. */
function consoleUrl({ console: { url } }: SimulatedSite): string {
  return url.replace("127.0.0.1", "localhost");
}

/** The first page, while eight computers get their image. */
async function shootWork(page: Page, site: SimulatedSite, theme: Theme): Promise<void> {
  if (theme === "light") {
    await giveWork(page, site);
  } else {
    const row = page
      .getByRole("grid", { name: "Computers" })
      .getByRole("row")
      .filter({ hasText: "SIM00010" });
    await page.getByRole("button", { name: "Deploy lab-image", exact: true }).dragTo(row);
  }
  const order = page.getByRole("button", { name: /^Erase and deploy / });
  await order.waitFor();
  await shoot(page, "order", theme);
  if (theme === "light") {
    await order.click();
    const grid = page.getByRole("grid", { name: "Computers" });
    await grid
      .getByText(/^[2-9]\d % imaging/)
      .first()
      .waitFor();
  } else {
    await page.getByRole("button", { name: "Cancel" }).click();
  }
  await shoot(page, "computers", theme);
}

async function shootAll(site: SimulatedSite, theme: Theme): Promise<void> {
  const browser = await openBrowser({ isDark: theme === "dark" });
  const page = await browser.context.newPage();
  page.setDefaultTimeout(60_000);
  const url = consoleUrl(site);
  try {
    await shootOutside(page, url, theme);
    await logInByPage(page, url, "admin", password);
    // Slow enough to be seen at work on any machine.
    await site.server.settings.set("imaging.maxMbps", "40");
    await shootWork(page, site, theme);
    await page.goto(`${url}/sessions`);
    await delay(4000);
    await shoot(page, "sessions", theme);
    await site.server.settings.set("imaging.maxMbps", "0");
    const [computer] = site.server.registry.list();
    const [job] = site.server.jobs.listJobs().filter(({ name }) => name.startsWith("Deploy "));
    const pathOf = (path: string): string =>
      path.replace("$computer", computer?.id ?? "").replace("$job", job?.id ?? "");
    const known = new Set(pictures.map(({ path }) => pathOf(path)));
    for (const { name, path, prepare } of pictures) {
      await page.goto(`${url}${pathOf(path)}`);
      await page.locator("main h1, main[aria-label]").first().waitFor();
      await requireTabs(page, known);
      await prepare?.(page);
      await shoot(page, name, theme);
    }
    await shootFactors(page, site, theme);
  } catch (error) {
    await shootFailure(page);
    throw error;
  } finally {
    await browser.close();
  }
}

/** What is there once a site has boot files, installers, a login provider and a computer with a real agent. */
async function shootConfigured(site: SimulatedSite, theme: Theme, computerId: string): Promise<void> {
  const browser = await openBrowser({ isDark: theme === "dark" });
  const page = await browser.context.newPage();
  page.setDefaultTimeout(60_000);
  const url = consoleUrl(site);
  try {
    await page.goto(`${url}/login`);
    await page.getByRole("button", { name: "Log in at your organisation" }).waitFor();
    await shoot(page, "login-with-provider", theme);
    await logInByPage(page, url, "admin", password);
    for (const { name, path, prepare } of configuredPictures) {
      await page.goto(`${url}${path}`);
      await prepare(page);
      await shoot(page, name, theme);
    }
    await shootWindows(page, `${url}/computers/${computerId}`, theme);
  } catch (error) {
    await shootFailure(page);
    throw error;
  } finally {
    await browser.close();
  }
}

/** Each time in both themes: a site at work, and then all that can be added to it. */
async function shootSite(site: SimulatedSite, end: TestEnd): Promise<void> {
  await shootAll(site, "light");
  await shootAll(site, "dark");
  await giveBuild(site);
  await giveInstallers(end, site);
  await startProvider(end, site, Number(new URL(site.console.url).port) + 3000);
  const computerId = await startPictureComputer(end, site);
  await shootConfigured(site, "light", computerId);
  await shootConfigured(site, "dark", computerId);
  requireAll(taken.light);
  requireAll(taken.dark);
}

/** `node tools/screenshots.ts`: every page, light and dark, of the real console on a simulated site. */
async function main(): Promise<void> {
  const unseen = findUnseenRoutes();
  if (unseen.length > 0) {
    throw new Error(`tools/screenshot-list.ts has no picture of ${unseen.join(", ")}`);
  }
  const dataDir = mkdtempSync(join(tmpdir(), "portolan-"));
  const first = 21_000 + (process.pid % 1000) * 3;
  const site = await startSimulatedSite({
    dataDir,
    consolePort: first,
    controlPort: first + 1,
    httpPort: first + 2,
    log: pino({ level: "fatal" }),
  });
  await site.server.settings.set("console.name", "localhost");
  await addSimulatedImage(site, { name: "lab-image", dataMib: 64, sizeMib: 192 });
  await site.server.accounts.createUser({ name: "admin", role: "administrator", password });
  const computers = startSimulatedRoom(site, { count: 24, writeDelayMs: 200, areInstalled: false });
  const started: (() => void | Promise<void>)[] = [];
  try {
    await shootSite(site, { after: (work) => started.push(work) });
  } finally {
    computers.forEach((computer) => computer.stop());
    for (const stop of started.toReversed()) {
      await stop();
    }
    await site.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  process.exit();
}

await main();
