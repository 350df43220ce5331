import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";

export type Theme = "light" | "dark";

/** For README.md. Every page is kept as a small reference beside them, to compare with after a change of styles. */
const kept: Readonly<Record<string, Theme>> = {
  computers: "light",
  plan: "dark",
  sessions: "light",
};
const keptDir = "docs/screenshots";
const lookDir = "var/screenshots";
const referenceDir = "docs/screenshots/pages";

/** Names by theme. BOUNDED by the pictures that are taken. */
export const taken = { light: new Set<string>(), dark: new Set<string>() };

export async function shoot(page: Page, name: string, theme: Theme): Promise<void> {
  for (const folder of [lookDir, referenceDir]) {
    mkdirSync(folder, { recursive: true });
  }
  taken[theme].add(name);
  // Nothing is shown as pointed at.
  await page.mouse.move(0, 0);
  await delay(700);
  await page.screenshot({ path: join(lookDir, `${name}-${theme}.png`) });
  await page.screenshot({ path: join(referenceDir, `${name}-${theme}.jpg`), type: "jpeg", quality: 60 });
  if (kept[name] === theme) {
    await page.screenshot({ path: join(keptDir, `${name}.png`) });
  }
}

/** What was on the pages where it went no further. */
export async function shootFailure(page: Page): Promise<void> {
  for (const [index, open] of page.context().pages().entries()) {
    const path = join(lookDir, `failed-${index}.png`);
    await open.screenshot({ path });
    console.error(`stopped at ${open.url()}, see ${path}`);
  }
}
