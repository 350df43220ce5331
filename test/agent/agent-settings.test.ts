import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder, until } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";

const skip = networkTestObstacle("ip") ?? false;

type State = {
  readonly settings: { readonly server: string | null } | null;
  readonly isLocked: boolean;
  readonly change: { readonly outcome: string; readonly reason: string | null } | null;
};
type Changed = { readonly states: readonly State[] };

async function prepare(t: Parameters<typeof createFolder>[0]) {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
    { host: "two", interfaceName: "eth0", address: "10.9.0.3/24" },
  ]);
  const site = new ManagedSite(hosts, createFolder(t));
  await site.startServer();
  const one = site.startAgent("one", { server: "10.9.0.1", discovery: false });
  await one.waitFor("waiting for approval", 60_000);
  site.approveAll();
  await one.waitFor("connected as");
  return { hosts, site, one };
}

test(
  "agent settings: an impossible server address from the server is tried, then the old one is back, and both sides say so",
  { skip },
  async (t) => {
    const { site, one } = await prepare(t);
    const before = site.readSettings("one");
    const id = site.idOf("10.9.0.2");
    const startedAtMs = performance.now();
    const change = site.startPortolan(
      ...["computer", "settings", id, "server=203.0.113.99", "--return-after", "6s"],
    );
    await one.waitFor("new settings from the server, on trial");
    await one.waitFor("the old ones are back");
    t.diagnostic(`back after ${Math.round(performance.now() - startedAtMs)} ms`);
    const output = await change.waitFor("returned: the server was not reached", 60_000);
    assert.match(output, /203\.0\.113\.99:402/);
    assert.equal(site.readSettings("one"), before);
    const readHistory = (): string =>
      (site.portolan("computer", "history", id) as { kind: string; detail: string }[])
        .map(({ kind, detail }) => `${kind} ${detail}`)
        .join("\n");
    await until(() => readHistory().includes(" returned: "));
    assert.match(
      readHistory(),
      /settings s-[0-9a-f]{8} returned: the server was not reached with the new settings within 6 s/,
    );
  },
);

test(
  "agent settings: a killed agent whose trial ran out meanwhile comes back with the old settings",
  { skip },
  async (t) => {
    const { site, one } = await prepare(t);
    const before = site.readSettings("one");
    const id = site.idOf("10.9.0.2");
    site.startPortolan("computer", "settings", id, "server=203.0.113.99", "--return-after", "5s");
    await one.waitFor("new settings from the server, on trial");
    one.child.kill("SIGKILL");
    assert.match(site.readSettings("one"), /203\.0\.113\.99/);
    const again = site.restartAgent("one");
    await again.waitFor("connected as", 60_000);
    assert.equal(site.readSettings("one"), before);
  },
);

test(
  "agent settings: a good change stays, for many at once, and the lock is set from the server",
  { skip },
  async (t) => {
    const { site, one } = await prepare(t);
    const two = site.startAgent("two", { server: "10.9.0.1", discovery: false });
    await two.waitFor("waiting for approval", 60_000);
    site.approveAll();
    await two.waitFor("connected as");
    const ids = [site.idOf("10.9.0.2"), site.idOf("10.9.0.3")];
    const words = ["discovery=on", "discoveryTtl=7", "lockPassword=open sesame"];
    const { states } = site.portolan("computer", "settings", ...ids, ...words) as Changed;
    assert.deepEqual(
      states.map(({ change, isLocked }) => [change?.outcome, isLocked]),
      [
        ["applied", true],
        ["applied", true],
      ],
    );
    for (const host of ["one", "two"]) {
      assert.match(site.readSettings(host), /discoveryTtl = 7/);
      assert.doesNotMatch(site.readSettings(host), /sesame/);
      const set = (...more: string[]): string =>
        site.hosts.run(host, process.execPath, [
          ...["src/agent/main.ts", "settings", "discoveryTtl", "9", "--config", site.settingsPath(host)],
          ...more,
        ]);
      assert.throws(set, ({ stdout }: { stdout: string }) => stdout.includes("these settings are locked"));
      assert.match(set("--password", "open sesame"), /discoveryTtl is set/);
    }
    one.child.kill("SIGHUP");
    await one.waitFor("settings were read again");
    assert.throws(
      () => site.portolan("computer", "settings", ids[0] ?? "", "discovery=off", "server="),
      /Command failed/,
    );
    const [state] = site.portolan("computer", "settings", ids[0] ?? "") as State[];
    assert.equal(state?.change?.outcome, "refused");
    assert.match(state?.change?.reason ?? "", /no way to find the server/);
  },
);
