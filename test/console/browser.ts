import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { slowDown } from "./slow-network.ts";

const chromiumPath = "/usr/bin/chromium";

/** Why tests with a browser cannot run here, or null. */
export function browserObstacle(): string | null {
  return existsSync(chromiumPath)
    ? null
    : "Debian's Chromium is not installed; npm run setup installs the test group";
}

export type OpenBrowser = {
  readonly context: BrowserContext;
  /** @param hasFailed leaves a picture of each page, and says what went wrong on them */
  readonly close: (hasFailed?: boolean) => Promise<void>;
};

const failureDir = "var/failed-pages";
const troubleCountMax = 100;

/** What pages complained of, and requests that were not answered well. BOUNDED by `troubleCountMax`: the oldest go. */
function noteTroubles(context: BrowserContext): readonly string[] {
  const troubles: string[] = [];
  const note = (text: string): void => {
    troubles.push(`${new Date().toISOString()} ${text}`);
    troubles.splice(0, troubles.length - troubleCountMax);
  };
  context.on("console", (message) => note(`console ${message.type()}: ${message.text()}`));
  context.on("weberror", (error) => note(`error: ${error.error().message}`));
  context.on("requestfailed", (request) =>
    note(`${request.method()} ${request.url()}: ${request.failure()?.errorText ?? "failed"}`),
  );
  context.on("response", (response) => {
    if (response.status() >= 400) {
      note(`${response.request().method()} ${response.url()}: ${response.status()}`);
    }
  });
  return troubles;
}

/** What was to be seen where a test went no further. */
async function showFailure(context: BrowserContext, troubles: readonly string[]): Promise<void> {
  mkdirSync(failureDir, { recursive: true });
  for (const [index, page] of context.pages().entries()) {
    const path = join(failureDir, `${process.pid}-${Date.now()}-${index}.png`);
    // A page that hangs has no picture; the others and what was said count all the same.
    const why = await page.screenshot({ path, timeout: 10_000 }).then(
      () => null,
      (error: unknown) => String(error),
    );
    console.error(`stopped at ${page.url()}, ${why === null ? `see ${path}` : `without a picture: ${why}`}`);
  }
  console.error(troubles.length === 0 ? "the pages complained of nothing" : troubles.join("\n"));
}

/** Debian's Chromium, empty, that talks to nobody but the page it is given. */
export async function openBrowser(options: { readonly isDark?: boolean } = {}): Promise<OpenBrowser> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-browser-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath,
    headless: true,
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 720 },
    // Where the machine stands changes no date that a page shows.
    timezoneId: "UTC",
    colorScheme: options.isDark === true ? "dark" : "light",
    reducedMotion: "reduce",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const said = noteTroubles(context);
  await slowDown(context);
  // A test ends early when all is well; on a busy machine a first page alone can take more than the usual half minute.
  context.setDefaultTimeout(60_000);
  return {
    context,
    async close(hasFailed = false) {
      if (hasFailed) {
        await showFailure(context, said);
      }
      // Requests that are delayed still have nobody to answer to.
      await context.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Logs in as a person would, and waits until the first page shows. */
export async function logInByPage(page: Page, url: string, name: string, password: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("main", { name: "Computers" }).waitFor();
}

/** Logs out by the menu, to its end: what is opened before the server has forgotten the session would still be in it. */
export async function logOutByPage(page: Page, name: string): Promise<void> {
  await page.getByRole("banner").getByRole("button", { name }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
}
