import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { printCapture, printFrames } from "#cli/decode/print-capture.ts";
import { fuzz, fuzzTargets } from "#tools/fuzz.ts";
import { listGolden } from "#tools/update-golden.ts";
import { encodeUdpFrame } from "#wire/ethernet/udp-frame.ts";
import { encodePcap } from "#wire/pcap/pcap-file.ts";
import { encodeTftpPacket } from "#wire/tftp/packet.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";

function captureOf(payload: Uint8Array, destinationPort: number): Uint8Array {
  const bytes = encodeUdpFrame({
    sourceMac: MacAddress.parse("52:54:00:00:00:01"),
    destinationMac: MacAddress.parse("52:54:00:00:00:02"),
    source: Ipv4Address.parse("10.0.0.1"),
    destination: Ipv4Address.parse("10.0.0.2"),
    sourcePort: 2000,
    destinationPort,
    payload,
  });
  return encodePcap(1, [{ atUs: 0n, linkType: 1, originalBytes: bytes.byteLength, bytes }]);
}

/** What tshark reads: xid, option 53, server identifier, client architecture, per DHCP frame. */
function readWithTshark(path: string): string[] {
  const fields = [
    "dhcp.id",
    "dhcp.option.dhcp",
    "dhcp.option.dhcp_server_id",
    "dhcp.option.client_system_architecture",
  ];
  const args = [
    "-r",
    path,
    "-d",
    "udp.port==4011,dhcp",
    "-T",
    "fields",
    ...fields.flatMap((name) => ["-e", name]),
  ];
  const text = execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return text.split("\n").filter((line) => line !== "");
}

const typeNumbers: Readonly<Record<string, string>> = { discover: "1", offer: "2", request: "3", ack: "5" };

function readWithUs(path: string): string[] {
  return Array.from(printFrames(readFileSync(path)), (frame) => {
    const value = (label: string): string => {
      const found = frame.fields.find((field) => field.label === label)?.value;
      return typeof found === "string" ? found : "";
    };
    const architecture = value("93 client architecture").split(" ")[0] ?? "";
    return [
      `0x${value("xid")}`,
      typeNumbers[value("53 message type")] ?? "?",
      value("54 server identifier"),
      architecture,
    ].join("\t");
  });
}

describe("decode", () => {
  test("every capture prints as its golden text says", () => {
    const all = listGolden();
    assert.ok(all.length >= 10);
    for (const golden of all) {
      assert.equal(
        golden.text,
        readFileSync(golden.textPath, "utf8"),
        `${golden.textPath}: node tools/update-golden.ts`,
      );
    }
  });

  test("tshark reads the same transactions, types, servers and architectures", (t) => {
    if (spawnSync("tshark", ["--version"]).status !== 0) {
      t.skip("tshark is not installed");
      return;
    }
    const captures = listGolden().filter((golden) => golden.capturePath.includes("dhcp4"));
    for (const { capturePath } of captures) {
      const theirs = readWithTshark(capturePath);
      const normal = theirs.map((line) =>
        line.replaceAll(/\t0x0*([0-9a-f]+)$/g, (_, hex: string) => `\t${Number.parseInt(hex, 16)}`),
      );
      assert.ok(theirs.length >= 4);
      assert.deepEqual(readWithUs(capturePath), normal, capturePath);
    }
  });

  test("text that would move a terminal's cursor comes out escaped", () => {
    const fileName = '\u001b[2J\u202eevil\r\n"x';
    const request = encodeTftpPacket({ type: "read-request", fileName, mode: "octet", options: new Map() });
    const lines = [...printCapture(captureOf(request, 69))];
    assert.match(lines[0] ?? "", /TFTP read-request "\\x1b\[2J\\xe2\\x80\\xaeevil\\x0d\\x0a\\"x"$/);
  });

  test("a damaged message is printed with its reason and its bytes, and the next frame still comes", () => {
    const bad = [...printCapture(captureOf(Uint8Array.of(1, 1, 6, 0), 67))];
    assert.match(bad[0] ?? "", /DHCP unreadable: truncated in xid at offset 4/);
    assert.match(bad[1] ?? "", /bytes: 01 01 06 00/);
  });

  for (const [name, target] of Object.entries(fuzzTargets)) {
    test(`${name}: mutated inputs raise WireError and nothing else`, () => {
      const outcome = fuzz(name, target, { seed: 20, runs: 2000 });
      assert.equal(outcome.accepted + outcome.refused, 2000);
      assert.ok(outcome.refused > 100 && outcome.accepted > 5, JSON.stringify(outcome));
    });
  }
});
