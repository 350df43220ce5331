import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { test, type TestContext } from "node:test";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { processSockets } from "./open-socket-list.ts";
import { connectTls, listenTcp } from "./tcp.ts";

/**
 * Below the ports that the kernel gives to anybody's sockets, and of this process alone: two runs on one machine do not
 * meet.
 */
const firstPort = 20_000 + (process.pid % 400) * 10;
const loopback = Ipv4Address.parse("127.0.0.1");

function transferGrant(from: number, to: number): SocketGrant {
  const settings = { ...classicSettings, "transfer.portRange": { from, to } };
  const flow = findFlow(computeFlows(settings, { consolePort: 8443 }), "transfer.data");
  return grantSocket(flow, { role: "server", side: "listen", interfaceName: "lo", localAddress: loopback });
}

async function listen(t: TestContext, grant: SocketGrant, server: Server): Promise<number> {
  const listener = await listenTcp(grant, server);
  t.after(() => listener.close());
  return listener.localPort;
}

/** Ports on which the kernel listens at 127.0.0.1. */
function listeningPorts(): number[] {
  return readFileSync("/proc/self/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.startsWith("0100007F:") === true && fields[3] === "0A")
    .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
}

test("TCP listeners: dynamic ports stay in the range, a full one says so, a closed one is free again", async (t) => {
  const grant = transferGrant(firstPort, firstPort + 1);
  const first = await listen(t, grant, createServer());
  const second = await listenTcp(grant, createServer());
  assert.deepEqual(
    [first, second.localPort].toSorted((a, b) => a - b),
    [firstPort, firstPort + 1],
  );
  await assert.rejects(listenTcp(grant, createServer()), {
    code: "port-in-use",
    message: new RegExp(
      `tcp port ${firstPort}-${firstPort + 1} \\(transfer\\.data\\) on lo: no port of the range is free`,
    ),
  });
  await second.close();
  assert.equal(await listen(t, grant, createServer()), second.localPort);
});

test("TCP listeners: the list of open sockets is what the kernel has", async (t) => {
  const port = await listen(t, transferGrant(firstPort + 2, firstPort + 2), createServer());
  const listed = processSockets.list().filter((socket) => socket.transport === "tcp");
  assert.deepEqual(
    listed.map((socket) => socket.localPort),
    [port],
  );
  assert.ok(listeningPorts().includes(port));
});

test("TCP listeners: closing ends the connections they have", async () => {
  const listener = await listenTcp(transferGrant(firstPort + 3, firstPort + 3), createServer());
  const client = createConnection({ host: loopback, port: listener.localPort });
  await once(client, "connect");
  const closed = once(client, "close");
  await listener.close();
  await closed;
  assert.deepEqual(processSockets.list(), []);
  assert.equal(listeningPorts().includes(listener.localPort), false);
});

test("TLS connections: a server that accepts and says nothing is given up in time", async (t) => {
  const silent = createServer();
  const port = await listen(t, transferGrant(firstPort + 4, firstPort + 4), silent);
  const flow = findFlow(computeFlows(classicSettings, { consolePort: 8443 }), "agent.control");
  const grant = grantSocket(flow, { role: "agent", side: "connect" });
  await assert.rejects(connectTls(grant, { address: loopback, port, timeoutMs: 200 }, {}), {
    name: "NetworkError",
    message: `127.0.0.1:${port} (agent.control) could not be reached: no answer within 200 ms`,
  });
  await assert.rejects(connectTls(grant, { address: loopback, port: firstPort + 5, timeoutMs: 60_000 }, {}), {
    message: /could not be reached: .*ECONNREFUSED/,
  });
  assert.equal(
    processSockets.list().some((socket) => socket.flowId === "agent.control"),
    false,
  );
});
