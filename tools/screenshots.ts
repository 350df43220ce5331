import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { Locator, Page } from "playwright-core";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import { type SimulatedSite, startSimulatedSite } from "#dev/simulated-site.ts";
import { nobody } from "#server/accounts/principal.ts";
import { Scopes } from "#server/accounts/scope.ts";
import { createHandlers } from "#server/api-handlers.ts";
import { logInByPage, openBrowser } from "#test/console/browser.ts";
import { findUnseenRoutes, pictures, requireAll, requireTabs } from "./screenshot-list.ts";

/** For README.md. Every page is kept as a small reference beside them, to compare with after a change of styles. */
const kept: Readonly<Record<string, "light" | "dark">> = {
  computers: "light",
  plan: "dark",
  sessions: "light",
};
const keptDir = "docs/screenshots";
const lookDir = "var/screenshots";
const referenceDir = "docs/screenshots/pages";
const password = "pictures of a simulated site";

/** Names by theme. BOUNDED by the pictures that this program takes. */
const taken = { light: new Set<string>(), dark: new Set<string>() };

async function shoot(page: Page, name: string, theme: "light" | "dark"): Promise<void> {
  taken[theme].add(name);
  await delay(700);
  await page.screenshot({ path: join(lookDir, `${name}-${theme}.png`) });
  await page.screenshot({ path: join(referenceDir, `${name}-${theme}.jpg`), type: "jpeg", quality: 60 });
  if (kept[name] === theme) {
    await page.screenshot({ path: join(keptDir, `${name}.png`) });
  }
}

/** Two rooms of a building, and a library. */
async function giveGroups({ server: { groups, registry } }: SimulatedSite): Promise<void> {
  const ids = registry.list().map(({ id }) => id);
  const building = await groups.add({ name: "Building A", parent: null });
  const rooms = [
    { name: "LAB1", parent: building.id, members: ids.slice(0, 8) },
    { name: "LAB2", parent: building.id, members: ids.slice(8, 16) },
    { name: "Library", parent: null, members: ids.slice(16, 20) },
  ];
  for (const { name, parent, members } of rooms) {
    const { id } = await groups.add({ name, parent });
    await groups.move(members, id);
  }
}

/** Simulated agents tell of no software; this one has some, and a change of it. */
async function giveSoftware({ server: { management, registry } }: SimulatedSite): Promise<void> {
  const [computer] = registry.list();
  if (computer === undefined) {
    throw new Error("the simulated room is empty");
  }
  const names = [
    "bash 5.2.37-2",
    "coreutils 9.7-3",
    "firefox-esr 140.4.0",
    "gimp 3.0.4-3",
    "libreoffice 25.2.3",
  ];
  const packages = [
    ...names,
    ...Array.from(
      { length: 40 },
      (_, index) => `simulated-package-${String(index).padStart(2, "0")} 1.${index}`,
    ),
  ];
  const users = ["root", "student", "teacher"];
  management.software.receive(computer.id, { packages: packages.slice(1), users });
  management.software.receive(computer.id, { packages, users });
}

/** A job that waits for the night, beside the one that runs, and a segment behind a router. */
async function giveMore({ server }: SimulatedSite): Promise<void> {
  const computers = server.registry.list().map(({ id }) => id);
  const handlers = createHandlers(server, "pictures");
  const request = {
    ...{ query: undefined, principal: nobody, address: "", id: "" },
    ...{ setCookie: () => undefined, setActor: () => undefined },
    scope: new Scopes(server).wholeSite,
  };
  await handlers.addSegment({
    ...request,
    body: { name: "library", cidr: "10.40.0.0/24", serverAddress: "127.10.0.1", gatewayAddress: "10.40.0.1" },
  });
  const [last] = computers.slice(-5);
  const common = { kind: "capture-image", disk: "only-disk" } as const;
  const capture = { ...common, image: "library-image", isForced: false, isStreamed: false };
  await handlers.createJob({
    ...request,
    body: {
      ...{ name: "Capture library-image", tasks: [capture] },
      ...{ conditions: [], computers: [last ?? ""], groups: [], windows: [], force: false },
    },
  });
  await handlers.createJob({
    ...request,
    body: {
      name: "Restart at night",
      tasks: [{ kind: "restart" }],
      conditions: [],
      computers: computers.slice(8, 20),
      groups: [],
      schedule: { at: "2099-12-01 03:00", timeZone: "Europe/Berlin" },
      windows: [],
      force: false,
    },
  });
}

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
  await giveGroups(site);
  await giveSoftware(site);
  await giveMore(site);
  const grid = page.getByRole("grid", { name: "Computers" });
  await grid.getByText("In preboot").nth(8).waitFor();
  const row = (name: string) => grid.getByRole("row").filter({ hasText: name });
  await row("SIM00001").click();
  await row("SIM00008").click({ modifiers: ["Shift"] });
  await page.getByRole("button", { name: "Deploy lab-image", exact: true }).dragTo(row("SIM00004"));
  await page.getByRole("button", { name: "Erase and deploy 8 computers" }).waitFor();
}

/** What a visitor sees who is not logged in. */
async function shootOutside(page: Page, url: string, theme: "light" | "dark"): Promise<void> {
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
async function shootFactors(page: Page, site: SimulatedSite, theme: "light" | "dark"): Promise<void> {
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
async function shootWork(page: Page, site: SimulatedSite, theme: "light" | "dark"): Promise<void> {
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
      .getByText(/[3-9]\d % imaging/)
      .first()
      .waitFor();
  } else {
    await page.getByRole("button", { name: "Cancel" }).click();
  }
  await shoot(page, "computers", theme);
}

async function shootAll(site: SimulatedSite, theme: "light" | "dark"): Promise<void> {
  const browser = await openBrowser({ isDark: theme === "dark" });
  const page = await browser.context.newPage();
  page.setDefaultTimeout(60_000);
  const url = consoleUrl(site);
  try {
    await shootOutside(page, url, theme);
    await logInByPage(page, url, "admin", password);
    await shootWork(page, site, theme);
    await page.goto(`${url}/sessions`);
    await delay(4000);
    await shoot(page, "sessions", theme);
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
  } finally {
    await browser.close();
  }
}

/** `node tools/screenshots.ts`: every page, light and dark, of the real console on a simulated site. */
async function main(): Promise<void> {
  const unseen = findUnseenRoutes();
  if (unseen.length > 0) {
    throw new Error(`tools/screenshot-list.ts has no picture of ${unseen.join(", ")}`);
  }
  mkdirSync(keptDir, { recursive: true });
  mkdirSync(lookDir, { recursive: true });
  mkdirSync(referenceDir, { recursive: true });
  const dataDir = mkdtempSync(join(tmpdir(), "portolan-pictures-"));
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
  try {
    await shootAll(site, "light");
    await shootAll(site, "dark");
    requireAll(taken.light);
    requireAll(taken.dark);
  } finally {
    computers.forEach((computer) => computer.stop());
    await site.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  process.exit();
}

await main();
