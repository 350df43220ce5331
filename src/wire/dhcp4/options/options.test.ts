import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ipv4Address } from "../../address/ipv4-address.ts";
import { WireError } from "../../bytes/wire-error.ts";
import type { DhcpOption } from "../dhcp-options.ts";
import {
  domainNameServers,
  domainNameServersOption,
  requestedAddress,
  requestedAddressOption,
  routers,
  serverIdentifier,
  serverIdentifierOption,
} from "./addresses.ts";
import {
  clientArchitectures,
  clientArchitecturesOption,
  findClientArchitecture,
} from "./client-architecture.ts";
import { clientIdentifier, clientIdentifierOption } from "./client-identifier.ts";
import { clientNetworkInterface, clientNetworkInterfaceOption } from "./client-network-interface.ts";
import { clientUuid, clientUuidOption, formatSystemUuid } from "./client-uuid.ts";
import { hasIpxeFeature, ipxeNoProxyDhcp, ipxeOption, ipxeOptions, ipxeSubOptionCodes } from "./ipxe.ts";
import { leaseSeconds, leaseSecondsOption } from "./lease-times.ts";
import { maximumMessageSizeOption, messageSizeLimitBytes } from "./maximum-message-size.ts";
import { dhcpMessageTypes, messageType, messageTypeOption } from "./message-type.ts";
import { parameterRequestList, parameterRequestListOption } from "./parameter-request-list.ts";
import { relayAgentInformation, relayAgentInformationOption } from "./relay-agent-information.ts";
import { bootFileName, bootFileNameOption, vendorClass, vendorClassOption } from "./texts.ts";
import { isIpxeUserClass, plainUserClassOption, userClass, userClassOption } from "./user-class.ts";

