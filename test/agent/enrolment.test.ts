import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";

const skip = networkTestObstacle("ip") ?? false;

async function prepare(t: TestContext): Promise<ManagedSite> {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
    { host: "two", interfaceName: "eth0", address: "10.9.0.3/24" },
    { host: "three", interfaceName: "eth0", address: "10.9.0.4/24" },
  ]);
  const site = new ManagedSite(hosts, createFolder(t));
  await site.startServer();
  return site;
}

test(
  "enrolment: a token lets one computer in, once; the next waits with its reason until the window opens",
  { skip },
  async (t) => {
    const site = await prepare(t);
    const { token, usesLeft } = site.portolan("computer", "token") as { token: string; usesLeft: number };
    assert.equal(usesLeft, 1);
    const tokenPath = join(site.folder, "one-state/enrolment-token");
    for (const host of ["one", "two"]) {
      mkdirSync(join(site.folder, `${host}-state`), { mode: 0o700 });
      writeFileSync(join(site.folder, `${host}-state/enrolment-token`), `${token}\n`, { mode: 0o600 });
    }
    const one = site.startAgent("one", { server: "10.9.0.1" });
    await one.waitFor("connected as", 60_000);
    assert.ok(!existsSync(tokenPath), "a token that was used is not kept");
    const two = site.startAgent("two", { server: "10.9.0.1" });
    await two.waitFor("waiting for approval: Never seen before", 60_000);
    const waiting = site.portolan("computer", "pending") as { address: string; reason: string }[];
    assert.deepEqual(
      waiting.map(({ address, reason }) => [address, reason]),
      [["10.9.0.3", "Never seen before: waits for approval."]],
    );
    site.portolan("computer", "window", "5m");
    await two.waitFor("connected as", 60_000);
    site.portolan("computer", "window", "off");
    const three = site.startAgent("three", { server: "10.9.0.1" });
    await three.waitFor("waiting for approval: Never seen before", 60_000);
    const history = site.portolan("computer", "history", site.idOf("10.9.0.2")) as { detail: string }[];
    assert.deepEqual(
      history.map(({ detail }) => detail),
      ["Showed an enrolment token."],
    );
  },
);

test(
  "enrolment: a revoked certificate is worth nothing, also after the computer was let in again",
  { skip },
  async (t) => {
    const site = await prepare(t);
    site.portolan("computer", "window", "5m");
    const one = site.startAgent("one", { server: "10.9.0.1" });
    await one.waitFor("connected as", 60_000);
    const id = site.idOf("10.9.0.2");
    site.portolan("computer", "window", "off");
    // A thief has copied key and certificate.
    cpSync(join(site.folder, "one-state"), join(site.folder, "two-state"), { recursive: true });
    // The certificate's times are whole seconds.
    await new Promise((resolve) => {
      setTimeout(resolve, 1100);
    });
    site.portolan("computer", "revoke", id);
    await one.waitFor("refused: this computer is not approved (any more)", 60_000);
    await one.waitFor("waiting for approval", 60_000);
    site.portolan("computer", "approve", id);
    const before = one.output().length;
    while (
      !one.output().slice(before).includes("connected as") &&
      one.output().split("connected as").length < 3
    ) {
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    const thief = site.startAgent("two", { server: "10.9.0.1" });
    await thief.waitFor("refused: this computer is not approved (any more)", 60_000);
    rmSync(join(site.folder, "two-state"), { recursive: true });
  },
);
