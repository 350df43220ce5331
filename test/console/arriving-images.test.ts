import assert from "node:assert/strict";
import { test } from "node:test";
import { findFaults } from "./axe.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { dataRow, openRoom, password } from "./console-room.ts";
import { ask } from "./console-site.ts";

const skip = browserObstacle() ?? false;

test(
  "console: an image that a simulated computer is sending is shown as arriving with its bytes, and cannot be chosen",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 2 });
    const { server } = site;
    await logInByPage(page, site.console.url, "ann", password);
    await dataRow(page, "SIM00002").waitFor();
    const [computer] = server.registry.list();
    assert.ok(computer !== undefined);
    await server.registry.approve(computer.id);
    await server.control.reconsider();
    await page.getByText("In preboot").first().waitFor();
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const ordered = await ask(site, "/api/v1/jobs", {
      method: "POST",
      headers,
      body: {
        name: "capture office",
        tasks: [{ kind: "capture-image", image: "office" }],
        computers: [computer.id],
      },
    });
    assert.equal(ordered.status, 200, ordered.text);
    await page.goto(`${site.console.url}/images`);
    const card = page.getByRole("region", { name: "office, arriving" });
    await card.getByText(/Sends what the store lacks: \d+(\.\d+)? MB of 2\.4 GB · \d+ %/).waitFor();
    await card.getByText("It can be deployed when all of it has come.").waitFor();
    assert.deepEqual(await findFaults(page, "arriving images"), []);
    const shown = await ask(site, "/api/v1/images/arriving", { headers });
    const [image] = shown.json as { id: string | null; name: string; totalBytes: number; stage: string }[];
    assert.deepEqual(
      [image?.id, image?.name, image?.totalBytes, image?.stage],
      [null, "office", 2_400_000_000, "capturing"],
    );
    const whole = await ask(site, "/api/v1/images", { headers });
    assert.ok(!whole.text.includes("office"), "not an image yet");
    await page.getByRole("link", { name: "Computers" }).click();
    await page.getByRole("button", { name: "Deploy lab-image" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Deploy office", exact: true }).count(), 0);

    const { id } = ordered.json as { readonly id: string };
    const cancelled = await ask(site, `/api/v1/jobs/${id}/cancel`, { method: "POST", headers });
    assert.equal(cancelled.status, 200, cancelled.text);
    await page.getByRole("link", { name: "Images" }).click();
    await page.getByRole("heading", { name: "Images", exact: true }).waitFor();
    await card.waitFor({ state: "detached" });
    assert.deepEqual(faults, []);
  },
);
