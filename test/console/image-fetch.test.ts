import assert from "node:assert/strict";
import { test } from "node:test";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";

const skip = browserObstacle() ?? false;

test(
  "console: an image that this server lacks parts of says so, and fetching them says why none came",
  { skip, timeout: 180_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    const { chunks } = site.server;
    await logInByPage(page, site.console.url, "ann", password);
    await page.getByRole("link", { name: "Images" }).click();
    const card = page.getByRole("region", { name: "lab-image" });
    await card.getByText("In no other image").waitFor();
    const fetch = card.getByRole("button", { name: "Fetch from other servers" });
    assert.equal(await fetch.count(), 0, "nothing lacks yet");
    const [first, second] = await chunks.list();
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(
      [await chunks.remove(first.chunkHash), await chunks.remove(second.chunkHash)],
      [true, true],
    );
    await page.reload();
    await card.getByText("2 chunks are not on this server").waitFor();
    await fetch.click();
    await page
      .getByText(/2 chunks are not in the store of simulated: no other server of the site is running/)
      .waitFor();
    assert.deepEqual(faults, []);
  },
);
