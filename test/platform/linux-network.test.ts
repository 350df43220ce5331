import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FlowId } from "#plan/flow.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings, type Settings } from "#plan/settings.ts";
import { type GrantRequest, grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { NetworkError } from "#platform/network-error.ts";
import type { Datagram, UdpOptions, UdpSocket } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { onHost } from "./namespace-thread.ts";

const network = createLinuxNetwork();
const address = (text: string): Ipv4Address => Ipv4Address.parse(text);

function grant(id: FlowId, request: GrantRequest, settings: Settings = classicSettings): SocketGrant {
  return grantSocket(findFlow(computeFlows(settings, { consolePort: 8443 }), id), request);
}

type Opened = { readonly socket: UdpSocket; readonly received: Datagram[]; readonly errors: Error[] };

/** One server on two segments, one computer on each. */
class TwoSegments {
  readonly hosts: NetworkHosts;
  readonly #opened: Opened[] = [];

  constructor(t: TestContext) {
    this.hosts = new NetworkHosts(t);
    t.after(() => Promise.all(this.#opened.map(({ socket }) => socket.close())));
    this.hosts.segment("red", [
      { host: "server", interfaceName: "eth0", address: "192.168.0.1/24" },
      { host: "red-pc", interfaceName: "eth0", address: "192.168.0.9/24" },
    ]);
    this.hosts.segment("blue", [
      { host: "server", interfaceName: "eth1", address: "11.11.11.1/24" },
      { host: "blue-pc", interfaceName: "eth0", address: "11.11.11.9/24" },
    ]);
  }

  async open(host: string, socketGrant: SocketGrant, options?: UdpOptions): Promise<Opened> {
    const socket = await onHost(this.hosts, host, () => network.openUdp(socketGrant, options));
    const opened: Opened = { socket, received: [], errors: [] };
    socket.onDatagram((datagram) => opened.received.push(datagram));
    socket.onError((error) => opened.errors.push(error));
    this.#opened.push(opened);
    return opened;
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endAtMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < endAtMs, `${what} did not happen in 60 s`);
    await sleep(5);
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (opened: Opened): string[] => opened.received.map((one) => Buffer.from(one.bytes).toString());

function networkTest(
  name: string,
  programs: readonly string[],
  body: (t: TestContext, net: TwoSegments) => Promise<void>,
): void {
  test(name, { timeout: 180_000 }, async (t) => {
    const obstacle = networkTestObstacle("ip", ...programs);
    if (obstacle !== null) {
      t.skip(obstacle);
      return;
    }
    await body(t, new TwoSegments(t));
  });
}

/** Opens a socket in a program of its own on the server; returns what came of it. */
function openInChild(hosts: NetworkHosts, socketGrant: SocketGrant, prefix = "env"): string {
  const script = `
    const { createLinuxNetwork } = await import("#platform/linux/linux-network.ts");
    await createLinuxNetwork().openUdp(${JSON.stringify(socketGrant)}).then(
      (socket) => (console.log("opened"), socket.close()),
      (error) => console.log(error.code, error.message),
    );`;
  const [program = "env", ...options] = prefix.split(" ");
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module"];
  return hosts.run("server", program, [...options, ...node, "-e", script]);
}

const dhcpOn = (interfaceName: string): SocketGrant =>
  grant("boot.dhcp", { role: "server", side: "listen", interfaceName, localPort: 67 });
const discovery = (interfaceName: string): SocketGrant =>
  grant("agent.discovery", {
    role: "server",
    side: "listen",
    interfaceName,
    localPort: 402,
    groups: [classicSettings["discovery.group"]],
  });
const firmware = (): SocketGrant =>
  grant("boot.dhcp", { role: "firmware", side: "connect", interfaceName: "eth0", localPort: 68 });

networkTest(
  "device-bound sockets: port 67 on two interfaces, each hears only its own",
  [],
  async (_t, net) => {
    const red = await net.open("server", dhcpOn("eth0"), { broadcast: true });
    const blue = await net.open("server", dhcpOn("eth1"), { broadcast: true });
    const redPc = await net.open("red-pc", firmware(), { broadcast: true });
    const bluePc = await net.open("blue-pc", firmware(), { broadcast: true });

    const toServer = { address: Ipv4Address.broadcast, port: 67 };
    redPc.socket.send(bytes("from red"), toServer);
    bluePc.socket.send(bytes("from blue"), toServer);
    bluePc.socket.send(bytes("blue subnet broadcast"), { address: address("11.11.11.255"), port: 67 });
    await until("three broadcasts", () => red.received.length + blue.received.length === 3);

    assert.deepEqual(texts(red), ["from red"]);
    assert.deepEqual(texts(blue), ["from blue", "blue subnet broadcast"]);
    assert.equal(red.received[0]?.interfaceName, "eth0");
    assert.equal(blue.received[0]?.interfaceName, "eth1");
    assert.equal(blue.received[0]?.sourceAddress, "11.11.11.9");
    assert.equal(blue.received[0]?.sourcePort, 68);

    blue.socket.send(bytes("answer"), { address: Ipv4Address.broadcast, port: 68 });
    await until("the answer", () => bluePc.received.length === 1);
    await sleep(100);
    assert.equal(bluePc.received[0]?.sourceAddress, "11.11.11.1", "the address of the segment that asked");
    assert.deepEqual(texts(redPc), [], "a broadcast leaves by its socket's interface only");
  },
);

networkTest(
  "device-bound sockets: a DISCOVER from 0.0.0.0 is heard on its interface",
  ["busybox"],
  async (_t, net) => {
    const red = await net.open("server", dhcpOn("eth0"));
    const blue = await net.open("server", dhcpOn("eth1"));
    const udhcpc = "udhcpc -f -q -n -i eth0 -t 1 -T 1 -s /bin/true".split(" ");
    net.hosts.start("blue-pc", "busybox", udhcpc);
    await until("the DISCOVER", () => blue.received.length > 0);
    assert.equal(blue.received[0]?.sourceAddress, "0.0.0.0");
    assert.equal(blue.received[0]?.bytes[0], 1, "op is BOOTREQUEST");
    assert.equal(blue.received[0]?.interfaceName, "eth1");
    assert.deepEqual(red.received, []);
  },
);

networkTest("group-bound sockets: two groups on one port do not hear each other", [], async (_t, net) => {
  const [first, second] = classicSettings["imaging.groups"];
  assert.ok(first !== undefined && second !== undefined);
  const receiver = (group: Ipv4Address): SocketGrant =>
    grant("imaging.data", {
      role: "preboot",
      side: "listen",
      interfaceName: "eth0",
      localAddress: group,
      localPort: 401,
      groups: [group],
    });
  const one = await net.open("red-pc", receiver(first));
  const other = await net.open("red-pc", receiver(second));
  const sender = await net.open(
    "server",
    grant("imaging.data", {
      role: "server",
      side: "connect",
      interfaceName: "eth0",
      groups: [first, second],
    }),
  );
  for (let index = 0; index < 20; index += 1) {
    sender.socket.send(bytes(`first ${index}`), { address: first, port: 401 });
    sender.socket.send(bytes(`second ${index}`), { address: second, port: 401 });
  }
  await until("all forty", () => one.received.length + other.received.length === 40);
  assert.ok(texts(one).every((text) => text.startsWith("first")));
  assert.ok(texts(other).every((text) => text.startsWith("second")));

  sender.socket.send(bytes("stray"), { address: address("239.9.9.9"), port: 401 });
  const stray = sender.errors[0];
  assert.ok(stray instanceof NetworkError && stray.code === "not-granted", "a group the plan did not grant");
});

networkTest(
  "multicast: leaves by the named interface, with the TTL of its flow",
  ["tcpdump"],
  async (_t, net) => {
    const group = address("224.2.0.2");
    const watch = ["-lnv", "-i", "eth0", "-c", "1", "udp and dst host 224.2.0.2"];
    const onBlue = net.hosts.start("blue-pc", "tcpdump", watch);
    const onRed = net.hosts.start("red-pc", "tcpdump", watch);
    await Promise.all([onBlue.waitFor("listening on"), onRed.waitFor("listening on")]);
    const sender = await net.open(
      "server",
      grant("imaging.data", { role: "server", side: "connect", interfaceName: "eth1", groups: [group] }),
    );
    sender.socket.send(bytes("data"), { address: group, port: 402 });
    const seen = await onBlue.waitFor("224.2.0.2.402");
    assert.match(seen, /ttl 16,/);
    assert.match(seen, /11\.11\.11\.1\.\d+ > 224\.2\.0\.2\.402/);
    await sleep(100);
    assert.doesNotMatch(onRed.output(), /224\.2\.0\.2\.402/);
  },
);

networkTest("hardware address: a computer that answers no ARP is reached", ["tcpdump"], async (_t, net) => {
  net.hosts.run("red-pc", "ip", ["link", "set", "eth0", "arp", "off"]);
  const link = JSON.parse(net.hosts.run("red-pc", "ip", ["-j", "link", "show", "eth0"])) as {
    address: string;
  }[];
  const mac = MacAddress.parse(link[0]?.address ?? "");
  const trace = net.hosts.start("red-pc", "tcpdump", ["-lnvve", "-i", "eth0", "-c", "1", "udp port 68"]);
  await trace.waitFor("listening on");
  const server = await net.open("server", dhcpOn("eth0"));
  const pc = await net.open("red-pc", firmware());
  const to = { address: address("192.168.0.9"), port: 68 };

  server.socket.send(bytes("by ARP"), to);
  await sleep(200);
  assert.deepEqual(texts(pc), [], "plain sending waits for an ARP answer that never comes");

  onHost(net.hosts, "server", () => server.socket.sendToHardware(bytes("odd"), { ...to, mac }));
  await until("the frame", () => pc.received.length === 1);
  assert.deepEqual(texts(pc), ["odd"]);
  assert.equal(pc.received[0]?.sourceAddress, "192.168.0.1");
  assert.equal(pc.received[0]?.sourcePort, 67);
  assert.match(await trace.waitFor("192.168.0.9.68"), /udp sum ok/);
});

networkTest("port in use: the error names port, flow, interface and holder", ["dnsmasq"], async (_t, net) => {
  net.hosts.start("server", "dnsmasq", [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--port=0",
    "--pid-file=",
    "--leasefile-ro",
    "--dhcp-range=11.11.11.50,11.11.11.60",
  ]);
  const isHeld = (): boolean =>
    onHost(net.hosts, "server", () => readFileSync("/proc/thread-self/net/udp", "utf8").includes(":0043 "));
  await until("dnsmasq on 67", isHeld);
  assert.match(
    openInChild(net.hosts, dhcpOn("eth1")),
    /^port-in-use udp port 67 \(boot\.dhcp\) on eth1 is held by dnsmasq \(process \d+\); stop it, or change/,
  );
});

networkTest("port in use: nobody can share a port of ours by SO_REUSEADDR", [], async (_t, net) => {
  await net.open("server", dhcpOn("eth0"));
  const thief = createSocket({
    type: "udp4",
    reuseAddr: true,
    // Answers at once, so that the socket is made and bound while the thread is on the host.
    lookup: (name, _options, callback) => callback(null, name, 4),
  });
  const outcome = once(thief, "listening").then(
    () => "shared",
    (error: NodeJS.ErrnoException) => error.code,
  );
  onHost(net.hosts, "server", () => thief.bind({ port: 67, address: "0.0.0.0", exclusive: true }));
  const code = await outcome;
  thief.close();
  assert.equal(code, "EADDRINUSE");
});

networkTest("no privilege: the error names the capability", ["setpriv"], async (_t, net) => {
  const output = openInChild(net.hosts, dhcpOn("eth0"), "setpriv --bounding-set=-all --inh-caps=-all");
  assert.match(output, /^no-privilege udp port 67 \(boot\.dhcp\) on eth0/);
  assert.match(output, /CAP_NET_BIND_SERVICE/);
});

networkTest("interfaces: an unknown one and one that is down are told apart", [], async (_t, net) => {
  net.hosts.run("server", "ip", ["link", "set", "eth1", "down"]);
  await assert.rejects(net.open("server", dhcpOn("eth7")), {
    code: "no-such-interface",
    message: /there is no interface eth7; usable here: lo, eth0/,
  });
  await assert.rejects(net.open("server", dhcpOn("eth1")), {
    code: "no-such-interface",
    message: /interface eth1 is down, unplugged or has no IPv4 address/,
  });
});

networkTest("port range: dynamic ports stay inside it, and a full one says so", [], async (_t, net) => {
  const flow = findFlow(computeFlows(classicSettings, { consolePort: 8443 }), "boot.tftp-data");
  const narrow = { ...flow, ports: { from: 50_000, to: 50_001 } };
  const request: GrantRequest = { role: "server", side: "listen", interfaceName: "eth0", localPort: 0 };
  const first = await net.open("server", grantSocket(narrow, request));
  const second = await net.open("server", grantSocket(narrow, request));
  assert.deepEqual(
    [first.socket.localPort, second.socket.localPort].toSorted((a, b) => a - b),
    [50_000, 50_001],
  );
  await assert.rejects(net.open("server", grantSocket(narrow, request)), {
    code: "port-in-use",
    message: /port 50000-50001 .* no port of the range is free/,
  });
});

networkTest("buffers: root gets more than rmem_max allows others", ["ss"], async (_t, net) => {
  await net.open("server", dhcpOn("eth0"), { receiveBufferBytes: 16 << 20, sendBufferBytes: 8 << 20 });
  const sockets = net.hosts.run("server", "ss", ["-uamn"]);
  // The kernel doubles what is asked for, to have room for its own bookkeeping.
  assert.match(sockets, new RegExp(`rb${32 << 20},`));
  assert.match(sockets, new RegExp(`tb${16 << 20},`));
});

/** The kernel prints an address as a number of its own byte order. */
const fromHex = (hex: string): string =>
  Ipv4Address.fromBytes(Uint8Array.from(Buffer.from(hex, "hex").reverse()));

/** Local address and port pairs of `/proc/net/udp`, and groups by interface of `/proc/net/igmp`. */
function readKernel(): { readonly sockets: string[]; readonly groups: string[] } {
  const sockets = readFileSync("/proc/thread-self/net/udp", "utf8")
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [hex = "", port = ""] = (line.trim().split(/\s+/)[1] ?? "").split(":");
      return `${fromHex(hex)}:${Number.parseInt(port, 16)}`;
    });
  const groups: string[] = [];
  let interfaceName = "";
  for (const line of readFileSync("/proc/thread-self/net/igmp", "utf8").split("\n").slice(1)) {
    interfaceName = /^\d+\s+(\S+)/.exec(line)?.[1] ?? interfaceName;
    const group = /^\s+([0-9A-F]{8}) /.exec(line)?.[1];
    if (group !== undefined && fromHex(group) !== "224.0.0.1") {
      groups.push(`${interfaceName} ${fromHex(group)}`);
    }
  }
  return { sockets: sockets.toSorted(), groups: groups.toSorted() };
}

networkTest(
  "open sockets: the list, the kernel's sockets and its groups agree both ways",
  [],
  async (_t, net) => {
    await net.open("server", dhcpOn("eth0"));
    await net.open("server", dhcpOn("eth1"));
    await net.open("server", discovery("eth0"));
    const last = await net.open("server", discovery("eth1"));
    const compare = (): void => {
      const listed = network.openSockets();
      const kernel = onHost(net.hosts, "server", readKernel);
      assert.deepEqual(
        listed.map((one) => `${one.localAddress}:${one.localPort}`).toSorted(),
        kernel.sockets,
      );
      assert.deepEqual(
        listed.flatMap((one) => one.groups.map((group) => `${one.interfaceName} ${group}`)).toSorted(),
        kernel.groups,
      );
    };
    assert.equal(network.openSockets().length, 4);
    compare();
    await last.socket.close();
    assert.equal(network.openSockets().length, 3);
    compare();
  },
);
