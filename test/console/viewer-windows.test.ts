import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { liveProofPrefix, liveProtocol } from "#api/live-api.ts";
import { filesPath, terminalPath } from "#api/remote-api.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Login, logIn, startSite } from "./console-site.ts";

const password = "correct horse battery";

/** HTTP status of the refusal, or 101. */
function openWindow(t: TestContext, site: SimulatedSite, path: string, login: Login): Promise<number> {
  const url = `${site.console.url.replace("https", "wss")}${path.replace(":id", "c-1")}`;
  const socket = new WebSocket(url, [liveProtocol, `${liveProofPrefix}${login.proof}`], {
    ca: site.server.authority.certificatePem,
    headers: { cookie: login.cookie, origin: site.console.url },
  });
  t.after(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.on("open", () => resolve(101));
    socket.on("error", reject);
  });
}

test("access: a viewer gets no terminal and no files of a computer, and the attempt is audited", async (t) => {
  const site = await startSite(t);
  const { accounts, audit } = site.server;
  await accounts.createUser({ name: "vic", role: "viewer", password });
  await accounts.createUser({ name: "olga", role: "operator", password });
  const viewer = await logIn(site, "vic", password);
  const operator = await logIn(site, "olga", password);
  for (const path of [terminalPath, filesPath]) {
    assert.equal(await openWindow(t, site, path, viewer), 403, path);
    assert.equal(await openWindow(t, site, path, operator), 101, "the same from an operator is let in");
  }
  const refused = await audit.list({ limit: 10, actor: "vic", outcome: "refused" });
  assert.deepEqual(
    refused.map(({ action }) => action),
    ["open-files", "open-terminal"],
  );
});
