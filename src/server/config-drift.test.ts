import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { ConfigError, type ServerConfig } from "./config.ts";
import { describeConfigDrift } from "./config-drift.ts";

const running: ServerConfig = {
  name: "ds1",
  interfaces: ["eth0"],
  dataDir: "/var/lib/portolan",
  relays: [],
  databaseUrl: "postgres://portolan:secret@db/portolan",
  consolePort: 8443,
};

test("configuration file: what it says now and the server does not run with is named, and no password is shown", () => {
  assert.deepEqual(
    describeConfigDrift(running, () => ({ ...running })),
    [],
  );
  const relays = [Ipv4Address.parse("10.2.0.254")];
  assert.deepEqual(
    describeConfigDrift(running, () => ({
      ...running,
      relays,
      databaseUrl: "postgres://portolan:other@db/p",
    })),
    [
      "the configuration file says server.relays 10.2.0.254, and the server runs with none until it is restarted",
      "the configuration file names another database.url; the server uses the old one until it is restarted",
    ],
  );
});

test("configuration file: one that a restart would refuse is named before the restart", () => {
  const refused = describeConfigDrift(running, () => {
    throw new ConfigError(
      "/etc/portolan/portolan.toml: the key relay in [server] is unknown; did you mean relays?",
    );
  });
  assert.match(refused[0] ?? "", /a restart would fail: .*did you mean relays\?/);
});
