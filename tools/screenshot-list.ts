import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

/** A page or tab of the console, and what is done there before its picture is taken. */
export type Picture = {
  readonly name: string;
  /** `$computer` and `$job` stand for ids of the site. */
  readonly path: string;
  readonly prepare?: (page: Page) => Promise<void>;
};

async function verifyNow(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Verify now" }).click();
  await page.locator(".operation .icon-button").waitFor({ timeout: 120_000 });
  await page.locator(".cell:not(.cell-pass, .cell-not-tested)").first().click();
}

async function makeMenu(page: Page): Promise<void> {
  await page.getByRole("radio", { name: /shows a menu/ }).check();
  await page.getByLabel("Add a job …").selectOption({ index: 1 });
}

async function openDialog(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button, exact: true }).click();
  await page.getByRole("dialog").waitFor();
}

/** Pages behind the login, in the order of the console's own menu. Computers and logging in are taken on the way. */
export const pictures: readonly Picture[] = [
  { name: "computer", path: "/computers/$computer" },
  { name: "computer-events", path: "/computers/$computer/events" },
  { name: "computer-jobs", path: "/computers/$computer/jobs" },
  { name: "computer-inventory", path: "/computers/$computer/inventory" },
  {
    name: "computer-software",
    path: "/computers/$computer/software",
    prepare: (page) => page.getByRole("grid", { name: "Packages" }).getByText("bash").first().waitFor(),
  },
  { name: "computer-history", path: "/computers/$computer/history" },
  { name: "computer-files", path: "/computers/$computer/files" },
  { name: "computer-settings", path: "/computers/$computer/settings" },
  { name: "job", path: "/jobs/$job" },
  {
    name: "images",
    path: "/images",
    prepare: async (page) => {
      await page.getByRole("region", { name: "All images together" }).waitFor();
      await page.getByRole("region", { name: "library-image, arriving" }).waitFor();
    },
  },
  { name: "images-import", path: "/images", prepare: (page) => openDialog(page, "Import …") },
  { name: "plan", path: "/plan" },
  { name: "plan-flows", path: "/plan/flows" },
  { name: "plan-verify", path: "/plan/verify", prepare: verifyNow },
  { name: "plan-rules", path: "/plan/rules" },
  { name: "plan-bundle", path: "/plan/bundle" },
  { name: "plan-lint", path: "/plan/lint" },
  { name: "boot", path: "/boot" },
  { name: "boot-initial", path: "/boot/initial", prepare: makeMenu },
  { name: "boot-files", path: "/boot/files" },
  { name: "options-imaging", path: "/options" },
  { name: "options-discovery", path: "/options/discovery" },
  {
    name: "options",
    path: "/options/transfer",
    prepare: (page) => page.getByLabel("transfer.port", { exact: true }).fill("4480"),
  },
  { name: "options-boot", path: "/options/boot" },
  { name: "options-login", path: "/options/login" },
  { name: "options-profile", path: "/options/profile" },
  { name: "options-all", path: "/options/all" },
  { name: "people", path: "/people" },
  { name: "people-add", path: "/people", prepare: (page) => openDialog(page, "Add an account") },
  { name: "people-token", path: "/people", prepare: (page) => openDialog(page, "Make a token") },
  { name: "audit", path: "/audit" },
  { name: "guide", path: "/guide" },
];

/** Cards that a page has once there is something to show in them. */
export const configuredPictures: readonly Required<Picture>[] = [
  {
    name: "images-installers",
    path: "/images",
    prepare: async (page) => {
      await page.getByRole("region", { name: "rocky-10" }).scrollIntoViewIfNeeded();
      await page.getByRole("region", { name: "debian-13" }).waitFor();
    },
  },
  {
    name: "boot-files-built",
    path: "/boot/files",
    prepare: (page) => page.getByRole("row").filter({ hasText: "grubx64.efi" }).waitFor(),
  },
  {
    name: "options-login-provider",
    path: "/options/login",
    prepare: (page) =>
      page.getByRole("region", { name: "Login provider" }).getByText("One is kept.").waitFor(),
  },
];

/** Windows and dialogs that no address alone opens. */
const opened: readonly string[] = [
  ...["order", "second-factor", "recovery-codes", "security-keys", "login-factor"],
  ...["login-with-provider", "computer-files-open", "terminal", "desktop"],
];

/** Pictures of routes that are looked at without being logged in, or while computers are at work. */
const elsewhere: Readonly<Record<string, string>> = {
  "/login": "login",
  "/login/provider": "login-provider",
  "/setup": "setup",
  "/": "computers",
  "/sessions": "sessions",
};

function readRoutes(): string[] {
  const source = readFileSync("console/src/router.tsx", "utf8");
  return [...source.matchAll(/path: "([^"]+)"/g)].map(([, path = ""]) => path);
}

/** Of the console's router, those that no picture shows. */
export function findUnseenRoutes(routes: readonly string[] = readRoutes()): string[] {
  return routes.filter((route) => {
    const pattern = new RegExp(`^${route.replace("/{-$tab}", "(/[a-z]+)?").replaceAll("$id", "\\$[a-z]+")}$`);
    return elsewhere[route] === undefined && !pictures.some(({ path }) => pattern.test(path));
  });
}

/** @throws Error naming what this list promises and was not taken */
export function requireAll(taken: ReadonlySet<string>): void {
  const listed = [...pictures, ...configuredPictures].map(({ name }) => name);
  const promised = [...Object.values(elsewhere), ...listed, ...opened];
  const missing = promised.filter((name) => !taken.has(name));
  if (missing.length > 0) {
    throw new Error(`no picture was taken of ${missing.join(", ")}`);
  }
}

/** @throws Error naming tabs of the page, by their links, that no picture shows */
export async function requireTabs(page: Page, paths: ReadonlySet<string>): Promise<void> {
  const links = await page.locator("nav.tabs a").all();
  const tabs = await Promise.all(links.map((link) => link.getAttribute("href")));
  const missing = tabs.filter((tab) => tab !== null && !paths.has(tab));
  if (missing.length > 0) {
    throw new Error(`tools/screenshot-list.ts has no picture of ${missing.join(", ")}`);
  }
}
