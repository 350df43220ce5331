import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { until } from "../agent/agent-site.ts";
import { processSockets } from "#platform/open-socket-list.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";
import { startRealAgent } from "./real-agent.ts";

const skip = browserObstacle() ?? false;

/** Ports that the server has open for remote control, and those that sessions use. */
type Work = {
  readonly before: number[];
  open: number[];
  sessions: number[];
  after: number[];
  controlPort: number;
};

async function worksInBrowser(t: TestContext, remotePort: "0" | "control"): Promise<Work> {
  const { site, page } = await openRoom(t, { count: 0 });
  const { server } = site;
  await server.settings.set("remote.port", remotePort);
  // This process is the server alone: its own sockets of remote control.
  const openPorts = (): number[] =>
    processSockets
      .list()
      .filter(({ flowId }) => flowId === "remote.control")
      .map(({ localPort }) => localPort);
  const work: Work = { before: openPorts(), open: [], sessions: [], after: [], controlPort: 0 };
  const folder = server.config.dataDir;
  startRealAgent(t, site);
  await logInByPage(page, site.console.url, "ann", password);
  await page.getByRole("grid", { name: "Computers" }).getByText("Waits for approval").click();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("region", { name: "Details" }).getByText("Running").waitFor();
  await page.getByRole("link", { name: "Open" }).click();
  const [terminal] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "Terminal" }).click(),
  ]);
  const name = server.registry.list()[0]?.name ?? "";
  await terminal.getByRole("status").filter({ hasText: name }).waitFor();
  assert.equal(await terminal.title(), `${name} – Terminal – Portolan`);
  await terminal.locator(".xterm-helper-textarea").focus();
  await terminal.keyboard.type("echo answer-$((6*7))\n");
  await terminal.getByText("answer-42").first().waitFor();
  writeFileSync(join(folder, "greeting.txt"), "from the computer");
  await page.getByRole("link", { name: "Files" }).click();
  await page.getByRole("button", { name: "Open the files" }).click();
  await page.getByRole("textbox", { name: "Folder" }).fill(folder);
  await page.getByRole("button", { name: "Go", exact: true }).click();
  const [fetched] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "greeting.txt" }).click(),
  ]);
  assert.equal(readFileSync(await fetched.path(), "utf8"), "from the computer");
  await page
    .getByLabel("Put a file here …", { exact: true })
    .last()
    .setInputFiles({
      name: "answer.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("from the browser"),
    });
  await page.getByText("answer.txt is there whole").waitFor();
  assert.equal(readFileSync(join(folder, "answer.txt"), "utf8"), "from the browser");
  work.open = openPorts();
  work.sessions = server.management.remote.list().map(({ facts }) => facts.port);
  work.controlPort = server.settings.current()["control.tcpPort"];
  await terminal.close();
  await page.goto("about:blank");
  await until(() => server.management.remote.list().length === 0);
  await until(() => openPorts().length === work.before.length);
  work.after = openPorts();
  const entries = await server.audit.list({ limit: 50, actor: "ann" });
  assert.ok(entries.some(({ action, outcome }) => action === "open-terminal" && outcome === "done"));
  return work;
}

const title =
  "console: a terminal of a real agent's computer answers in the browser, and its files come and go whole,";

test(
  `${title} on ports of their own that are open as long as they are`,
  { skip, timeout: 300_000 },
  async (t) => {
    const { before, open, sessions, after } = await worksInBrowser(t, "0");
    assert.deepEqual([before, after], [[], []]);
    assert.equal(new Set(open).size, 2);
    assert.deepEqual(new Set(open), new Set(sessions));
  },
);

test(`${title} inside the control port, with no other open`, { skip, timeout: 300_000 }, async (t) => {
  const { before, open, sessions, after, controlPort } = await worksInBrowser(t, "control");
  assert.deepEqual([before, open, after], [[], [], []]);
  assert.deepEqual(sessions, [controlPort, controlPort]);
});
