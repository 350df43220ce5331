import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Page } from "playwright-core";
import { simulatedInventory } from "#dev/simulated-room.ts";
import { startSimulatedSite } from "#dev/simulated-site.ts";
import { ComputerStore, type StoredComputer } from "#store/computer-store.ts";
import { openDatabase } from "#store/database.ts";
import { logInByPage, openBrowser } from "#test/console/browser.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";

/*
 * How the console's list of computers feels with many of them: the real server, its console in Debian's Chromium, scrolled
 * from end to end and filtered letter by letter. Frames are counted by the browser itself; one is dropped when the next
 * comes more than one and a half frames later.
 *
 * usage: portolan bench console-rows [COUNT]
 */

const frameMs = 1000 / 60;
const password = "measured on a simulated site";

type Frames = {
  readonly delaysMs: readonly number[];
  /** Processor time of the page's main thread: what other work on the machine does not change. */
  readonly cpuMs: number;
};

function computerOf(number: number, nowMs: number): StoredComputer {
  const mac = MacAddress.fromBytes(Uint8Array.of(0x52, 0x54, 0, 0, number >>> 8, number & 255));
  const address = Ipv4Address.fromNumber((127 << 24) + (10 << 16) + number);
  return {
    ...{ id: `c-${number.toString(16).padStart(8, "0")}`, name: `pc-${number}`, state: "approved" },
    ...{ reason: null, uuid: null, macs: [mac], serial: `S${number}`, address },
    ...{ inventory: { ...simulatedInventory(number, `pc-${number}`, address), macs: [mac] } },
    ...{ osKeyFingerprint: null, osKeyAtMs: null, approvedKeyFingerprint: null, waitingKeyFingerprint: null },
    ...{ deployedAtMs: null, lastSeenAtMs: nowMs - number * 1000, createdAtMs: nowMs, revokedAtMs: null },
    initialAskedAtMs: null,
  };
}

/** Counts frames while `act` runs. The page notes the time of each; nothing else runs in it. */
async function measure(page: Page, act: () => Promise<void>): Promise<Frames> {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send("Performance.enable", { timeDomain: "threadTicks" });
  const cpuSeconds = async (): Promise<number> =>
    (await devTools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")
      ?.value ?? 0;
  const cpuBefore = await cpuSeconds();
  await page.evaluate(`
    window.frames_ = [];
    window.counting = true;
    (function next(at) { frames_.push(at); if (counting) requestAnimationFrame(next); })(performance.now());
  `);
  await act();
  const times = await page.evaluate<number[]>("(counting = false, frames_)");
  const cpuMs = ((await cpuSeconds()) - cpuBefore) * 1000;
  await devTools.detach();
  return { cpuMs, delaysMs: times.slice(1).map((at, index) => at - (times[index] ?? at)) };
}

function describe(name: string, { delaysMs, cpuMs }: Frames): string {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  const dropped = delaysMs.filter((delayMs) => delayMs > 1.5 * frameMs).length;
  const percent = ((100 * dropped) / Math.max(1, delaysMs.length)).toFixed(1);
  return `| ${name} | ${delaysMs.length} | ${at(0.5)} | ${at(0.95)} | ${at(1)} | ${dropped} (${percent} %) | ${(cpuMs / Math.max(1, delaysMs.length)).toFixed(1)} |\n`;
}

async function measureAll(page: Page, count: number): Promise<void> {
  const total = `${count.toLocaleString("en")} computers`;
  await page.getByText(total).waitFor();
  const list = page.getByRole("rowgroup", { name: "Computers" });
  process.stdout.write(
    "| what | frames | p50 ms | p95 ms | longest ms | dropped | CPU ms per frame |\n| --- | --- | --- | --- | --- | --- | --- |\n",
  );
  const still = await measure(page, () => page.waitForTimeout(2000));
  process.stdout.write(describe("nothing", still));
  await list.hover();
  const wheel = await measure(page, async () => {
    for (let turn = 0; turn < 120; turn += 1) {
      await page.mouse.wheel(0, 300);
      await page.waitForTimeout(16);
    }
  });
  process.stdout.write(describe("scroll by wheel, 120 turns", wheel));
  const jump = await measure(page, async () => {
    await list.focus();
    for (let turn = 0; turn < 20; turn += 1) {
      await page.keyboard.press(turn % 2 === 0 ? "End" : "Home");
      await page.waitForTimeout(50);
    }
  });
  process.stdout.write(describe("from end to end by key, 20 times", jump));
  const filter = page.getByRole("searchbox");
  await filter.focus();
  const typing = await measure(page, async () => {
    for (const letter of "pc-1234") {
      await page.keyboard.press(letter);
      await page.waitForTimeout(120);
    }
    await page
      .getByText(`1 of ${count.toLocaleString("en")}`)
      .or(page.getByText("No computer matches"))
      .waitFor();
    for (let erased = 0; erased < 7; erased += 1) {
      await page.keyboard.press("Backspace");
      await page.waitForTimeout(120);
    }
    await page.getByText(total).waitFor();
  });
  process.stdout.write(describe("filter, 7 letters and back", typing));
  const sorting = await measure(page, async () => {
    for (const name of ["Address", "Seen", "Name"]) {
      await page.getByRole("button", { name }).click();
      await page.waitForTimeout(300);
    }
  });
  process.stdout.write(describe("sort by three columns", sorting));
}

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 10_000);
  const dataDir = mkdtempSync(join(tmpdir(), "portolan-rows-"));
  const db = await openDatabase("sqlite:", dataDir);
  const nowMs = Date.now();
  await new ComputerStore(db).put(
    ...Array.from({ length: count }, (_, index) => computerOf(index + 1, nowMs)),
  );
  await db.destroy();
  const first = 21_000 + (process.pid % 1000) * 3;
  const site = await startSimulatedSite({
    ...{ dataDir, consolePort: first, controlPort: first + 1, httpPort: first + 2 },
    log: pino({ level: "fatal" }),
  });
  await site.server.accounts.createUser({ name: "admin", role: "administrator", password });
  const browser = await openBrowser();
  try {
    const page = await browser.context.newPage();
    page.setDefaultTimeout(60_000);
    await logInByPage(page, site.console.url, "admin", password);
    const openedAtMs = performance.now();
    await page.reload();
    await page.getByText(`${count.toLocaleString("en")} computers`).waitFor();
    process.stdout.write(
      `${count} computers, opened anew in ${((performance.now() - openedAtMs) / 1000).toFixed(1)} s\n\n`,
    );
    await measureAll(page, count);
  } finally {
    await browser.close();
    await site.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  process.exit();
}

await main();
