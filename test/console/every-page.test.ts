import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password, waitForComputers } from "./console-room.ts";

const skip = browserObstacle() ?? false;

/** Addresses that the console's router knows, read from the router itself: a new page cannot be forgotten here. */
function listRoutes(): string[] {
  const source = readFileSync("console/src/router.tsx", "utf8");
  return [...source.matchAll(/path: "([^"]+)"/g)].map(([, path = ""]) => path);
}

/** A path to look at for each route. One without an entry for its parameter fails. */
function pathOf(route: string, ids: Readonly<Record<string, string>>): string {
  const path = route.replace("/{-$tab}", "").replace("$id", () => {
    const [, kind = ""] = route.split("/");
    const id = ids[kind];
    assert.ok(id !== undefined, `say here which ${kind} the route ${route} is looked at with`);
    return id;
  });
  return path;
}

async function giveJob(site: SimulatedSite): Promise<string> {
  const computers = site.server.registry.list().map(({ id }) => id);
  for (const id of computers) {
    await site.server.registry.approve(id);
  }
  const { createHandlers } = await import("#server/api-handlers.ts");
  const { nobody } = await import("#server/accounts/principal.ts");
  const { Scopes } = await import("#server/accounts/scope.ts");
  const job = await createHandlers(site.server, "test").createJob({
    ...{ query: undefined, principal: nobody, address: "", id: "" },
    ...{ setCookie: () => undefined, setActor: () => undefined },
    scope: new Scopes(site.server).wholeSite,
    body: {
      name: "nightly",
      tasks: [{ kind: "restart" }],
      conditions: [],
      computers,
      groups: [],
      schedule: { at: "2099-12-01 18:00", timeZone: "Europe/Berlin" },
      windows: [],
      force: false,
    },
  });
  return job.id;
}

/** Every page and every tab of it, found by its links. */
async function visitAll(page: Page, url: string, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const open = [...paths];
  const seen = new Set<string>();
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    if (seen.has(path)) {
      continue;
    }
    seen.add(path);
    await page.goto(`${url}${path}`);
    await page.locator("main h1, main[aria-label]").first().waitFor();
    await page.locator(".loading").first().waitFor({ state: "detached" });
    const links = await page.locator("nav.tabs a").all();
    const tabs = await Promise.all(links.map((link) => link.getAttribute("href")));
    open.push(...tabs.filter((tab) => tab !== null));
    found.push(...(await findFaults(page, path)));
  }
  assert.ok(seen.size >= paths.length + 15, `tabs were found: ${[...seen].join(" ")}`);
  return found;
}

test(
  "console: axe finds nothing serious on any page of the router or any tab, light and dark, wide and on a tablet",
  { skip, timeout: 400_000 },
  async (t) => {
    const { site, page } = await openRoom(t, { count: 3 });
    const found: string[] = [];
    await page.goto(`${site.console.url}/login`);
    await page.getByLabel("Name").waitFor();
    found.push(...(await findFaults(page, "/login")));
    await logInByPage(page, site.console.url, "ann", password);
    await waitForComputers(page, 3);
    const [computer] = site.server.registry.list();
    const ids = { computers: computer?.id ?? "", jobs: await giveJob(site) };
    const paths = listRoutes()
      .filter((route) => route !== "/login")
      .map((route) => pathOf(route, ids));
    assert.ok(paths.length >= 12, paths.join(" "));
    found.push(...(await visitAll(page, site.console.url, paths)));
    assert.deepEqual(found, []);
  },
);
