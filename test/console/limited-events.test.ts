import assert from "node:assert/strict";
import { test } from "node:test";
import type { ComputerResource } from "#api/computer-api.ts";
import { type LiveEvent, liveEventSchema, livePath } from "#api/live-api.ts";
import {
  codeOf,
  collect,
  openSocket,
  order,
  read,
  startLimitedSite,
  until,
  wordsOf,
} from "./limited-site.ts";
import { startRealAgent } from "./real-agent.ts";

function eventsIn(texts: readonly string[]): LiveEvent[] {
  return texts.map((text) => liveEventSchema.parse(JSON.parse(text)));
}

function hellosIn(texts: readonly string[]): number {
  return eventsIn(texts).filter((event) => event.type === "hello" && !event.isResumed).length;
}

test(
  "limited account: live events tell of what is inside, and to read again when groups change",
  { timeout: 120_000 },
  async (t) => {
    const { site, admin, login, inside, outside, groups } = await startLimitedSite(t);
    const [one] = inside;
    const [three, four] = outside;
    const whole = collect(await openSocket(t, site, livePath, null));
    const own = collect(await openSocket(t, site, livePath, login));
    await until(() => hellosIn(whole) === 1 && hellosIn(own) === 1, "both greetings");
    const mixed = await order(admin, "mixed", [one, three], { kind: "deploy-image", image: "lab-image" });
    const foreign = await order(admin, "foreign", [four], { kind: "inventory" });
    const types = (texts: readonly string[]): Set<string> => new Set(eventsIn(texts).map(({ type }) => type));
    await until(
      () => ["computer", "job", "session", "boot-event", "changed"].every((type) => types(own).has(type)),
      "an event of each kind",
    );
    await until(() => whole.some((text) => text.includes(foreign.id)), "the job of the others");
    const words = [...wordsOf(site, outside), foreign.id, groups.b.id];
    assert.ok(words.some((word) => whole.join("").includes(word)));
    assert.deepEqual(
      words.filter((word) => own.join("").includes(word)),
      [],
    );
    for (const event of eventsIn(own)) {
      assert.ok(event.type !== "job" || event.job.id === mixed.id);
      assert.notEqual(event.type, "runs", "it may see this job for the first time");
    }
    await read(admin("POST", "/computers/move", { computers: [three], group: groups.lab1.id }));
    await until(() => hellosIn(own) === 2, "word that groups have changed");
    await until(
      () => eventsIn(own).some((event) => event.type === "computer" && event.computer.id === three),
      "the computer that came",
    );
    assert.equal(hellosIn(whole), 1, "who sees the whole site has nothing to read again");
    await read(admin("POST", "/computers/move", { computers: [three], group: null }));
    await until(() => hellosIn(own) === 3, "word that one has left");
  },
);

test("limited account: live events are never resumed, since more may be outside by then", async (t) => {
  const { site, login } = await startLimitedSite(t);
  const first = collect(await openSocket(t, site, livePath, null));
  await until(() => first.length > 0, "a greeting");
  const [hello] = eventsIn(first);
  assert.ok(hello?.type === "hello");
  const again = `${livePath}?epoch=${hello.epoch}&after=${hello.sequence}`;
  const isResumed = async (who: typeof login | null): Promise<boolean> => {
    const texts = collect(await openSocket(t, site, again, who));
    await until(() => texts.length > 0, "a greeting");
    const [greeting] = eventsIn(texts);
    return greeting?.type === "hello" && greeting.isResumed;
  };
  assert.deepEqual([await isResumed(null), await isResumed(login)], [true, false]);
});

test(
  "limited account: terminals and their recordings are refused outside, open inside, and end when a computer leaves",
  { timeout: 180_000 },
  async (t) => {
    const { site, admin, ann, login, inside, groups } = await startLimitedSite(t);
    const { server } = site;
    await server.settings.set("remote.recordTerminals", "on");
    const known = new Set(server.registry.list().map(({ id }) => id));
    startRealAgent(t, site);
    const agent = (): string => server.registry.list().find(({ id }) => !known.has(id))?.id ?? "";
    await until(() => agent() !== "", "the agent");
    const id = agent();
    assert.equal(
      codeOf(await ann("POST", `/computers/${id}/approve`)),
      "outside-scope",
      "it waits for approval",
    );
    await read(admin("POST", `/computers/${id}/approve`));
    await until(() => server.control.find(id) !== null, "its connection");
    const path = (computerId: string, kind: string): string => `/api/v1/computers/${computerId}/${kind}`;
    for (const kind of ["terminal", "files", "desktop"]) {
      assert.equal(await openSocket(t, site, path(id, kind), login), 403, kind);
    }
    const refused = await server.audit.list({ limit: 20, actor: "ann", outcome: "refused" });
    assert.deepEqual(
      refused.map(({ action }) => action).filter((action) => action.startsWith("open-")),
      ["open-desktop", "open-files", "open-terminal"],
    );
    const foreign = collect(await openSocket(t, site, path(id, "terminal"), null));
    await until(() => server.management.remote.list().length === 1, "a session of somebody else");
    const sessionId = server.management.remote.list()[0]?.facts.id ?? "";
    await until(
      async () => (await read<unknown[]>(admin("GET", "/recordings"))).length === 1,
      "its recording",
    );
    assert.deepEqual(await read(ann("GET", "/remote-sessions")), []);
    assert.deepEqual(await read(ann("GET", "/recordings")), []);
    assert.equal(codeOf(await ann("GET", `/recordings/${sessionId}`)), "outside-scope");
    assert.equal(codeOf(await ann("DELETE", `/remote-sessions/${sessionId}`)), "outside-scope");
    const sideways = collect(
      await openSocket(t, site, `${path(inside[0], "terminal")}?session=${sessionId}`, login),
    );
    await until(() => sideways.some((text) => text.includes("there is no terminal session")), "a refusal");

    await read(admin("POST", "/computers/move", { computers: [id], group: groups.lab1.id }));
    const socket = await openSocket(t, site, path(id, "terminal"), login);
    const own = collect(socket);
    assert.ok(typeof socket !== "number");
    await until(() => own.some((text) => text.includes('"opened"')), "a terminal");
    socket.send(Buffer.from("echo answer-$((6*7))\n"), { binary: true });
    await until(() => own.some((text) => text.includes("answer-42")), "an answer");
    assert.equal((await read<unknown[]>(ann("GET", "/remote-sessions"))).length, 2);
    assert.equal((await ann("GET", `/recordings/${sessionId}`)).status, 200);
    assert.equal((await ann("DELETE", `/remote-sessions/${sessionId}`)).status, 200);
    await until(() => foreign.some((text) => text.includes('"closed"')), "the end of the other's session");

    const closed = new Promise<string>((resolve) => {
      socket.on("close", (code, reason) => resolve(`${code} ${reason.toString("utf8")}`));
    });
    await read(admin("POST", "/computers/move", { computers: [id], group: null }));
    assert.equal(await closed, "1008 your groups of computers have changed");
  },
);

test("limited account: a list of computers by a group outside of its own is empty", async (t) => {
  const { ann, groups } = await startLimitedSite(t);
  assert.deepEqual(await read<ComputerResource[]>(ann("GET", `/computers?group=${groups.b.id}`)), []);
});
