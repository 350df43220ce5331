import assert from "node:assert/strict";
import { test } from "node:test";
import { identifyClient, type ClientWords } from "./identify-client.ts";

const silent: ClientWords = { vendorClass: null, architectures: [], userClasses: [], ipxeFeatures: null };
const bios = "PXEClient:Arch:00000:UNDI:002001";
const uefi = "PXEClient:Arch:00007:UNDI:003016";

const rows: readonly [string, Partial<ClientWords>, object][] = [
  ["a client without option 60 is not PXE", {}, { type: "not-pxe" }],
  ["a Windows DHCP client is not PXE", { vendorClass: "MSFT 5.0" }, { type: "not-pxe" }],
  [
    "an ordinary client that sends option 93 is still not PXE",
    { vendorClass: "udhcp 1.35", architectures: [7] },
    { type: "not-pxe" },
  ],
  ["BIOS firmware is architecture 0", { vendorClass: bios, architectures: [0] }, { type: "bios-pxe" }],
  ["UEFI firmware may say 7", { vendorClass: uefi, architectures: [7] }, { type: "uefi-x64-pxe" }],
  [
    "UEFI firmware may say 9 for the same thing",
    { vendorClass: "PXEClient:Arch:00009:UNDI:003016", architectures: [9] },
    { type: "uefi-x64-pxe" },
  ],
  [
    "the first architecture we can boot is taken from a list",
    { vendorClass: uefi, architectures: [11, 7] },
    { type: "uefi-x64-pxe" },
  ],
  [
    "HTTP firmware is known by its class and architecture 16",
    { vendorClass: "HTTPClient:Arch:00016:UNDI:003001", architectures: [16] },
    { type: "uefi-x64-http" },
  ],
  [
    "an HTTP class with a PXE architecture is not given a TFTP path",
    { vendorClass: "HTTPClient:Arch:00007:UNDI:003001", architectures: [7] },
    { type: "unsupported-architecture", architecture: 7 },
  ],
  [
    "ARM64 firmware is named as unsupported",
    { vendorClass: "PXEClient:Arch:00011:UNDI:003000", architectures: [11] },
    { type: "unsupported-architecture", architecture: 11 },
  ],
  ["firmware without option 93 is read from option 60", { vendorClass: bios }, { type: "bios-pxe" }],
  ["a bare PXEClient does not say what it is", { vendorClass: "PXEClient" }, { type: "no-architecture" }],
  [
    "iPXE is known by its user class",
    { vendorClass: bios, architectures: [0], userClasses: ["iPXE"] },
    { type: "ipxe", platform: "bios", hasHttp: true },
  ],
  [
    "iPXE is known by option 175 alone",
    { vendorClass: uefi, architectures: [7], ipxeFeatures: ["http"] },
    { type: "ipxe", platform: "uefi-x64", hasHttp: true },
  ],
  [
    "iPXE built without HTTP says so",
    { vendorClass: bios, architectures: [0], userClasses: ["iPXE"], ipxeFeatures: [] },
    { type: "ipxe", platform: "bios", hasHttp: false },
  ],
  [
    "iPXE on ARM64 is unsupported",
    { vendorClass: "PXEClient:Arch:00011:UNDI:003010", architectures: [11], userClasses: ["iPXE"] },
    { type: "unsupported-architecture", architecture: 11 },
  ],
];

for (const [name, words, expected] of rows) {
  test(`identify client: ${name}`, () => {
    assert.deepEqual(identifyClient({ ...silent, ...words }), expected);
  });
}
