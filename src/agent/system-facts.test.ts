import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMacosFacts } from "./macos-facts.ts";
import { parseWindowsFacts } from "./windows-facts.ts";

function encode(facts: unknown): string {
  return `${Buffer.from(JSON.stringify(facts)).toString("base64")}\r\n`;
}

test("facts of Windows: identity, cards and disks as PowerShell's JSON has them (made by hand, no Windows is here)", () => {
  const facts = parseWindowsFacts(
    encode({
      ...{
        uuid: "4C4C4544-0042-3510-8054-B7C04F4E4D31",
        serial: "  ABC1234 ",
        product: "Dell Inc. OptiPlex",
      },
      ...{ operatingSystem: "Microsoft Windows 11 Pro 10.0.22631", isUefi: true, isSecureBoot: true },
      cards: [
        {
          name: "Ethernet",
          mac: "52-54-00-0A-0B-0C",
          isUp: true,
          medium: 14,
          speedBps: "1000000000",
          driver: "e1d.sys",
        },
        { name: "WLAN", mac: "52-54-00-0A-0B-0D", isUp: false, medium: 9, speedBps: "18446744073709551615" },
        { name: "Połączenie", mac: "", isUp: false, medium: 0, speedBps: "0", driver: null },
      ],
      disks: [
        { name: "PhysicalDrive0", sizeBytes: "512110190592", model: "NVMe", serial: null, bus: "NVMe" },
        { name: "PhysicalDrive1", sizeBytes: "8000000000", model: "Stick\u0000", serial: "1", bus: "USB" },
      ],
    }),
  );
  assert.equal(facts.uuid, "4c4c4544-0042-3510-8054-b7c04f4e4d31");
  assert.equal(facts.serial, "ABC1234");
  assert.deepEqual([facts.firmware, facts.isSecureBoot], ["uefi", true]);
  assert.deepEqual(
    facts.cards.map(({ name, mac, isWired, speedMbps }) => [name, mac, isWired, speedMbps]),
    [
      ["Ethernet", "52:54:00:0a:0b:0c", true, 1000],
      ["WLAN", "52:54:00:0a:0b:0d", false, null],
    ],
  );
  assert.deepEqual(
    facts.disks.map(({ name, sizeBytes, model, isRemovable }) => [name, sizeBytes, model, isRemovable]),
    [
      ["PhysicalDrive0", 512_110_190_592, "NVMe", false],
      ["PhysicalDrive1", 8_000_000_000, "Stick", true],
    ],
  );
});

test("facts of Windows: a PowerShell that did not run leaves a computer without an identity, not a wrong one", () => {
  const { uuid, serial, cards, disks } = parseWindowsFacts("");
  assert.deepEqual([uuid, serial, cards, disks], [null, null, [], []]);
});

test("facts of macOS: identity and the cards that are its own (made by hand, no Mac is here)", () => {
  const facts = parseMacosFacts({
    platform: `+-o J413AP  <class IOPlatformExpertDevice>
      "IOPlatformSerialNumber" = "C02XYZ"
      "IOPlatformUUID" = "4C4C4544-0042-3510-8054-B7C04F4E4D31"
      "model" = <"Mac14,2">`,
    ports: `
Hardware Port: Wi-Fi
Device: en0
Ethernet Address: 52:54:00:0a:0b:0c

Hardware Port: Thunderbolt Bridge
Device: bridge0
Ethernet Address: 52:54:00:0a:0b:0d
`,
    version: "15.1\n",
  });
  assert.deepEqual(
    [facts.uuid, facts.serial, facts.product, facts.operatingSystem],
    ["4c4c4544-0042-3510-8054-b7c04f4e4d31", "C02XYZ", "Apple Mac14,2", "macOS 15.1"],
  );
  assert.deepEqual(
    facts.cards.map(({ name, isWired }) => [name, isWired]),
    [["en0", false]],
  );
});
