import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const chromiumPath = "/usr/bin/chromium";

/** Why tests with a browser cannot run here, or null. */
export function browserObstacle(): string | null {
  return existsSync(chromiumPath)
    ? null
    : "Debian's Chromium is not installed; npm run setup installs the test group";
}

export type OpenBrowser = {
  readonly context: BrowserContext;
  readonly close: () => Promise<void>;
};

/** Debian's Chromium, empty, that talks to nobody but the page it is given. */
export async function openBrowser(options: { readonly isDark?: boolean } = {}): Promise<OpenBrowser> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-browser-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath,
    headless: true,
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 720 },
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
  // A test ends early when all is well; on a busy machine a first page alone can take more than the usual half minute.
  context.setDefaultTimeout(60_000);
  return {
    context,
    async close() {
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
