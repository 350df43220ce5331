import assert from "node:assert/strict";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { until } from "./agent-site.ts";
import { prepareRemoteSite } from "./remote-site.ts";

const skip = networkTestObstacle("ip") ?? false;

test(
  "inventory: another network card is in the computer's history, and a second look adds nothing",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, one, id } = await prepareRemoteSite(t);
    const histories = (): string[] => {
      const events = site.portolan("computer", "history", id) as { kind: string; detail: string }[];
      return events.filter(({ kind }) => kind === "inventory").map(({ detail }) => detail);
    };
    site.hosts.run("one", "ip", ["link", "set", "eth0", "address", "02:aa:00:00:00:77"]);
    const again = site.startAgentAgain("one", one, { server: "10.9.0.1", remoteNotice: false });
    await again.waitFor("connected as", 60_000);
    await until(() =>
      histories().some((text) => /network card added: 02:aa:00:00:00:77; .* gone/.test(text)),
    );
    const third = site.startAgentAgain("one", again, { server: "10.9.0.1", remoteNotice: false });
    await third.waitFor("connected as", 60_000);
    assert.equal(histories().length, 1);
  },
);
