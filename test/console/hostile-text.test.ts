import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SimulatedComputer } from "#dev/simulated-computer.ts";
import { simulatedInventory } from "#dev/simulated-room.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { browserObstacle, logInByPage } from "./browser.ts";
import { openRoom, password } from "./console-room.ts";

const skip = browserObstacle() ?? false;

const openings = [
  "<img src=x onerror=",
  "<script>",
  "<svg onload=",
  '"><iframe srcdoc=',
  "<b>",
  "javascript:",
  "{{7*7}}",
];
const markup = fc
  .tuple(
    fc.constantFrom(...openings),
    fc.string({ maxLength: 24 }),
    fc.constantFrom(">", "</script>", "'\">", ""),
  )
  .map(([opening, middle, end]) => `${opening}window.wasRun=1;${middle}${end}`.slice(0, 120));
const hostileFields = fc.record({
  serial: markup,
  hostName: markup,
  product: markup,
  processor: markup,
  operatingSystem: markup,
  diskModel: markup,
  diskSerial: markup,
});

test(
  "console: markup in every field of an inventory is shown as text and runs nowhere",
  { skip, timeout: 300_000 },
  async (t) => {
    const { site, page, faults } = await openRoom(t, { count: 0 });
    const samples = fc.sample(hostileFields, { numRuns: 12, seed: 20_261_125 });
    const computers = samples.map(({ diskModel, diskSerial, ...fields }, index) => {
      const address = Ipv4Address.parse(`127.10.0.${10 + index}`);
      const mac = MacAddress.fromBytes(Uint8Array.of(0x52, 0x54, 0x66, 0, 0, index));
      const base = simulatedInventory(5000 + index, "hostile", address);
      const [disk] = base.disks;
      assert.ok(disk !== undefined);
      return new SimulatedComputer(site, {
        ...{
          name: `hostile-${index}`,
          mac,
          address,
          interfaceName: "room-a",
          isInstalled: false,
          writeDelayMs: 1,
        },
        serverAddress: Ipv4Address.parse("127.10.0.1"),
        inventory: {
          ...base,
          ...fields,
          macs: [mac],
          disks: [{ ...disk, model: diskModel, serial: diskSerial }],
        },
      });
    });
    t.after(() => computers.forEach((computer) => computer.stop()));
    computers.forEach((computer) => void computer.run());
    await logInByPage(page, site.console.url, "ann", password);
    await page.getByText("12 computers").waitFor();
    const known = site.server.registry.list();
    assert.ok(
      known.some(({ name }) => name.includes("wasRun")),
      "the names reached the server as they are",
    );
    const rows = page.getByRole("grid", { name: "Computers" }).getByRole("row");
    for (let index = 1; index <= 12; index += 1) {
      await rows.nth(index).click();
    }
    for (const { id } of known.slice(0, 4)) {
      await page.goto(`${site.console.url}/computers/${id}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.goto(`${site.console.url}/computers/${id}/inventory`);
      await page.getByText("wasRun").first().waitFor();
    }
    assert.equal(await page.evaluate("window.wasRun"), undefined);
    assert.equal(await page.locator("main img, main iframe, main script, main b").count(), 0);
    assert.deepEqual(faults, []);
  },
);
