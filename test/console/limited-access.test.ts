import assert from "node:assert/strict";
import { test } from "node:test";
import { type RouteName, routes } from "#api/contract.ts";
import type { Route } from "#api/route.ts";
import { ask, headersOf } from "./console-site.ts";
import {
  type Ask,
  codeOf,
  type LimitedSite,
  order,
  read,
  startLimitedSite,
  until,
  wordsOf,
} from "./limited-site.ts";

const all = Object.entries(routes) as [RouteName, Route][];
const ofScope = (scope: Route["scope"]): [RouteName, Route][] =>
  all.filter(([, route]) => route.scope === scope);

function call(who: Ask, route: Route, id: string, body: unknown = {}) {
  return who(route.method, route.path.replace(":id", id), route.method === "GET" ? undefined : body);
}

test(
  "limited account: every route of the whole site is refused, what is shared is not, and refusals are audited",
  { timeout: 120_000 },
  async (t) => {
    const { site, ann, login } = await startLimitedSite(t);
    const refused: string[] = [];
    for (const [name, route] of ofScope("site")) {
      const answer = await call(ann, route, "x");
      assert.deepEqual([answer.status, codeOf(answer)], [403, "outside-scope"], `${name}: ${answer.text}`);
      refused.push(name);
    }
    const entries = await site.server.audit.list({ limit: 500, actor: "ann", outcome: "refused" });
    assert.deepEqual(entries.map(({ action }) => action).toReversed(), refused);
    assert.match(entries[0]?.detail ?? "", /limited to groups/);
    const isOwn = new Set<RouteName>(["logout"]);
    for (const [name, route] of all.filter(([, { scope }]) => typeof scope === "object")) {
      if (!isOwn.has(name)) {
        assert.notEqual(codeOf(await call(ann, route, "x")), "outside-scope", name);
      }
    }
    const headers = headersOf(login);
    assert.equal(codeOf(await ask(site, "/metrics", { headers })), "outside-scope");
    assert.equal((await ask(site, "/api/v1/openapi.json", { headers })).status, 200);
    assert.equal((await ann("GET", "/me")).status, 200, "nothing of it ended the session");
  },
);

test(
  "limited account: each route on one computer or group is refused outside and open inside",
  { timeout: 120_000 },
  async (t) => {
    const { site, ann, inside, outside, groups } = await startLimitedSite(t);
    const before = site.server.registry.list().map(({ id, state }) => [id, state]);
    for (const [name, route] of ofScope("computer")) {
      for (const id of outside) {
        const answer = await call(ann, route, id);
        assert.deepEqual(
          [answer.status, codeOf(answer)],
          [403, "outside-scope"],
          `${name} ${id}: ${answer.text}`,
        );
      }
    }
    const byMac = site.server.registry.require(outside[0]).macs[0] ?? "";
    assert.equal(codeOf(await ann("GET", `/computers/${byMac}`)), "outside-scope", "however it is named");
    for (const [name, route] of ofScope("group")) {
      const answer = await call(ann, route, groups.b.id);
      assert.deepEqual([answer.status, codeOf(answer)], [403, "outside-scope"], `${name}: ${answer.text}`);
    }
    assert.deepEqual(
      site.server.registry.list().map(({ id, state }) => [id, state]),
      before,
      "nothing was done",
    );
    const [one, two] = inside;
    const last = new Set<RouteName>(["revokeComputer", "forgetComputer", "removeGroup"]);
    const opened = [...ofScope("computer"), ...ofScope("group")].toSorted(
      ([left], [right]) => Number(last.has(left)) - Number(last.has(right)),
    );
    for (const [name, route] of opened) {
      const id = route.scope === "group" ? groups.lab2.id : name === "forgetComputer" ? two : one;
      const answer = await call(ann, route, id);
      assert.notEqual(answer.status, 403, `${name}: ${answer.text}`);
    }
    assert.equal(site.server.registry.get(two), null, "forgetting was done");
    assert.equal(site.server.groups.groupOf(two), null, "with its place in the group");
    const entries = await site.server.audit.list({ limit: 500, actor: "ann", action: "wakeComputer" });
    assert.deepEqual(
      entries.map(({ outcome, target }) => [outcome, target]),
      [["done", one], ...outside.toReversed().map((id) => ["refused", id])],
    );
  },
);

/** What each route that names things in its body is asked, outside and inside. */
type Named = Partial<
  Record<RouteName, { readonly id?: string; readonly outside: readonly unknown[]; readonly inside: unknown }>
>;

