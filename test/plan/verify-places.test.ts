import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { canRunRouted, RoutedSite } from "./routed-site.ts";
import { faults, VerifySite } from "./verify-site.ts";

describe("verify, in places of their own", () => {
  test("a server on 192.168.0.1 and 11.11.11.1: each side is proven with its own address, and never told the other", async (t) => {
    const obstacle = networkTestObstacle("ip", "dnsmasq", "ping");
    if (obstacle !== null) {
      t.skip(obstacle);
      return;
    }
    const site = new VerifySite(t);
    const sides = [
      { name: "left", prefix: "192.168.0", serverInterface: "eth0" },
      { name: "right", prefix: "11.11.11", serverInterface: "eth1" },
    ] as const;
    for (const { name, prefix, serverInterface } of sides) {
      site.hosts.segment(name, [
        { host: "server", interfaceName: serverInterface, address: `${prefix}.1/24` },
        { host: `dhcp-${name}`, interfaceName: "eth0", address: `${prefix}.254/24` },
        { host: name, interfaceName: "eth0", address: `${prefix}.2/24` },
      ]);
      await site.startDhcp(`dhcp-${name}`, `${prefix}.100,${prefix}.200`);
    }
    assert.throws(
      () => site.hosts.run("left", "ping", ["-c", "1", "-W", "1", "11.11.11.1"]),
      "no way across",
    );
    await site.startServer(["eth0", "eth1"]);
    for (const { name, prefix } of sides) {
      await site.startAgent(name, `${prefix}.1`);
    }
    const { cells, exitCode } = await site.verify();
    assert.deepEqual(faults(cells), []);
    assert.equal(exitCode, 0);
    for (const { prefix, serverInterface } of sides) {
      const evidence = (flow: string): string =>
        cells.find((cell) => cell.segment === serverInterface && cell.flow === flow)?.evidence ?? "";
      const own = prefix.replaceAll(".", "\\.");
      assert.match(evidence("boot.dhcp-reply"), new RegExp(`from ${own}\\.1, received from ${own}\\.1$`));
      assert.match(
        evidence("agent.discovery-reply"),
        new RegExp(`signed answer from ${own}\\.1, which names ${own}\\.1$`),
      );
      assert.match(evidence("imaging.data"), new RegExp(`pairs from ${own}\\.1, 0 routers`));
      const other = sides.find((side) => side.prefix !== prefix)?.prefix ?? "";
      const texts = cells.filter((cell) => cell.segment === serverInterface).map((cell) => cell.evidence);
      assert.ok(!texts.some((text) => text.includes(other)), texts.join("\n"));
    }
  });

  test("the gate: a room that cannot boot gets no deployment, unless it is forced, which is kept with the run", async (t) => {
    if (!canRunRouted(t)) {
      return;
    }
    const site = new RoutedSite(t);
    await site.startAll();
    const imagePath = join(site.folder, "disk.raw");
    writeFileSync(imagePath, Buffer.alloc(4096, 7));
    truncateSync(imagePath, 4 << 20);
    const imported = await site.portolan("image", "import", imagePath, "small");
    assert.equal(imported.exitCode, 0, imported.stderr);
    const jobPath = join(site.folder, "job.json");
    const [pc] = await site.json<{ id: string }[]>("computer", "list");
    writeFileSync(
      jobPath,
      JSON.stringify({
        name: "room",
        tasks: [{ kind: "deploy-image", image: "small" }],
        computers: [pc?.id],
      }),
    );
    const block = { host: "router", hook: "forward", match: "udp dport 69" } as const;
    site.drop(block);
    await site.verify("--segment", "far");
    const refused = await site.portolan("job", "create", jobPath);
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /the network cannot carry this to .*: boot\.tftp in far is blocked .*--force/,
    );

    type Run = { gate: { decision: string; by: string; text: string } | null };
    const forced = await site.json<{ id: string; runs: Run[] }>("job", "create", jobPath, "--force");
    assert.equal(forced.runs[0]?.gate?.decision, "forced");
    assert.match(forced.runs[0]?.gate?.text ?? "", /boot\.tftp in far is blocked/);
    const shown = await site.json<{ runs: Run[] }>("job", "show", forced.id);
    assert.deepEqual(shown.runs[0]?.gate, forced.runs[0]?.gate);
    await site.portolan("job", "cancel", forced.id);

    site.lift(block);
    await site.verify("--segment", "far");
    const allowed = await site.json<{ id: string; runs: Run[] }>("job", "create", jobPath);
    assert.equal(allowed.runs[0]?.gate, null);
  });
});
