import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { BootToken } from "./boot-tokens.ts";
import { localGrubConfig, prebootGrubConfig, readGrubConfigName } from "./grub-config.ts";
import { localBootScript, prebootScript } from "./ipxe-script.ts";
import { BootTextError, buildKernelCommandLine, type PrebootParameters } from "./kernel-command-line.ts";

const server = { address: Ipv4Address.parse("11.11.11.1"), httpPort: 8069 };
const parameters: PrebootParameters = {
  server,
  controlAddress: Ipv4Address.parse("10.9.0.1"),
  controlPort: 402,
  siteKeyFingerprint: "ab".repeat(32),
  prebootImageSha256: "cd".repeat(32),
  token: "ef".repeat(32) as BootToken,
  mac: MacAddress.parse("52:54:00:00:00:0a"),
  extraArguments: ["console=ttyS0,115200"],
};

test("kernel command line: carries everything the preboot system reads", () => {
  assert.deepEqual(buildKernelCommandLine(parameters).split(" "), [
    "initrd=initrd.img",
    "portolan.server=10.9.0.1",
    "portolan.port=402",
    `portolan.key=${"ab".repeat(32)}`,
    "portolan.root=http://11.11.11.1:8069/boot/preboot.squashfs",
    `portolan.root.sha256=${"cd".repeat(32)}`,
    `portolan.boot=${"ef".repeat(32)}`,
    "BOOTIF=01-52-54-00-00-00-0a",
    "mitigations=off",
    "console=ttyS0,115200",
  ]);
});

test("kernel command line: stays below the kernel's 2048 characters", () => {
  assert.ok(buildKernelCommandLine(parameters).length < 600);
});

test("kernel command line: refuses what iPXE, GRUB or the kernel would read specially", () => {
  for (const hostile of [
    "a b",
    "x;reboot",
    "${net0/mac}",
    "a'b",
    'a"b',
    "a\\b",
    "a\nb",
    "a|b",
    "a&b",
    "#",
    "{",
    "",
    "é",
  ]) {
    assert.throws(
      () => buildKernelCommandLine({ ...parameters, extraArguments: [hostile] }),
      BootTextError,
      JSON.stringify(hostile),
    );
  }
  assert.throws(
    () => buildKernelCommandLine({ ...parameters, siteKeyFingerprint: "ab; reboot" }),
    BootTextError,
  );
  assert.throws(() => buildKernelCommandLine({ ...parameters, token: "" as BootToken }), BootTextError);
});

test("iPXE script: reads both files from the asking segment and goes on when one is missing", () => {
  const script = prebootScript(server, "portolan.port=402");
  assert.ok(script.startsWith("#!ipxe\n"));
  assert.match(
    script,
    /^kernel http:\/\/11\.11\.11\.1:8069\/boot\/vmlinuz portolan\.port=402 \|\| goto failed$/m,
  );
  assert.match(script, /^initrd http:\/\/11\.11\.11\.1:8069\/boot\/initrd\.img \|\| goto failed$/m);
  assert.match(script, /^exit 1$/m);
});

test("local boot: both loaders leave without stopping at a prompt", () => {
  assert.equal(localBootScript("known-without-work"), "#!ipxe\necho Portolan: known-without-work\nexit 0\n");
  assert.equal(localGrubConfig("x'; reboot"), "echo 'Portolan: x   reboot'\nexit\n");
});

test("GRUB configuration: names files without a device, so they come from where GRUB came from", () => {
  const config = prebootGrubConfig(server, "portolan.port=402");
  assert.match(config, /^ {2}linux \/boot\/vmlinuz portolan\.port=402$/m);
  assert.match(config, /^ {2}initrd \/boot\/initrd\.img$/m);
  assert.match(config, /^set timeout=0$/m);
});

test("GRUB configuration names: the MAC is read, everything else is another file", () => {
  assert.deepEqual(readGrubConfigName("/grub/grub.cfg-01-52-54-00-12-34-56"), { mac: "52:54:00:12:34:56" });
  assert.deepEqual(readGrubConfigName("grub/x86_64-efi/grub.cfg"), { mac: null });
  assert.deepEqual(readGrubConfigName("/boot/grub.cfg"), { mac: null });
  for (const name of ["grub/grub.cfg-C0A8", "../grub.cfg", "grub.cfg-01-52-54-00-12-34-56/x", "vmlinuz"]) {
    assert.equal(readGrubConfigName(name), null, name);
  }
});
