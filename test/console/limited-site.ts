import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import type { GroupResource } from "#api/group-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { liveProofPrefix, liveProtocol } from "#api/live-api.ts";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Answer, ask, headersOf, type Login, logIn, startSite } from "./console-site.ts";

const password = "correct horse battery";

export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

export function codeOf({ json }: Answer): string {
  return typeof json === "object" && json !== null && "code" in json ? String(json.code) : "";
}

export async function read<Value>(answer: Promise<Answer>): Promise<Value> {
  const { status, json, text } = await answer;
  assert.equal(status, 200, text);
  return json as Value;
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 600 && !(await condition()); tries += 1) {
    await delay(50);
  }
  assert.ok(await condition(), `${what} did not come within 30 s`);
}

/** A site of which `ann`, an administrator, sees half. */
export type LimitedSite = {
  readonly site: SimulatedSite;
  readonly admin: Ask;
  readonly ann: Ask;
  readonly login: Login;
  /** In LAB1 and LAB2, which are in Building A: what ann is limited to. */
  readonly inside: readonly [string, string];
  /** In Building B, in no group, and in no group and waiting for its approval. */
  readonly outside: readonly [string, string, string];
  readonly groups: Readonly<Record<"a" | "lab1" | "lab2" | "b", GroupResource>>;
};

export async function startLimitedSite(t: TestContext): Promise<LimitedSite> {
  const site = await startSite(t);
  await addSimulatedImage(site, { name: "lab-image", dataMib: 1, sizeMib: 4 });
  const room = startSimulatedRoom(site, { count: 5, writeDelayMs: 1, areInstalled: false });
  t.after(() => room.forEach((computer) => computer.stop()));
  const { registry, accounts } = site.server;
  await until(() => registry.list().length === 5, "every computer");
  const [one = "", two = "", three = "", four = "", five = ""] = registry.list().map(({ id }) => id);
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const admin: Ask = (method, path, body) => ask(site, `/api/v1${path}`, { method, headers, body });
  for (const id of [one, two, three, four]) {
    await read(admin("POST", `/computers/${id}/approve`));
  }
  const add = (name: string, parent: string | null): Promise<GroupResource> =>
    read(admin("POST", "/groups", { name, parent }));
  const a = await add("Building A", null);
  const groups = {
    ...{ a, lab1: await add("LAB1", a.id), lab2: await add("LAB2", a.id) },
    b: await add("Building B", null),
  };
  for (const [id, group] of [
    [one, "LAB1"],
    [two, "LAB2"],
    [three, "Building B"],
  ]) {
    await read(admin("POST", "/computers/move", { computers: [id], group }));
  }
  await accounts.createUser({ name: "ann", role: "administrator", password, groupIds: [a.id] });
  const login = await logIn(site, "ann", password);
  const ann: Ask = (method, path, body) =>
    ask(site, `/api/v1${path}`, { method, headers: headersOf(login), body });
  return { site, admin, ann, login, inside: [one, two], outside: [three, four, five], groups };
}

/** Everything that names a computer. */
export function wordsOf({ server }: SimulatedSite, ids: readonly string[]): string[] {
  return ids.flatMap((id) => {
    const { name, macs, uuid, serial } = server.registry.require(id);
    return [id, `"${name}"`, ...macs, uuid ?? id, serial ?? id];
  });
}

export function order(
  ask_: Ask,
  name: string,
  computers: readonly string[],
  kind: object,
): Promise<JobResource> {
  return read(ask_("POST", "/jobs", { name, tasks: [kind], computers }));
}

/** What each socket has said since its start: the first words may come together with its opening. */
const heard = new WeakMap<WebSocket, string[]>();

/** What arrives, as text: events of the console, or what a terminal says. */
export function collect(socket: WebSocket | number): readonly string[] {
  assert.ok(typeof socket !== "number", "the socket was refused");
  return heard.get(socket) ?? [];
}

/** A WebSocket of the console, or the status of its refusal. */
export function openSocket(
  t: TestContext,
  site: SimulatedSite,
  path: string,
  who: Login | null,
): Promise<WebSocket | number> {
  const protocols = who === null ? [liveProtocol] : [liveProtocol, `${liveProofPrefix}${who.proof}`];
  const socket = new WebSocket(`${site.console.url.replace("https", "wss")}${path}`, protocols, {
    ca: site.server.authority.certificatePem,
    headers:
      who === null
        ? { authorization: `Bearer ${site.server.adminToken}` }
        : { cookie: who.cookie, origin: site.console.url },
  });
  t.after(() => socket.terminate());
  const texts: string[] = [];
  heard.set(socket, texts);
  socket.on("message", (data: Buffer) => texts.push(data.toString("utf8")));
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.on("error", reject);
  });
}
