import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import type { ComputerResource } from "#api/computer-api.ts";
import { SimulatedComputer } from "#dev/simulated-computer.ts";
import { simulatedInventory } from "#dev/simulated-room.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { ask, startSite } from "./console-site.ts";

/** What moves a cursor, sets a title, hides or turns around what follows, or ends a line. */
const dangerous = fc.constantFrom(
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u009b31m",
  "\u202e",
  "\u2066",
  "\u200b",
  "\r",
  "\n",
  "\t",
  "\b",
  "\u2028",
  "\u007f",
  "<script>window.wasRun=1</script>",
);
const field = fc
  .tuple(fc.string({ maxLength: 10 }), dangerous, fc.string({ maxLength: 10 }))
  .map(([before, middle, after]) => `x${before}${middle}${after}`);
const hostileFields = fc.record({
  serial: field,
  hostName: field,
  product: field,
  processor: field,
  operatingSystem: field,
  diskModel: field,
  diskSerial: field,
});

/** Everything a terminal might obey, but the line feeds between our own lines. */
const unsafe = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const computerCount = 10;

test(
  "hostile inventory: whatever its fields hold is text in the API and moves no cursor in a terminal",
  { timeout: 180_000 },
  async (t) => {
    const site = await startSite(t);
    const samples = fc.sample(hostileFields, { numRuns: computerCount, seed: 20_261_126 });
    const computers = samples.map(({ diskModel, diskSerial, ...fields }, index) => {
      const address = Ipv4Address.parse(`127.10.0.${10 + index}`);
      const mac = MacAddress.fromBytes(Uint8Array.of(0x52, 0x54, 0x67, 0, 0, index));
      const base = simulatedInventory(6000 + index, "hostile", address);
      const disks = base.disks.map((disk) => ({ ...disk, model: diskModel, serial: diskSerial }));
      return new SimulatedComputer(site, {
        ...{ name: `hostile-${index}`, mac, address, interfaceName: "room-a" },
        ...{ isInstalled: false, writeDelayMs: 1 },
        serverAddress: Ipv4Address.parse("127.10.0.1"),
        inventory: { ...base, ...fields, macs: [mac], disks },
      });
    });
    t.after(() => computers.forEach((computer) => computer.stop()));
    computers.forEach((computer) => void computer.run());
    while (site.server.registry.list().length < computerCount) {
      await delay(50);
    }
    const headers = { authorization: `Bearer ${site.server.adminToken}` };
    const listed = await ask(site, "/api/v1/computers", { headers });
    assert.match(String(listed.headers["content-type"]), /^application\/json/);
    assert.equal(listed.headers["x-content-type-options"], "nosniff");
    const found = listed.json as ComputerResource[];
    assert.equal(found.length, computerCount);
    const texts = found.flatMap(({ name, serial, product }) => [name, serial ?? "", product ?? ""]);
    assert.deepEqual(
      texts.filter((one) => unsafe.test(one)),
      [],
      "labels are escaped where they enter; what cannot be printed is no serial number",
    );
    assert.ok(texts.join("").includes("\\u{1b}[2J"), "it reached the server, and can be seen there");
    assert.ok(texts.join("").includes("<script>"), "markup is text like any other");
    const [first] = found;
    assert.ok(first !== undefined);
    for (const args of [
      ["computer", "list"],
      ["computer", "show", first.id],
      ["computer", "pending"],
      ["boot", "events"],
    ]) {
      const text = await new Promise<string>((resolve, reject) => {
        const all = [...args, "--data", site.server.config.dataDir];
        execFile("bin/portolan", all, { timeout: 60_000 }, (error, stdout, stderr) =>
          error === null ? resolve(stdout) : reject(new Error(stderr, { cause: error })),
        );
      });
      const bad = text.split("\n").find((line) => unsafe.test(line));
      assert.equal(bad, undefined, `${args.join(" ")}: ${JSON.stringify(bad)}`);
      assert.ok(text.length > 20, text);
    }
  },
);
