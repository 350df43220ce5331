import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";
import { startRealAgent } from "./real-agent.ts";

const skip = browserObstacle() ?? false;

test(
  "console: a terminal of a real agent's computer opens in the browser and answers what is typed, and its files come and go whole",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page } = await openRoom(t, { count: 0 });
    const { server } = site;
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
    await terminal.getByRole("status").filter({ hasText: /^c-/ }).waitFor();
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
    const entries = await server.audit.list({ limit: 50, actor: "ann" });
    assert.ok(entries.some(({ action, outcome }) => action === "open-terminal" && outcome === "done"));
  },
);