function raw(code: number, hex: string): DhcpOption {
  return { code, bytes: Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex")) };
}

function hex(option: DhcpOption): string {
  return `${option.code} ${Buffer.from(option.bytes).toString("hex")}`;
}

const withCode = (code: string): ((error: unknown) => boolean) => {
  return (error) => error instanceof WireError && error.code === code;
};

describe("DHCP options", () => {
  test("53: every message type has its own number and reads back", () => {
    const names = Object.keys(dhcpMessageTypes) as (keyof typeof dhcpMessageTypes)[];
    for (const name of names) {
      assert.equal(messageType([messageTypeOption(name)]), name);
    }
    assert.equal(new Set(Object.values(dhcpMessageTypes)).size, names.length);
    assert.equal(messageType([]), undefined);
    assert.throws(() => messageType([raw(53, "00")]), withCode("bad-value"));
    assert.throws(() => messageType([raw(53, "0101")]), withCode("bad-length"));
  });

  test("50, 54, 3, 6: addresses", () => {
    const first = Ipv4Address.parse("10.0.0.1");
    const second = Ipv4Address.parse("10.0.0.2");
    assert.equal(hex(requestedAddressOption(first)), "50 0a000001");
    assert.equal(requestedAddress([requestedAddressOption(first)]), first);
    assert.equal(serverIdentifier([serverIdentifierOption(second)]), second);
    assert.deepEqual(domainNameServers([domainNameServersOption([first, second])]), [first, second]);
    assert.deepEqual(routers([]), []);
    assert.throws(() => requestedAddress([raw(50, "0a0000")]), withCode("bad-length"));
    assert.throws(() => routers([raw(3, "0a00000101")]), withCode("bad-length"));
    assert.throws(() => routers([raw(3, "")]), withCode("bad-length"));
  });

  test("51: lease time in seconds", () => {
    assert.equal(hex(leaseSecondsOption(3600)), "51 00000e10");
    assert.equal(leaseSeconds([leaseSecondsOption(0xffffffff)]), 0xffffffff);
  });

  test("55: wanted codes in the order asked", () => {
    assert.deepEqual(parameterRequestList([parameterRequestListOption([1, 66, 43])]), [1, 66, 43]);
    assert.deepEqual(parameterRequestList([]), []);
  });

  test("57: the room for an answer is never below RFC 2131's nor above one Ethernet frame", () => {
    assert.equal(messageSizeLimitBytes([]), 548);
    assert.equal(messageSizeLimitBytes([maximumMessageSizeOption(100)]), 548);
    assert.equal(messageSizeLimitBytes([maximumMessageSizeOption(1260)]), 1232);
    assert.equal(messageSizeLimitBytes([maximumMessageSizeOption(65535)]), 1472);
  });

  test("60 and 67: texts end at the NUL that some ROMs add", () => {
    assert.equal(vendorClass([raw(60, "505845436c69656e7400")]), "PXEClient");
    assert.equal(hex(vendorClassOption("PXEClient")), "60 505845436c69656e74");
    assert.equal(bootFileName([bootFileNameOption("http://h/é")]), "http://h/é");
  });

  test("61: type and bytes, an empty one is refused", () => {
    const found = clientIdentifier([raw(61, "01 525400123456")]);
    assert.equal(found?.type, 1);
    assert.equal(hex(clientIdentifierOption(found)), "61 01525400123456");
    assert.throws(() => clientIdentifier([raw(61, "")]), withCode("truncated"));
  });

  test("77: RFC 3004's list and iPXE's plain text are told apart", () => {
    assert.deepEqual(userClass([plainUserClassOption("iPXE")]), ["iPXE"]);
    assert.deepEqual(userClass([raw(77, "04 69505845 03 6c6162")]), ["iPXE", "lab"]);
    assert.deepEqual(userClass([userClassOption(["a", "bc"])]), ["a", "bc"]);
    assert.deepEqual(userClass([raw(77, "05 69505845")]), ["\u0005iPXE"]);
    assert.deepEqual(userClass([raw(77, "")]), []);
    assert.ok(isIpxeUserClass([plainUserClassOption("iPXE")]));
    assert.ok(isIpxeUserClass([userClassOption(["iPXE"])]));
    assert.ok(!isIpxeUserClass([plainUserClassOption("iPXEish")]));
    assert.throws(() => userClassOption([""]), withCode("bad-length"));
  });

  test("82: circuit, remote end, link selection and server override; 0 and 255 are codes here, not pad and end", () => {
    const found = relayAgentInformation([
      raw(82, "01 04 00010203 02 06 525400aabbcc 05 04 0a020000 0b 04 0a020001 ff 01 07 00 00"),
    ]);
    assert.deepEqual(found?.circuitId, Uint8Array.of(0, 1, 2, 3));
    assert.equal(found?.remoteId?.byteLength, 6);
    assert.equal(found?.linkSelection, "10.2.0.0");
    assert.equal(found?.serverIdentifierOverride, "10.2.0.1");
    assert.deepEqual(
      found?.subOptions.map((subOption) => subOption.code),
      [1, 2, 5, 11, 255, 0],
    );
    assert.equal(hex(relayAgentInformationOption([{ code: 1, bytes: Uint8Array.of(7) }])), "82 010107");
    assert.throws(() => relayAgentInformation([raw(82, "0105aa")]), withCode("option-past-end"));
    assert.throws(() => relayAgentInformation([raw(82, "01")]), withCode("option-past-end"));
    assert.throws(() => relayAgentInformation([raw(82, "0502aaaa")]), withCode("bad-length"));
  });

  test("93: a list in the firmware's order; 7 and 9 both mean x64 UEFI", () => {
    assert.deepEqual(clientArchitectures([raw(93, "0007 0000")]), [7, 0]);
    assert.equal(hex(clientArchitecturesOption([0x10])), "93 0010");
    assert.equal(findClientArchitecture(7)?.cpu, "x64");
    assert.equal(findClientArchitecture(9)?.cpu, "x64");
    assert.equal(findClientArchitecture(0x10)?.isHttp, true);
    assert.equal(findClientArchitecture(0)?.firmware, "bios");
    assert.equal(findClientArchitecture(0xbeef), undefined);
    assert.throws(() => clientArchitectures([raw(93, "00")]), withCode("bad-length"));
    assert.throws(() => clientArchitectures([raw(93, "")]), withCode("bad-length"));
  });

  test("94: interface type and version", () => {
    const found = clientNetworkInterface([raw(94, "01 03 10")]);
    assert.deepEqual(found, { type: 1, major: 3, minor: 16 });
    assert.equal(hex(clientNetworkInterfaceOption({ type: 1, major: 2, minor: 1 })), "94 010201");
  });

  test("97: the bytes of firmware print as SMBIOS tools print them", () => {
    const option = raw(97, "00 44332211 6655 8877 99aa bbccddeeff00");
    const found = clientUuid([option]);
    assert.ok(found !== undefined);
    assert.equal(found.type, 0);
    assert.equal(formatSystemUuid(found.bytes), "11223344-5566-7788-99aa-bbccddeeff00");
    assert.equal(hex(clientUuidOption(found)), hex(option));
    assert.throws(() => clientUuid([raw(97, "00")]), withCode("bad-length"));
  });

  test("175: features of an iPXE build", () => {
    const found = ipxeOptions([raw(175, "b1 05 01 1af4 1000 13 01 01 12 01 00 ff 99")]);
    assert.ok(found !== undefined);
    assert.equal(found.length, 3);
    assert.ok(hasIpxeFeature(found, ipxeSubOptionCodes.featureHttp));
    assert.ok(!hasIpxeFeature(found, ipxeSubOptionCodes.featureAoe));
    assert.ok(!hasIpxeFeature(found, ipxeSubOptionCodes.featureHttps));
    assert.equal(hex(ipxeOption([ipxeNoProxyDhcp])), "175 b00101");
    assert.equal(ipxeOptions([]), undefined);
  });
});
