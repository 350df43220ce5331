import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { until } from "./agent-site.ts";
import type { ManagedSite } from "./managed-site.ts";
import { prepareRemoteSite, remotePorts } from "./remote-site.ts";

const skip = networkTestObstacle("ip") ?? false;

type Session = { readonly id: string; readonly kind: string; readonly port: number };

/** Types into a terminal of the computer and waits for what it must answer with. */
async function typeInto(terminal: HostProcess, text: string, answer: string): Promise<string> {
  terminal.child.stdin?.write(text);
  return terminal.waitFor(answer, 30_000);
}

async function worksInTerminal(
  site: ManagedSite,
  id: string,
): Promise<{ session: Session; ports: number[] }> {
  const terminal = site.startTyping("computer", "terminal", id);
  await terminal.waitFor("; Ctrl-] leaves it", 60_000);
  const sessions = site.portolan("computer", "sessions") as Session[];
  const ports = remotePorts(site);
  await typeInto(terminal, "echo $((6*7)); tty; hostname -I\n", "42");
  await typeInto(terminal, "ip -4 -o addr show eth0\n", "10.9.0.2/24");
  assert.match(terminal.output(), /\/dev\/pts\/\d+/);
  const ended = new Promise((resolve) => {
    terminal.child.once("exit", resolve);
  });
  terminal.child.stdin?.write("exit 3\n");
  await ended;
  assert.equal(terminal.child.exitCode, 1, terminal.output());
  const [session] = sessions;
  assert.ok(session !== undefined && sessions.length === 1);
  return { session, ports };
}

test(
  "remote control: a terminal on a port of its own, which the plan shows while it is open and no longer",
  { skip },
  async (t) => {
    const { site, id } = await prepareRemoteSite(t);
    assert.deepEqual(remotePorts(site), []);
    const { session, ports } = await worksInTerminal(site, id);
    assert.ok(session.port > 1024);
    assert.deepEqual(ports, [session.port]);
    await until(() => remotePorts(site).length === 0);
    const [recording] = site.portolan("computer", "recordings") as { id: string; computerId: string }[];
    assert.equal(recording?.computerId, id);
    const out = join(site.folder, "terminal.cast");
    site.portolan("computer", "recordings", "--id", recording?.id ?? "", "--out", out);
    const [header, ...events] = readFileSync(out, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    assert.equal((header as { version: number }).version, 2);
    const shown = events.map((event) => (event as [number, string, string])[2]).join("");
    assert.match(shown, /\b42\b/);
  },
);

test("remote control: a terminal inside the control port, with no other port open", { skip }, async (t) => {
  const { site, id } = await prepareRemoteSite(t, { settings: [["remote.port", "402"]] });
  const { session, ports } = await worksInTerminal(site, id);
  assert.equal(session.port, 402);
  assert.deepEqual(ports, []);
});

test(
  "remote control: on one fixed port, files go both ways whole, and stay outside what does not exist",
  { skip },
  async (t) => {
    const { site, id } = await prepareRemoteSite(t, { settings: [["remote.port", "4403"]] });
    const source = join(site.folder, "source");
    const bytes = randomBytes(20_000_001);
    writeFileSync(source, bytes);
    mkdirSync(join(site.folder, "there"));
    const there = join(site.folder, "there/file");
    const startedAtMs = performance.now();
    site.portolan("computer", "files", "put", id, source, there);
    t.diagnostic(`20 MB sent in ${Math.round(performance.now() - startedAtMs)} ms`);
    const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
    assert.equal(sha256(there), sha256(source));
    const back = join(site.folder, "back");
    site.portolan("computer", "files", "get", id, there, back);
    t.diagnostic(`and fetched after ${Math.round(performance.now() - startedAtMs)} ms`);
    assert.equal(sha256(back), sha256(source));
    writeFileSync(join(site.folder, "there/\u001b]0;evil\u0007"), "");
    const entries = site.portolan("computer", "files", "list", id, join(site.folder, "there")) as {
      name: string;
      sizeBytes: number;
    }[];
    assert.deepEqual(
      entries.map(({ name, sizeBytes }) => [name, sizeBytes]),
      [
        ["\\u{1b}]0;evil\\u{7}", 0],
        ["file", 20_000_001],
      ],
    );
    assert.throws(() => site.portolan("computer", "files", "get", id, "/nowhere", join(site.folder, "x")));
    assert.ok(!existsSync(join(site.folder, "x")));
    await until(() => remotePorts(site).length === 0);
  },
);

test(
  "remote control: the computer's policy decides, two operators share a terminal, an end is an end for both",
  { skip },
  async (t) => {
    const { site, id } = await prepareRemoteSite(t, { agent: { remoteControl: "never" } });
    const refused = site.startTyping("computer", "terminal", id);
    await refused.waitFor("remote control is switched off on this computer", 60_000);
    site.portolan("settings", "set", "remote.recordTerminals", "off");
    site.portolan("computer", "settings", id, "remoteControl=allow", "remoteNotice=off");
    const history = JSON.stringify(site.portolan("computer", "history", id));
    assert.match(history, /sent: remoteControl = allow, remoteNotice = false/);
    assert.match(JSON.stringify(site.portolan("audit")), /changeAgentSettings/);
    const first = site.startTyping("computer", "terminal", id);
    await first.waitFor("; Ctrl-] leaves it", 60_000);
    await typeInto(first, "echo shared-$((1+1))\n", "shared-2");
    const [session] = site.portolan("computer", "sessions") as Session[];
    const second = site.startTyping("computer", "terminal", id, "--session", session?.id ?? "");
    await second.waitFor("shared-2", 60_000);
    await typeInto(second, "echo both-$((2+2))\n", "both-4");
    await first.waitFor("both-4");
    const recordings = site.portolan("computer", "recordings") as Session[];
    assert.ok(!recordings.some((recording) => recording.id === session?.id), "recording was switched off");
    site.portolan("computer", "end-session", session?.id ?? "");
    await Promise.all([first, second].map((each) => each.waitFor("an operator has ended it", 30_000)));
  },
);
