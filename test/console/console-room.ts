import type { TestContext } from "node:test";
import type { Locator, Page } from "playwright-core";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { logInByPage, openBrowser } from "./browser.ts";
import { startSite } from "./console-site.ts";

export const password = "correct horse battery";

export type Room = { readonly site: SimulatedSite; readonly page: Page; readonly faults: string[] };

/** A site with simulated computers, and a page on which nothing may go wrong unseen. */
export async function openRoom(
  t: TestContext,
  options: { count: number; isDark?: boolean; writeDelayMs?: number },
): Promise<Room> {
  const { count, writeDelayMs = 60 } = options;
  const site = await startSite(t);
  await addSimulatedImage(site, { name: "lab-image", dataMib: 6, sizeMib: 32 });
  const computers = startSimulatedRoom(site, { count, writeDelayMs, areInstalled: false });
  t.after(() => computers.forEach((computer) => computer.stop()));
  await site.server.accounts.createUser({ name: "ann", role: "administrator", password });
  await site.server.accounts.createUser({ name: "vic", role: "viewer", password });
  const browser = await openBrowser({ isDark: options.isDark ?? false });
  t.after(() => browser.close(!t.passed));
  const page = await browser.context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") {
      faults.push(message.text());
    }
  });
  return { site, page, faults };
}

/** The page that verifies, before it is asked to, where two computers are let in and TFTP is blocked. */
export async function openBlockedVerify(t: TestContext): Promise<Pick<Room, "page" | "faults">> {
  const { site, page, faults } = await openRoom(t, { count: 2 });
  await logInByPage(page, site.console.url, "ann", password);
  await letIn({ site, page }, 2);
  site.blockedUdpPorts.add(69);
  await page.getByRole("link", { name: "Plan" }).click();
  await page.getByRole("link", { name: "Verify" }).click();
  return { page, faults };
}

/** The first account, made by the terminal's link in a browser of its own. @returns the page, logged in */
export async function makeFirstAccount(t: TestContext, site: SimulatedSite): Promise<Page> {
  const code = await site.server.accounts.openSetup();
  const browser = await openBrowser();
  t.after(() => browser.close(!t.passed));
  const page = await browser.context.newPage();
  await page.goto(`${site.console.url}/setup#${code}`);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByText("No computer yet").waitFor();
  return page;
}

const namesOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `SIM${String(index + 1).padStart(5, "0")}`);

/** Until the first page shows so many simulated computers. They come in any order: the last tells nothing of the others. */
export async function waitForComputers(page: Page, count: number): Promise<void> {
  for (const name of namesOf(count)) {
    await dataRow(page, name).waitFor();
  }
}

/** Until the first page shows that so many computers wait for work. */
export async function waitForPreboot(page: Page, count: number): Promise<void> {
  for (const name of namesOf(count)) {
    await dataRow(page, name).getByText("In preboot").waitFor();
  }
}

/** Lets in all of so many simulated computers, and waits until the first page shows it. */
export async function letIn({ site, page }: Pick<Room, "site" | "page">, count: number): Promise<void> {
  await waitForComputers(page, count);
  for (const { id } of site.server.registry.list()) {
    await site.server.registry.approve(id);
  }
  await site.server.control.reconsider();
  await waitForPreboot(page, count);
}

/** A computer's row in the list of the first page. */
export const dataRow = (page: Page, name: string): Locator =>
  page.getByRole("grid", { name: "Computers" }).getByRole("row").filter({ hasText: name });
