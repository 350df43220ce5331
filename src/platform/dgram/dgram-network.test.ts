import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { Datagram, Network, UdpSocket } from "../network.ts";
import { createDgramNetwork } from "./dgram-network.ts";

const because = "Plain sockets, because this is their test.";
const loopback = Ipv4Address.parse("127.0.0.1");
const group = Ipv4Address.parse("224.2.0.2");
/**
 * Below the ports that the kernel gives to anybody's sockets, and of this process alone: two runs on one machine do not
 * meet.
 */
const firstPort = 24_000 + (process.pid % 400) * 10;
const ports = [firstPort, firstPort + 1];
const flows = computeFlows({ ...classicSettings, "imaging.ports": ports }, { consolePort: 8443 });
const imaging = findFlow(flows, "imaging.data");

function grantReceiver(localPort: number): SocketGrant {
  return grantSocket(imaging, {
    role: "preboot",
    side: "listen",
    interfaceName: "lo",
    localAddress: group,
    localPort,
    groups: [group],
  });
}

async function open(t: TestContext, network: Network, grant: SocketGrant): Promise<UdpSocket> {
  const socket = await network.openUdp(grant);
  t.after(() => socket.close());
  return socket;
}

test("plain sockets: a group is joined and sent to on the named interface, by the port of its receiver", async (t) => {
  const network = createDgramNetwork(because);
  const receiver = await open(t, network, grantReceiver(firstPort));
  const other = await open(t, network, grantReceiver(firstPort + 1));
  const received: Datagram[] = [];
  const strays: Datagram[] = [];
  receiver.onDatagram((datagram) => received.push(datagram));
  other.onDatagram((datagram) => strays.push(datagram));
  const sender = await open(
    t,
    network,
    grantSocket(imaging, { role: "server", side: "connect", interfaceName: "lo", groups: [group] }),
  );
  sender.send(Uint8Array.of(1, 2, 3), { address: group, port: firstPort });
  for (let round = 0; round < 6000 && received.length === 0; round += 1) {
    await sleep(5);
  }
  assert.deepEqual([...(received[0]?.bytes ?? [])], [1, 2, 3]);
  assert.equal(received[0]?.interfaceName, "lo");
  assert.equal(received[0]?.sourceAddress, "127.0.0.1");
  assert.deepEqual(strays, []);
  const listed = network.openSockets().map((one) => `${one.localPort} ${one.groups.join()}`);
  assert.deepEqual(listed, [`${firstPort} 224.2.0.2`, `${firstPort + 1} 224.2.0.2`, `${sender.localPort} `]);
});

test("plain sockets: what they cannot do is an error and a sentence, not silence", async (t) => {
  const network = createDgramNetwork(because);
  assert.equal(network.limits()[0], because);
  const narrow = { ...imaging, dynamic: true, ports: { from: firstPort + 2, to: firstPort + 2 } };
  const grant = grantSocket(narrow, {
    role: "server",
    side: "listen",
    interfaceName: "lo",
    localAddress: loopback,
  });
  const socket = await open(t, network, grant);
  assert.equal(socket.localPort, firstPort + 2);
  await assert.rejects(network.openUdp(grant), {
    code: "port-in-use",
    message: /no port of the range is free/,
  });
  const errors: Error[] = [];
  socket.onError((error) => errors.push(error));
  const mac = MacAddress.parse("52:54:00:00:00:01");
  socket.sendToHardware(Uint8Array.of(1), { mac, address: loopback, port: 9 });
  socket.send(Uint8Array.of(1), { address: group, port: 9 });
  assert.deepEqual(
    errors.map((error) => ("code" in error ? error.code : "")),
    ["not-supported", "not-granted"],
  );
  await assert.rejects(network.openUdp({ ...grant, interfaceName: "eth77" }), { code: "no-such-interface" });
});

test("choice of network: native on Linux, plain where Node has no node:ffi, and it says why", () => {
  const script = `
    const { createNetwork } = await import("#platform/create-network.ts");
    console.log(JSON.stringify((await createNetwork()).limits()));`;
  const limitsWith = (...options: readonly string[]): string[] => {
    const args = ["--disable-warning=ExperimentalWarning", ...options, "--input-type=module", "-e", script];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as string[];
  };
  assert.match(limitsWith("--no-experimental-ffi")[0] ?? "", /without node:ffi/);
  if (process.platform === "linux") {
    assert.deepEqual(limitsWith(), []);
  }
});