async function prepareNamed({ admin, inside, outside, groups }: LimitedSite): Promise<Named> {
  const [one, two] = inside;
  const [three, four] = outside;
  const inventory = { kind: "inventory" };
  const later = { at: "2099-01-01 08:00" };
  const job = { name: "named", tasks: [inventory], schedule: later };
  const mine = await read<{ id: string }>(admin("POST", "/jobs", { ...job, computers: [one] }));
  const donor = { kind: "restore-user-data", data: "home", from: three };
  const file = { kind: "copy-file", source: "/etc/hostname", destination: "/tmp/x" };
  return {
    addGroup: {
      outside: [{ name: "Row" }, { name: "Row", parent: groups.b.id }],
      inside: { name: "Row", parent: groups.lab1.id },
    },
    moveComputers: {
      outside: [
        { computers: [one, three], group: groups.lab1.id },
        { computers: [one], group: groups.b.id },
        { computers: [one], group: null },
      ],
      inside: { computers: [one], group: groups.lab2.id },
    },
    changeAgentSettings: {
      outside: [{ computers: [one, four], change: { remoteNotice: true } }],
      inside: { computers: [one], change: { remoteNotice: true } },
    },
    createJob: {
      outside: [
        job,
        { ...job, computers: [one, three] },
        { ...job, groups: [groups.b.id] },
        { ...job, computers: [one], tasks: [donor] },
        { ...job, computers: [one], tasks: [file] },
      ],
      inside: { ...job, groups: [groups.a.id] },
    },
    previewJob: {
      outside: [
        { ...job, computers: [four] },
        { ...job, computers: [one], tasks: [file] },
      ],
      inside: { ...job, computers: [one] },
    },
    assignJob: {
      id: mine.id,
      outside: [{ computers: [two, three] }, { groups: [groups.b.id] }],
      inside: { computers: [two] },
    },
    deferJob: {
      id: mine.id,
      outside: [{ untilAt: 1, computers: [three] }],
      inside: { untilAt: 1, computers: [one] },
    },
    cancelJob: { id: mine.id, outside: [], inside: {} },
  };
}

/** Routes that name a job, run or session by its id: asked in tests of their own. */
const elsewhere: readonly RouteName[] = [
  "showJob",
  "showRun",
  "endRemoteSession",
  "showRecording",
  "pauseSession",
  "resumeSession",
  "cancelSession",
];

test(
  "limited account: work on many computers is refused whole when one is outside, and names it",
  { timeout: 120_000 },
  async (t) => {
    const limited = await startLimitedSite(t);
    const { site, ann, admin, inside, outside, groups } = limited;
    const named = await prepareNamed(limited);
    const untried = ofScope("named").filter(
      ([name]) => named[name] === undefined && !elsewhere.includes(name),
    );
    assert.deepEqual(untried, [], "every route that names something is tried");
    const jobCount = site.server.jobs.listJobs().length;
    for (const [name, route] of ofScope("named")) {
      for (const body of named[name]?.outside ?? []) {
        const answer = await call(ann, route, named[name]?.id ?? "", body);
        const shown = `${name} ${JSON.stringify(body)}: ${answer.text}`;
        assert.deepEqual([answer.status, codeOf(answer)], [403, "outside-scope"], shown);
      }
    }
    assert.equal(site.server.jobs.listJobs().length, jobCount);
    assert.deepEqual(
      [inside[0], outside[0]].map((id) => site.server.groups.groupOf(id)),
      [groups.lab1.id, groups.b.id],
    );
    const three = site.server.registry.require(outside[0]).name;
    const many = await ann("POST", "/jobs", {
      name: "x",
      tasks: [{ kind: "inventory" }],
      computers: [...inside, three],
    });
    assert.match(many.text, new RegExp(`outside of your groups: ${three};`));
    for (const [name, route] of ofScope("named")) {
      const given = named[name];
      if (given !== undefined) {
        const answer = await call(ann, route, given.id ?? "", given.inside);
        assert.notEqual(codeOf(answer), "outside-scope", `${name}: ${answer.text}`);
        assert.notEqual(answer.status, 400, `${name}: ${answer.text}`);
      }
    }
    const top = await ann("PUT", `/groups/${groups.lab1.id}`, { parent: null });
    assert.equal(codeOf(top), "outside-scope", "a group of its own does not leave its groups");
    assert.equal(codeOf(await ann("DELETE", `/groups/${groups.a.id}`)), "outside-scope");
    assert.equal(codeOf(await admin("DELETE", `/groups/${groups.a.id}`)), "in-use", "ann is limited to it");
  },
);

