import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { type LiveEvent, liveEventSchema, livePath, liveProofPrefix, liveProtocol } from "#api/live-api.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Login, logIn, startSite } from "./console-site.ts";

const password = "correct horse battery";

type Connection = {
  readonly socket: WebSocket;
  readonly events: LiveEvent[];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** HTTP status of a refusal, or null. */
  readonly refused: Promise<number | null>;
};

function connect(
  t: TestContext,
  site: SimulatedSite,
  given: { login?: Login; origin?: string; query?: string; token?: string },
): Connection {
  const { login, query = "", token } = given;
  const socket = new WebSocket(
    `${site.console.url.replace("https", "wss")}${livePath}${query}`,
    login === undefined ? [liveProtocol] : [liveProtocol, `${liveProofPrefix}${login.proof}`],
    {
      ca: site.server.authority.certificatePem,
      headers: {
        ...(login === undefined ? {} : { cookie: login.cookie }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(given.origin === undefined ? {} : { origin: given.origin }),
      },
    },
  );
  t.after(() => socket.terminate());
  const events: LiveEvent[] = [];
  // A Buffer: the server sends text.
  socket.on("message", (data: Buffer) =>
    events.push(liveEventSchema.parse(JSON.parse(data.toString("utf8")))),
  );
  const refused = new Promise<number | null>((resolve) => {
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.on("open", () => resolve(null));
    socket.on("error", () => undefined);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString("utf8") }));
  });
  return { socket, events, closed, refused };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2400 && !condition(); tries += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
  assert.ok(condition(), "did not come within a minute");
}

test("live events: strangers, foreign pages and cookies without their proof are refused", async (t) => {
  const site = await startSite(t);
  await site.server.accounts.createUser({ name: "ann", role: "viewer", password });
  const login = await logIn(site, "ann", password);
  const origin = site.console.url;
  assert.equal(await connect(t, site, { origin }).refused, 401);
  assert.equal(await connect(t, site, { login, origin: "https://evil.example" }).refused, 403);
  assert.equal(await connect(t, site, { login }).refused, 403, "a cookie without an origin is no browser");
  const stolen = { cookie: login.cookie, proof: "another-browsers" };
  assert.equal(await connect(t, site, { login: stolen, origin }).refused, 401);
  assert.equal(await connect(t, site, { login, origin }).refused, null);
  const actions = (await site.server.audit.list({ limit: 50 })).map(({ action }) => action);
  assert.equal(actions.filter((action) => action === "foreign-origin").length, 2);
  assert.equal(actions.filter((action) => action === "cookie-without-proof").length, 1);
});

test("live events: a change is told, and a console that comes back hears what it missed", async (t) => {
  const site = await startSite(t);
  const { adminToken: token, changes } = site.server;
  const first = connect(t, site, { token });
  await until(() => first.events.length >= 1);
  const [hello] = first.events;
  assert.ok(hello?.type === "hello" && !hello.isResumed);
  changes.area("settings");
  await until(() => first.events.some((event) => event.type === "changed" && event.area === "settings"));
  const after = Math.max(...first.events.map(({ sequence }) => sequence));
  first.socket.close();
  await first.closed;
  const hasImages = (event: LiveEvent): boolean => event.type === "changed" && event.area === "images";
  const witness = connect(t, site, { token });
  await until(() => witness.events.length >= 1);
  changes.area("images");
  await until(() => witness.events.some(hasImages));
  const second = connect(t, site, { token, query: `?after=${after}&epoch=${hello.epoch}` });
  await until(() => second.events.length >= 2);
  assert.ok(second.events[0]?.type === "hello" && second.events[0].isResumed);
  assert.deepEqual(
    second.events.slice(1).map((event) => (event.type === "changed" ? event.area : event.type)),
    ["images"],
  );
  const third = connect(t, site, { token, query: `?after=${after}&epoch=before-the-restart` });
  await until(() => third.events.length >= 1);
  assert.ok(third.events[0]?.type === "hello" && !third.events[0].isResumed);
});

test(
  "live events: who does not read is cut off with a reason; others are not",
  { timeout: 120_000 },
  async (t) => {
    const site = await startSite(t);
    const { adminToken: token, changes } = site.server;
    const slow = connect(t, site, { token });
    const quick = connect(t, site, { token });
    await until(() => slow.events.length >= 1 && quick.events.length >= 1);
    slow.socket.pause();
    const detail = "x".repeat(100_000);
    const quickCount = (): number => quick.events.filter(({ type }) => type === "boot-event").length;
    for (let count = 1; count <= 200; count += 1) {
      const event = { at: 1, computerId: null, mac: null, stage: "script", outcome: "done", reason: null };
      changes.bootEvent({ ...event, detail, trace: null });
      if (count % 20 === 0) {
        // As many as a console may be behind: the next come when it has read these, however slow the machine is.
        await until(() => quickCount() === count);
      }
    }
    slow.socket.resume();
    const { code, reason } = await slow.closed;
    assert.ok(code === 1013 || code === 1006, String(code));
    if (code === 1013) {
      assert.match(reason, /reads too slowly/);
    }
    assert.equal(quick.socket.readyState, WebSocket.OPEN);
    assert.match(await readMetrics(site), /portolan_events_total\{event="live.slow-consumer"\} 1\n/);
  },
);

async function readMetrics(site: SimulatedSite): Promise<string> {
  const { ask } = await import("./console-site.ts");
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  return (await ask(site, "/metrics", { headers })).text;
}
