import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { Page } from "playwright-core";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import { type SimulatedSite, startSimulatedSite } from "#dev/simulated-site.ts";
import { logInByPage, openBrowser } from "#test/console/browser.ts";

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

const pages = {
  images: "/images",
  plan: "/plan",
  "plan-flows": "/plan/flows",
  "plan-verify": "/plan/verify",
  "plan-rules": "/plan/rules",
  "plan-lint": "/plan/lint",
  boot: "/boot",
  options: "/options/transfer",
  people: "/people",
  audit: "/audit",
  guide: "/guide",
} as const;

async function shoot(page: Page, name: string, theme: "light" | "dark"): Promise<void> {
  await delay(700);
  await page.screenshot({ path: join(lookDir, `${name}-${theme}.png`) });
  await page.screenshot({ path: join(referenceDir, `${name}-${theme}.jpg`), type: "jpeg", quality: 60 });
  if (kept[name] === theme) {
    await page.screenshot({ path: join(keptDir, `${name}.png`) });
  }
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
  const grid = page.getByRole("grid", { name: "Computers" });
  await grid.getByText("In preboot").nth(8).waitFor();
  const row = (name: string) => grid.getByRole("row").filter({ hasText: name });
  await row("SIM00001").click();
  await row("SIM00008").click({ modifiers: ["Shift"] });
  await page.getByRole("button", { name: "Deploy lab-image" }).dragTo(row("SIM00004"));
  await page.getByRole("button", { name: "Erase and deploy 8 computers" }).waitFor();
}

async function shootAll(site: SimulatedSite, theme: "light" | "dark"): Promise<void> {
  const browser = await openBrowser({ isDark: theme === "dark" });
  const page = await browser.context.newPage();
  page.setDefaultTimeout(60_000);
  const { url } = site.console;
  try {
    await page.goto(`${url}/login`);
    await shoot(page, "login", theme);
    await logInByPage(page, url, "admin", password);
    if (theme === "light") {
      await giveWork(page, site);
      await shoot(page, "order", theme);
      await page.getByRole("button", { name: "Erase and deploy 8 computers" }).click();
      await page
        .getByRole("grid", { name: "Computers" })
        .getByText(/[3-9]\d % imaging/)
        .first()
        .waitFor();
    }
    await shoot(page, "computers", theme);
    await page.goto(`${url}/sessions`);
    await delay(4000);
    await shoot(page, "sessions", theme);
    const [computer] = site.server.registry.list();
    const [job] = site.server.jobs.listJobs();
    const all = { ...pages, computer: `/computers/${computer?.id}`, job: `/jobs/${job?.id}` };
    for (const [name, path] of Object.entries(all)) {
      await page.goto(`${url}${path}`);
      if (name === "images") {
        await page.getByRole("region", { name: "All images together" }).waitFor();
      }
      if (name === "options") {
        await page.getByLabel("transfer.port", { exact: true }).fill("4480");
      }
      if (name === "plan-verify" && theme === "light") {
        await page.getByRole("button", { name: "Verify now" }).click();
        await page.locator(".progress-good, .progress-bad").first().waitFor({ timeout: 120_000 });
      }
      await shoot(page, name, theme);
    }
  } finally {
    await browser.close();
  }
}

/** `node tools/screenshots.ts`: every page, light and dark, of the real console on a simulated site. */
async function main(): Promise<void> {
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
  await addSimulatedImage(site, { name: "lab-image", dataMib: 64, sizeMib: 192 });
  await site.server.accounts.createUser({ name: "admin", role: "administrator", password });
  const computers = startSimulatedRoom(site, { count: 24, writeDelayMs: 200, areInstalled: false });
  try {
    await shootAll(site, "light");
    await shootAll(site, "dark");
  } finally {
    computers.forEach((computer) => computer.stop());
    await site.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  process.exit();
}

await main();
