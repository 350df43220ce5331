import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentConfigError, parseAgentFile, parseKernelCommandLine } from "./config.ts";

const key = "a".repeat(64);

function refusal(text: string): string {
  try {
    parseAgentFile("agent.toml", text);
  } catch (error) {
    assert.ok(error instanceof AgentConfigError, String(error));
    return error.message;
  }
  return "taken";
}

test("agent settings: the site key alone is enough, and everything else is the paper's default", () => {
  assert.deepEqual(parseAgentFile("agent.toml", `siteKey = "${key}"`), {
    environment: "os",
    server: null,
    discovery: { group: "225.1.2.3", port: 402, ttl: 32 },
    lastDiscovery: { group: "225.1.2.3", port: 402, ttl: 32 },
    lock: null,
    remoteControl: "allow",
    remoteNotice: true,
    remoteDisplay: null,
    controlPort: 402,
    siteKeyFingerprint: key,
    bootToken: null,
    stateDir: "/var/lib/portolan-agent",
  });
});

test("agent settings: without a site key nothing starts", () => {
  assert.match(refusal(""), /site key is missing.*no server can be trusted/);
  assert.match(refusal('siteKey = "ABC"'), /site key is missing or no SHA-256/);
});

test("agent settings: each wrong value names its key, an unknown key the nearest", () => {
  const withKey = (line: string): string => refusal(`siteKey = "${key}"\n${line}`);
  assert.match(withKey('sever = "10.0.0.1"'), /key sever is unknown; is it server\?/);
  assert.match(withKey('server = "10.0.0"'), /server is no IPv4 address/);
  assert.match(withKey("controlPort = 70000"), /controlPort is not a whole number from 1 to 65535/);
  assert.match(withKey('discoveryGroup = "10.0.0.1"'), /discoveryGroup is no IPv4 multicast group/);
  assert.match(withKey("discoveryTtl = 256"), /discoveryTtl is not/);
  assert.match(withKey("discovery = false"), /discovery is disabled and no server address is set/);
  assert.equal(withKey('discovery = false\nserver = "10.0.0.1"'), "taken");
  assert.match(refusal("siteKey = "), /agent\.toml: /);
});

test("agent settings: the kernel command line carries server, key and boot token", () => {
  const config = parseKernelCommandLine(
    `quiet portolan.server=192.168.0.1 portolan.port=402 portolan.key=${key} portolan.boot=t1 BOOTIF=01-52-54-00-00-00-01\n`,
  );
  assert.equal(config.environment, "preboot");
  assert.equal(config.server, "192.168.0.1");
  assert.equal(config.bootToken, "t1");
  assert.equal(config.stateDir, null);
  assert.throws(() => parseKernelCommandLine("quiet"), AgentConfigError);
});
