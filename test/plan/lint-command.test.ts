import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { FindingResource } from "#api/plan-lint-api.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { createServerRoom } from "./plan-site.ts";

const skip = networkTestObstacle("ip", "dnsmasq") ?? false;

test(
  "plan lint: a default server has notes alone; each change of settings says what it brought; a port of another program is named",
  { skip },
  async (t) => {
    const { hosts, server } = createServerRoom(t);
    await server.start();
    const lint = (): { status: number; findings: FindingResource[] } => {
      const { status, stdout } = server.cli("plan", "lint", "--json");
      return { status, findings: JSON.parse(stdout) as FindingResource[] };
    };
    const fresh = lint();
    assert.equal(fresh.status, 0);
    assert.deepEqual([...new Set(fresh.findings.map(({ severity }) => severity))], ["note"]);

    const flooded = server.cli("settings", "set", "imaging.groups", "239.0.0.9");
    assert.equal(flooded.status, 0, flooded.stderr);
    assert.match(flooded.stdout, /fault: 239\.0\.0\.9 has the Ethernet address 01:00:5e:00:00:09/);
    assert.match(flooded.stdout, /mend: portolan settings set imaging\.groups/);
    assert.equal(lint().status, 3);

    server.cli("segment", "add", "far", "10.20.0.0/24");
    assert.match(server.cli("plan", "lint").stdout, /^warning: .*dynamic ports/m);
    const other = server.cli("settings", "set", "imaging.maxMbps", "100").stdout;
    assert.match(other, /^fault: 239\.0\.0\.9/m, "a fault is said until it is mended");
    assert.doesNotMatch(
      other,
      /^warning: .*dynamic ports/m,
      "what the change did not bring is for plan lint to say",
    );
    server.cli("segment", "remove", "far");

    // The firewall profile's port for transfers, before the server can have it.
    const program = hosts.start("server", "dnsmasq", [
      ...["--keep-in-foreground", "--conf-file=/dev/null", "--port=4402", "--user=root", "--pid-file="],
      ...["--listen-address=10.9.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts", "--log-facility=-"],
    ]);
    await program.waitFor("started");
    const mended = server.cli("settings", "profile", "firewall");
    assert.equal(mended.status, 1, "a change that is not done everywhere yet is no success");
    assert.match(
      mended.stdout,
      /tcp port 4402 \(transfer\.data\) on eth0 is held by dnsmasq \(process \d+\)/,
    );
    assert.doesNotMatch(mended.stdout, /fault/);
    const heldPort = ({ code, subject }: FindingResource): boolean =>
      code === "port-held" && subject === "tcp 4402";
    assert.match(lint().findings.find(heldPort)?.what ?? "", /dnsmasq \(process \d+\)/);

    const ended = once(program.child, "exit");
    program.child.kill("SIGTERM");
    await ended;
    const clear = lint();
    assert.deepEqual([...new Set(clear.findings.map(({ severity }) => severity))], ["note"]);
    assert.equal(clear.status, 0);
  },
);
