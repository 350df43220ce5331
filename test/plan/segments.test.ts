import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanResource } from "#api/plan-api.ts";
import type { SegmentResource } from "#api/segment-api.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip") ?? false;

test(
  "segments: named, changed and forgotten by the command line; each with the server's address on its side",
  { skip },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("left", [{ host: "server", interfaceName: "eth0", address: "192.168.0.1/24" }]);
    hosts.segment("right", [{ host: "server", interfaceName: "eth1", address: "11.11.11.1/24" }]);
    const config = '[server]\nname = "ds1"\nrelays = ["10.4.0.1"]\n';
    const server = new PlanServer(t, { hosts, host: "server", interfaces: "eth0,eth1", config });
    await server.start();
    const list = (): Pick<SegmentResource, "name" | "intent" | "serverAddress">[] =>
      (server.json("segment", "list") as SegmentResource[]).map(({ name, intent, serverAddress }) => ({
        name,
        intent,
        serverAddress,
      }));
    assert.deepEqual(list(), [
      { name: "eth1", intent: "imaging", serverAddress: "11.11.11.1" },
      { name: "eth0", intent: "imaging", serverAddress: "192.168.0.1" },
      { name: "10.4.0.0-24", intent: "imaging", serverAddress: null },
    ]);

    server.json("segment", "add", "room-2", "10.2.0.0/22", "--intent", "management");
    server.json("segment", "set", "room-2", "--server-address", "11.11.11.1", "--gateway", "10.2.0.1");
    server.json("segment", "set", "eth0", "--name", "staff", "--intent", "none");
    const named = (server.json("segment", "list") as SegmentResource[]).find(({ name }) => name === "room-2");
    assert.deepEqual(named, {
      ...{ name: "room-2", cidr: "10.2.0.0/22", intent: "management", interface: null },
      ...{ serverAddress: "11.11.11.1", gatewayAddress: "10.2.0.1", relayAddress: null, origin: "operator" },
    });
    assert.ok(list().some(({ name, intent }) => name === "staff" && intent === "none"));
    assert.deepEqual(
      (server.json("plan", "show") as PlanResource).segments.map(({ name }) => name),
      list().map(({ name }) => name),
    );

    const handedOn = server.cli("plan", "show", "--markdown");
    assert.equal(handedOn.status, 0, handedOn.stderr);
    assert.match(
      handedOn.stdout,
      /^\| `agent\.control` \| .* \| tcp \| 402 \| .* \| `control\.tcpPort` \| \w.*\|$/m,
    );
    assert.match(handedOn.stdout, /^The open sockets are exactly those of the plan\.$/m);

    const refused = server.cli("segment", "add", "again", "10.2.0.0/22");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /10\.2\.0\.0\/22 is the segment room-2 already/);
    assert.match(
      server.cli("segment", "add", "x", "10.2.0.7/22").stderr,
      /host bits; the subnet is 10\.2\.0\.0\/22/,
    );
    assert.equal(server.cli("segment", "add", "x", "10.2.0.7/22").status, 2);
    assert.equal(server.cli("segment", "set", "room-2", "--intent", "imagin").status, 2);

    await server.stop("SIGKILL");
    await server.start();
    assert.ok(
      list().some(({ name }) => name === "room-2"),
      "kept over a kill",
    );
    server.json("segment", "remove", "room-2");
    assert.ok(!list().some(({ name }) => name === "room-2"));
    assert.match(server.cli("segment", "remove", "eth1").stderr, /was found by the server.*--intent none/);
  },
);
