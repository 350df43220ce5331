import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { readMagicFrame } from "#lab/magic-packet-listener.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { broadcastMacAddress, encodeEthernetFrame, etherTypes } from "#wire/ethernet/ethernet-frame.ts";
import { encodeUdpFrame } from "#wire/ethernet/udp-frame.ts";
import { encodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";
import { networkTestObstacle } from "../network-hosts.ts";

const room = ["--disable-warning=ExperimentalWarning", "test/lab/isolated-room.ts"];

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

/** Processes whose command line holds the text, in every PID namespace below ours. */
function findProcesses(text: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
    } catch {
      // It ended while we looked.
      return false;
    }
  });
}

async function untilTrue(what: string, isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    if (isSo()) {
      return;
    }
    await sleep(100);
  }
  assert.fail(`${what} did not happen within 15 s`);
}

function skipWithout(t: TestContext, ...programs: string[]): boolean {
  const obstacle = networkTestObstacle(...programs);
  if (obstacle !== null) {
    t.skip(obstacle);
  }
  return obstacle !== null;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  test(`lab: nothing is left after ${signal}, neither programs nor networks`, async (t) => {
    if (skipWithout(t, "ip", "unshare")) {
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), "portolan-room-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const readyPath = join(folder, "ready");
    const namesBefore = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
    const child = spawn(process.execPath, [...room, "hold", readyPath], { stdio: "inherit" });
    const ended = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    await untilTrue("the room", () => existsSync(readyPath));
    // The path is on the command line of the room and of nothing else.
    assert.ok(findProcesses(readyPath).length >= 2, "the process outside and the room run");
    const sleeping = findProcesses("sleep\x007777");
    assert.equal(sleeping.length, 1, "the program on the receiver runs");
    const names = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
    assert.deepEqual(names, namesBefore, "the machine's names of namespaces are untouched");
    child.kill(signal);
    await ended;
    // The kernel ends the first process of the room and then, a moment later, those it had started.
    await untilTrue("the end of the room", () => findProcesses(readyPath).length === 0);
    await untilTrue("the end of its programs", () => findProcesses("sleep\x007777").length === 0);
  });
}

test("lab: the switch counts what one sender puts on the wire once, however many hear it", (t) => {
  if (skipWithout(t, "ip", "unshare", "nft")) {
    return;
  }
  const printed = execFileSync(process.execPath, [...room, "count"], { encoding: "utf8" });
  const { before, after, arrived } = JSON.parse(printed) as Record<string, number>;
  assert.equal(before, 0);
  assert.equal(arrived, 2000);
  // 20 bytes of IPv4 and 8 of UDP before each payload. IGMP reports come from the receiver's port and are not counted.
  assert.equal(after, 2000 * 1028);
});

test("lab: a port that loses 20 % lets about 80 % through", (t) => {
  if (skipWithout(t, "ip", "unshare", "nft")) {
    return;
  }
  const printed = execFileSync(process.execPath, [...room, "lose", "20"], { encoding: "utf8" });
  const { arrived = 0 } = JSON.parse(printed) as Record<string, number>;
  // Five standard deviations of 2000 throws are 90.
  assert.ok(Math.abs(arrived - 1600) < 90, `${arrived} of 2000 arrived`);
});

test("lab: magic packets are read from UDP and from EtherType 0x0842, and nothing else is one", () => {
  const mac = MacAddress.parse("52:54:00:a0:00:01");
  const payload = encodeMagicPacket({ mac });
  const sender = MacAddress.parse("52:54:00:a0:00:99");
  const udp = {
    sourceMac: sender,
    destinationMac: broadcastMacAddress,
    source: Ipv4Address.parse("10.0.0.1"),
    destination: Ipv4Address.broadcast,
    sourcePort: 40_000,
    destinationPort: 9,
  };
  assert.equal(readMagicFrame(encodeUdpFrame({ ...udp, payload })), mac);
  const raw = { destination: broadcastMacAddress, source: sender, vlanIds: [] };
  const direct = encodeEthernetFrame({ ...raw, etherType: etherTypes.wakeOnLan, payload });
  assert.equal(readMagicFrame(direct), mac);
  assert.equal(readMagicFrame(encodeUdpFrame({ ...udp, payload: new Uint8Array(102) })), null);
  assert.equal(readMagicFrame(direct.subarray(0, 60)), null);
});
