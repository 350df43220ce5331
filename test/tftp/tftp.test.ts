import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";

const sizes: Readonly<Record<string, number>> = {
  "small.bin": 1000,
  "edge.bin": 2048,
  "medium.bin": 300_000,
  "large.bin": 20 << 20,
};

function expected(name: string): Buffer {
  const bytes = Buffer.alloc(sizes[name] ?? 0);
  for (let index = 0; index < bytes.byteLength; index += 1) {
    bytes[index] = (index * 31 + (index >> 9)) & 255;
  }
  return bytes;
}

type Site = { readonly hosts: NetworkHosts; readonly folder: string; readonly server: HostProcess };

/** server (10.9.0.1) ── room ── client (10.9.0.2), other (10.9.0.3) */
async function startSite(t: TestContext, mode: "single" | "dynamic" | "multicast"): Promise<Site> {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "client", interfaceName: "eth0", address: "10.9.0.2/24" },
    { host: "other", interfaceName: "eth0", address: "10.9.0.3/24" },
  ]);
  const folder = mkdtempSync(join(tmpdir(), "portolan-tftp-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = hosts.start("server", process.execPath, ["test/tftp/serve-tftp.ts", "eth0", mode]);
  await server.waitFor("ready");
  return { hosts, folder, server };
}

function assertFile(site: Site, name: string): void {
  assert.ok(readFileSync(join(site.folder, name)).equals(expected(name)), `${name} differs`);
}

for (const mode of ["dynamic", "single"] as const) {
  test(`TFTP, ${mode} port: tftp-hpa reads files of every kind of ending`, async (t) => {
    const obstacle = networkTestObstacle("ip", "tftp");
    if (obstacle !== null) {
      t.skip(obstacle);
      return;
    }
    const site = await startSite(t, mode);
    for (const name of ["small.bin", "edge.bin"]) {
      site.hosts.run("client", "tftp", ["-m", "binary", "10.9.0.1", "-c", "get", name], { cwd: site.folder });
      assertFile(site, name);
    }
  });

  test(`TFTP, ${mode} port: atftp reads 20 MiB with block sizes and windows`, async (t) => {
    const obstacle = networkTestObstacle("ip", "atftp");
    if (obstacle !== null) {
      t.skip(obstacle);
      return;
    }
    const site = await startSite(t, mode);
    for (const options of [
      ["--option", "blksize 1468"],
      ["--option", "blksize 1428", "--option", "windowsize 16"],
    ]) {
      site.hosts.run(
        "client",
        "atftp",
        [...options, "-g", "-r", "large.bin", "-l", "large.bin", "10.9.0.1"],
        {
          cwd: site.folder,
        },
      );
      assertFile(site, "large.bin");
      rmSync(join(site.folder, "large.bin"));
    }
    assert.match(await site.server.waitFor('"type":"complete"'), /"sentBytes":20971520/);
  });

  test(`TFTP, ${mode} port: curl reads a file, and a name that is not in the table does not exist`, async (t) => {
    const obstacle = networkTestObstacle("ip", "curl");
    if (obstacle !== null) {
      t.skip(obstacle);
      return;
    }
    const site = await startSite(t, mode);
    site.hosts.run("client", "curl", ["-s", "-o", "small.bin", "tftp://10.9.0.1/small.bin"], {
      cwd: site.folder,
    });
    assertFile(site, "small.bin");
    for (const name of ["missing.bin", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"]) {
      assert.throws(
        () =>
          site.hosts.run("client", "curl", ["-s", "--path-as-is", "-o", "x", `tftp://10.9.0.1/${name}`], {
            cwd: site.folder,
          }),
        (error) => error instanceof Error && "status" in error && error.status === 68,
        name,
      );
    }
    await site.server.waitFor('"reason":"file-not-found"');
  });
}

test("TFTP: port 69 taken by another program is an error that names the port and the holder", async (t) => {
  const obstacle = networkTestObstacle("ip");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const site = await startSite(t, "dynamic");
  assert.throws(
    () => site.hosts.run("server", process.execPath, ["test/tftp/serve-tftp.ts", "eth0", "dynamic"]),
    (error) =>
      error instanceof Error &&
      /udp port 69 \(boot\.tftp\) on eth0 is held by \S+ \(process \d+\)/.test(error.message),
  );
});

test("TFTP multicast: two atftp clients share one transmission of a file (RFC 2090)", async (t) => {
  const obstacle = networkTestObstacle("ip", "atftp");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const site = await startSite(t, "multicast");
  const clients = ["client", "other"].map((host) => {
    site.hosts.run(host, "ip", ["route", "add", "224.0.0.0/4", "dev", "eth0"]);
    return site.hosts.start(host, "atftp", [
      ...["--option", "multicast", "--option", "blksize 1428", "-g", "-r", "medium.bin"],
      ...["-l", join(site.folder, `${host}.bin`), "10.9.0.1"],
    ]);
  });
  await Promise.all(
    clients.map(
      ({ child }) =>
        new Promise((resolve) => {
          child.once("exit", resolve);
        }),
    ),
  );
  for (const name of ["client.bin", "other.bin"]) {
    assert.ok(readFileSync(join(site.folder, name)).equals(expected("medium.bin")), `${name} differs`);
  }
  assert.match(await site.server.waitFor('"multicast-complete":2'), /ready/);
});

test("TFTP: ten clients at once, half of them in windows, each get their own file whole", async (t) => {
  const obstacle = networkTestObstacle("ip", "atftp");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const site = await startSite(t, "dynamic");
  const reads = Array.from({ length: 10 }, (_, index) => ({
    name: index % 3 === 0 ? "edge.bin" : "medium.bin",
    target: join(site.folder, `got-${index}`),
    window: index % 2 === 0 ? "1" : "16",
  }));
  await Promise.all(
    reads.map(({ name, target, window }) => {
      const options = ["--option", "blksize 1428", "--option", `windowsize ${window}`];
      const { child } = site.hosts.start("client", "atftp", [
        ...options,
        ...["-g", "-r", name, "-l", target, "10.9.0.1"],
      ]);
      return new Promise((resolve) => {
        child.once("exit", resolve);
      });
    }),
  );
  for (const { name, target } of reads) {
    assert.ok(readFileSync(target).equals(expected(name)), `${target} differs from ${name}`);
  }
});

test("TFTP: random and truncated datagrams at port 69 are counted, never answered with data, never fatal", async (t) => {
  const obstacle = networkTestObstacle("ip", "curl");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const site = await startSite(t, "dynamic");
  const script = `
    const socket = require("node:dgram").createSocket("udp4");
    let answered = 0;
    let heard = null;
    socket.on("message", (bytes) => {
      if (bytes[1] === 5 && heard !== null) { heard(); heard = null; } else { answered += 1; }
    });
    // The server has read what came before it when it says that there is no such file.
    const untilRead = () => new Promise((done) => {
      heard = done;
      socket.send(Buffer.from("\\0\\x01missing.bin\\0octet\\0", "latin1"), 69, "10.9.0.1");
    });
    const send = (bytes) => new Promise((done) => socket.send(bytes, 69, "10.9.0.1", done));
    (async () => {
      for (let index = 0; index < 300; index += 1) {
        const bytes = require("node:crypto").randomBytes(1 + (index * 37) % 1400);
        bytes[0] = 0; if (bytes.length > 1) bytes[1] = 7 + (index % 200);
        await send(bytes);
        if (index % 30 === 29) await untilRead();
      }
      await new Promise((done) => setTimeout(done, 500));
      console.log("answered " + answered);
      socket.close();
    })();`;
  const printed = site.hosts.run("client", process.execPath, ["-e", script]);
  assert.match(printed, /answered 0/);
  await site.server.waitFor('"malformed":300');
  site.hosts.run("client", "curl", ["-s", "-o", "small.bin", "tftp://10.9.0.1/small.bin"], {
    cwd: site.folder,
  });
  assertFile(site, "small.bin");
});