test(
  "limited account: jobs, runs and sessions show what is inside, and are not stopped for others",
  { timeout: 120_000 },
  async (t) => {
    const { site, ann, admin, inside, outside } = await startLimitedSite(t);
    const [one] = inside;
    const [three, four] = outside;
    const deploy = { kind: "deploy-image", image: "lab-image" };
    const mixed = await order(admin, "mixed", [one, three], deploy);
    const foreign = await order(admin, "foreign", [four], { kind: "inventory" });
    const empty = await order(admin, "empty", [], { kind: "inventory" });
    await until(() => site.server.imaging.list()[0]?.computerIds.size === 2, "the session of both");
    const seen = await read<{ runs: { id: string; computerId: string }[] }>(ann("GET", `/jobs/${mixed.id}`));
    assert.deepEqual(
      seen.runs.map(({ computerId }) => computerId),
      [one],
    );
    const foreignRun = mixed.runs.find(({ computerId }) => computerId === three)?.id ?? "";
    const sessionId = site.server.imaging.list()[0]?.id ?? 0;
    for (const [method, path, body] of [
      ["GET", `/jobs/${foreign.id}`],
      ["GET", `/jobs/${empty.id}`],
      ["GET", `/runs/${foreignRun}`],
      ["POST", `/jobs/${mixed.id}/cancel`, {}],
      ["POST", `/jobs/${mixed.id}/defer`, { untilAt: 1 }],
      ["POST", `/jobs/${empty.id}/assign`, { computers: [one] }],
      ["POST", `/computers/${one}/replay`, { from: three }],
      ["POST", `/sessions/${sessionId}/pause`, {}],
      ["POST", `/sessions/${sessionId}/resume`, {}],
      ["POST", `/sessions/${sessionId}/cancel`, {}],
    ] as const) {
      const answer = await ann(method, path, body);
      assert.equal(codeOf(answer), "outside-scope", `${method} ${path}: ${answer.text}`);
    }
    assert.equal((await ann("GET", `/runs/${seen.runs[0]?.id}`)).status, 200);
    assert.equal(
      (await ann("POST", `/jobs/${mixed.id}/defer`, { untilAt: 1, computers: [one] })).status,
      200,
    );
    const jobs = await read<{ name: string }[]>(ann("GET", "/jobs"));
    assert.deepEqual(
      jobs.map(({ name }) => name),
      ["mixed"],
    );
    const reads = await site.server.audit.list({ limit: 50, actor: "ann", action: "showJob" });
    assert.deepEqual(
      reads.map(({ outcome, target }) => [outcome, target]),
      [
        ["refused", empty.id],
        ["refused", foreign.id],
      ],
      "a reader's refusals are written down as well",
    );
    await until(async () => (await read<unknown[]>(ann("GET", "/sessions"))).length === 1, "the session");
  },
);

test("limited account: no list tells of what is outside", { timeout: 120_000 }, async (t) => {
  const { site, ann, admin, inside, outside, groups } = await startLimitedSite(t);
  const deploy = { kind: "deploy-image", image: "lab-image" };
  const mixed = await order(admin, "mixed", [inside[0], outside[0]], deploy);
  const foreign = await order(admin, "foreign", [outside[1]], { kind: "inventory" });
  await until(() => site.server.imaging.list()[0]?.computerIds.size === 2, "the session of both");
  await read(admin("POST", `/computers/${outside[0]}/wake`));
  await read(admin("POST", `/computers/${inside[0]}/wake`));
  await until(
    async () => (await admin("GET", "/boot/events")).text.includes(outside[0]),
    "a boot event of it",
  );
  const words = [...wordsOf(site, outside), groups.b.id, "Building B", foreign.id];
  const telling: RouteName[] = [];
  for (const [name, route] of ofScope("filtered")) {
    const whole = await call(admin, route, "");
    const own = await call(ann, route, "");
    assert.deepEqual([whole.status, own.status], [200, 200], `${name}: ${own.text}`);
    const leaks = words.filter((word) => own.text.includes(word));
    assert.deepEqual(leaks, [], `${name} tells of what is outside: ${own.text.slice(0, 2000)}`);
    // Receivers are in the list of sessions for as long as they report.
    if (name !== "listSessions" && words.some((word) => whole.text.includes(word))) {
      telling.push(name);
    }
  }
  assert.deepEqual(
    telling.toSorted(),
    ["listAudit", "listBootEvents", "listComputers", "listGroups", "listHistory", "listJobs"],
    "these had something to leave out",
  );
  for (const [path, word] of [
    ["/computers", inside[0]],
    ["/groups", groups.lab1.id],
    ["/jobs", mixed.id],
    ["/boot/events", inside[0]],
    ["/history", inside[0]],
    ["/audit", inside[0]],
  ] as const) {
    assert.ok((await ann("GET", path)).text.includes(word), `${path} tells of what is inside`);
  }
  await read(ann("PUT", `/groups/${encodeURIComponent("Building A/LAB2")}`, { name: "LAB3" }));
  const [entry] = await site.server.audit.list({ limit: 1 });
  assert.deepEqual([entry?.action, entry?.target], ["setGroup", groups.lab2.id], "by its id, however named");
  const listed = await read<unknown[]>(ann("GET", "/computers"));
  assert.equal(listed.length, 2);
});
