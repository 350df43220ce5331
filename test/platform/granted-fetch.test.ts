import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { fetchByGrant } from "#platform/granted-fetch.ts";
import { processSockets } from "#platform/open-socket-list.ts";
import { createSiteKey, SiteAuthority } from "#server/site-authority.ts";

const settings = { ...classicSettings, "login.issuer": "https://login.example.org" };
const flow = findFlow(computeFlows(settings, { consolePort: 8443 }), "login.provider");
const grant = grantSocket(flow, { role: "server", side: "connect" });
const question = { method: "GET", headers: { accept: "application/json" }, body: null, timeoutMs: 60_000 };

/** Where it listens, and how many connections it had. */
async function listen(t: TestContext, server: Server): Promise<{ port: number; count: () => number }> {
  let count = 0;
  server.on("connection", () => {
    count += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, count: () => count };
}

test("granted fetch: a request goes over the one socket of its grant, by TLS that the machine trusts", async (t) => {
  const authority = new SiteAuthority(await createSiteKey(Date.now()));
  const flows: string[] = [];
  const answer: RequestListener = (request, response) => {
    flows.push(...processSockets.list().map(({ flowId }) => flowId));
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part.toString();
    });
    request.on("end", () => response.setHeader("x-seen", request.method ?? "").end(`got ${body}`));
  };
  const tls = await authority.issueServer("localhost", [], Date.now());
  const { port, count } = await listen(t, createTlsServer(tls, answer));
  const url = new URL(`https://localhost:${port}/token`);
  const post = { ...question, method: "POST", body: "grant_type=code" };
  await assert.rejects(fetchByGrant(grant, url, post), /localhost|127\.0\.0\.1.*certificate/);
  assert.deepEqual(flows, [], "a server that is not trusted is sent nothing");

  const before = getCACertificates("default");
  setDefaultCACertificates([...before, authority.certificatePem]);
  t.after(() => setDefaultCACertificates(before));
  const connectionCount = count();
  const response = await fetchByGrant(grant, url, post);
  assert.deepEqual(
    [response.status, response.headers.get("x-seen"), await response.text()],
    [200, "POST", "got grant_type=code"],
  );
  assert.equal(count(), connectionCount + 1);
  assert.deepEqual(flows, ["login.provider"]);
});

test("granted fetch: no redirect is followed, and an answer without end or without words is given up", async (t) => {
  const { port, count } = await listen(
    t,
    createServer((request, response) => {
      if (request.url === "/away") {
        response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
      } else if (request.url === "/endless") {
        response.write(Buffer.alloc(2 << 20));
      }
    }),
  );
  const ask = (path: string, more = {}) =>
    fetchByGrant(grant, new URL(`http://127.0.0.1:${port}${path}`), { ...question, ...more });
  assert.equal((await ask("/away")).status, 302);
  assert.equal(count(), 1);
  await assert.rejects(ask("/endless"), /\(login\.provider\) answered with more than 1 MiB/);
  await assert.rejects(
    ask("/silent", { timeoutMs: 2000 }),
    /\(login\.provider\) did not answer within 2000 ms/,
  );
});
