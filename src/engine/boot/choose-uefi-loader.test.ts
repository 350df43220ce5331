import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { BootAttempts } from "./boot-attempts.ts";
import type { BootProgram } from "./boot-program.ts";
import { chooseUefiLoader } from "./choose-uefi-loader.ts";

const mac = MacAddress.parse("52:54:00:00:00:0a");
const address = Ipv4Address.parse("192.168.0.50");
const script: BootProgram = {
  type: "ipxe-script",
  loader: "script",
  url: "http://192.168.0.1/boot/script.ipxe",
};

/** One computer's firmware asking, at virtual times. */
class Firmware {
  readonly attempts = new BootAttempts();

  asks(transactionId: number, nowMs: number, port: 67 | 4011 = 67): string {
    const moment = { transactionId, nowMs, port };
    const loader = chooseUefiLoader("auto", this.attempts.find(mac), moment);
    const program: BootProgram = { type: "tftp-file", loader, fileName: loader };
    this.attempts.noteOffer({ mac, program, ...moment });
    return loader;
  }

  readsLoader(): void {
    this.attempts.noteLease(mac, address);
    this.attempts.noteLoaderRead(address);
  }
}

test("UEFI loader: a setting other than auto is obeyed", () => {
  const moment = { transactionId: 1, nowMs: 0, port: 67 } as const;
  assert.equal(chooseUefiLoader("shim", null, moment), "shim");
  assert.equal(chooseUefiLoader("ipxe", null, moment), "ipxe");
});

test("UEFI loader: auto begins with iPXE and stays with it through retries and port 4011", () => {
  const firmware = new Firmware();
  assert.equal(firmware.asks(7, 0), "ipxe");
  assert.equal(firmware.asks(7, 4000), "ipxe");
  assert.equal(firmware.asks(7, 12_000), "ipxe");
  firmware.readsLoader();
  assert.equal(firmware.asks(99, 13_000, 4011), "ipxe");
});

test("UEFI loader: firmware that read iPXE and comes back without running it gets the shim", () => {
  const firmware = new Firmware();
  firmware.asks(1, 0);
  firmware.readsLoader();
  assert.equal(firmware.asks(2, 30_000), "shim");
});

test("UEFI loader: without seeing the file read, two fruitless attempts are needed", () => {
  const firmware = new Firmware();
  assert.equal(firmware.asks(1, 0), "ipxe");
  assert.equal(firmware.asks(2, 30_000), "ipxe");
  assert.equal(firmware.asks(3, 60_000), "shim");
});

test("UEFI loader: once iPXE asked for its script it stays the loader", () => {
  const firmware = new Firmware();
  firmware.asks(1, 0);
  firmware.readsLoader();
  firmware.attempts.noteOffer({ mac, program: script, transactionId: 2, nowMs: 20_000, port: 67 });
  assert.equal(firmware.asks(3, 100_000), "ipxe");
  firmware.attempts.noteLoaderRun(mac);
  assert.equal(firmware.asks(4, 1_000_000), "ipxe");
});

test("UEFI loader: a shim that runs stays, one that never runs makes room for iPXE", () => {
  const runs = new Firmware();
  runs.asks(1, 0);
  runs.readsLoader();
  runs.asks(2, 30_000);
  runs.attempts.noteLoaderRun(mac);
  assert.equal(runs.asks(3, 900_000), "shim");

  const fails = new Firmware();
  fails.asks(1, 0);
  fails.readsLoader();
  assert.equal(fails.asks(2, 30_000), "shim");
  fails.readsLoader();
  assert.equal(fails.asks(3, 60_000), "ipxe");
});

test("boot attempts: an iPXE in the network card is an attempt whose loader runs", () => {
  const attempts = new BootAttempts();
  attempts.noteOffer({ mac, program: script, transactionId: 1, nowMs: 0, port: 67 });
  attempts.noteLease(mac, address);
  assert.equal(attempts.findByAddress(address)?.hasLoaderRun, true);
  assert.equal(attempts.find(mac)?.uefiLoader, null);
});

test("boot attempts: an address that moved to another card belongs to that card", () => {
  const attempts = new BootAttempts();
  const second = MacAddress.parse("52:54:00:00:00:0b");
  for (const [index, owner] of [mac, second].entries()) {
    attempts.noteOffer({ mac: owner, program: script, transactionId: index, nowMs: 0, port: 67 });
    attempts.noteLease(owner, address);
  }
  assert.equal(attempts.findByAddress(address)?.mac, second);
});

test("boot attempts: strangers' leases are not remembered", () => {
  const attempts = new BootAttempts();
  attempts.noteLease(mac, address);
  assert.equal(attempts.findByAddress(address), null);
});
