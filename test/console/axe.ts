import axe from "axe-core";
import type { Page } from "playwright-core";

type AxeResult = {
  readonly violations: readonly { id: string; impact: string; nodes: { html: string }[] }[];
};

/** Looks a page is checked in: both colours, and both sizes it must work at. */
export const looks = [
  { colorScheme: "light", width: 1280, height: 720 },
  { colorScheme: "dark", width: 820, height: 1180 },
] as const;

/** What axe calls serious or critical on the page as it is now, and whether it is wider than its window. */
export async function findFaults(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  for (const { colorScheme, width, height } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    await page.evaluate("typeof axe").then((kind) => (kind === "object" ? null : page.evaluate(axe.source)));
    const result = await page.evaluate<AxeResult>(
      "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'] })",
    );
    const serious = result.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const look = `${name} (${colorScheme}, ${width} × ${height})`;
    faults.push(...serious.map(({ id, nodes }) => `${look}: ${id}: ${nodes[0]?.html ?? ""}`));
    const overhang = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    if (overhang > 0) {
      faults.push(`${look}: ${overhang} px wider than its window`);
    }
  }
  const [{ colorScheme, width, height }] = looks;
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.setViewportSize({ width, height });
  return faults;
}
