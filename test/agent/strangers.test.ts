import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { approve, countOf, createRoom, readCounters, startAgent, startServer, until } from "./agent-site.ts";

const obstacle = networkTestObstacle("ip");
const skip = obstacle ?? false;

test(
  "control port: garbage of every kind is counted, answered with nothing, and never fatal",
  { skip },
  async (t) => {
    const site = createRoom(t);
    const server = await startServer(site);
    approve(site, server);
    site.hosts.run("two", process.execPath, ["test/agent/send-garbage.ts", "10.9.0.1", "garbage"], {
      timeoutMs: 60_000,
    });
    // Datagrams wait for the server when their sender has ended.
    await until(async () => ((await readCounters(server)).discovery["malformed"] ?? 0) >= 50);
    const counters = await readCounters(server);
    t.diagnostic(JSON.stringify(counters));
    assert.ok((counters.control["not-tls"] ?? 0) >= 10, "plain TCP");
    assert.ok((counters.control["malformed"] ?? 0) >= 4, "frames too big, of no JSON, of no message");
    assert.ok((counters.control["bad-proof"] ?? 0) >= 1, "an enrolment signed by another key");
    assert.ok((counters.discovery["malformed"] ?? 0) >= 50, "random datagrams");
    assert.equal(counters.discovery["answered"] ?? 0, 0);
    startAgent(site, "one", {});
    await server.waitFor('"event":"connected"');
  },
);

test("control port: without a certificate nothing but an enrolment is taken", { skip }, async (t) => {
  const site = createRoom(t);
  const server = await startServer(site);
  site.hosts.run("two", process.execPath, ["test/agent/send-garbage.ts", "10.9.0.1", "hello"]);
  const counters = await readCounters(server);
  assert.equal(counters.control["malformed"], 1);
  assert.equal(countOf(server, '"connected"') + countOf(server, '"message"'), 0);
});

test(
  "control port: a certificate without its key, or of another site, opens nothing",
  { skip },
  async (t) => {
    const site = createRoom(t);
    const server = await startServer(site);
    approve(site, server);
    const agent = startAgent(site, "one", { server: "10.9.0.1" });
    await server.waitFor('"event":"connected"');
    await agent.waitFor("connected as c-");
    const certificatePath = join(site.folder, "one-state/certificate.pem");
    assert.match(readFileSync(certificatePath, "utf8"), /BEGIN CERTIFICATE/);
    const output = site.hosts.run("two", process.execPath, [
      "test/agent/send-garbage.ts",
      "10.9.0.1",
      "stolen",
      certificatePath,
    ]);
    assert.match(output, /stolen certificate: (?!connected)/);
    assert.match(output, /foreign certificate: refused: this certificate is not of this site/);
    assert.equal(countOf(server, '"event":"connected"'), 1);
    assert.equal((await readCounters(server)).control["unknown-certificate"], 1);
  },
);

test(
  "control port: a computer is who its certificate says, whatever its messages claim",
  { skip },
  async (t) => {
    const site = createRoom(t);
    const server = await startServer(site);
    approve(site, server);
    // Both have their certificates then.
    await Promise.all(
      ["one", "two"].map((host) => startAgent(site, host, { server: "10.9.0.1" }).waitFor("connected as")),
    );
    const idOf = async (host: string): Promise<string> => {
      const output = site.hosts.run(host, process.execPath, [
        "test/agent/send-garbage.ts",
        "10.9.0.1",
        "claim",
        join(site.folder, `${host}-state`),
      ]);
      return /welcome (c-[0-9a-f]{8})/.exec(output)?.[1] ?? output;
    };
    const [one, two] = [await idOf("one"), await idOf("two")];
    assert.match(one, /^c-/);
    assert.match(two, /^c-/);
    assert.notEqual(one, two);
  },
);

test(
  "control port: a crowd of silent strangers of one address is cut to a few, and others get in",
  { skip },
  async (t) => {
    const site = createRoom(t);
    const server = await startServer(site);
    approve(site, server);
    site.hosts.start("two", process.execPath, ["test/agent/send-garbage.ts", "10.9.0.1", "crowd"]);
    await until(async () => ((await readCounters(server)).control["too-many-strangers"] ?? 0) >= 24);
    startAgent(site, "one", { server: "10.9.0.1" });
    await server.waitFor('"event":"connected"');
    assert.equal((await readCounters(server)).control["too-many-strangers"], 24);
  },
);
