import assert from "node:assert/strict";
import { test } from "node:test";
import { classicSettings, firewallSettings } from "./settings.ts";
import {
  formatSettingValue,
  overlaySettings,
  parseSettingKey,
  parseSettingValue,
  SettingError,
  settingKeys,
} from "./setting-rules.ts";

test("settings: every value of both profiles survives formatting and parsing", () => {
  for (const profile of [classicSettings, firewallSettings]) {
    for (const key of settingKeys) {
      const text = formatSettingValue(key, profile[key]);
      assert.deepEqual(parseSettingValue(key, text), profile[key], `${key} = ${text}`);
    }
  }
});

test("settings: an unknown key is refused with the nearest valid one", () => {
  assert.throws(
    () => parseSettingKey("control.tcpport"),
    (error) => error instanceof SettingError && error.message.includes("did you mean control.tcpPort?"),
  );
});

test("settings: a link-local, unicast or malformed group is refused", () => {
  for (const text of ["224.0.0.5", "192.168.1.1", "224.2.0", "240.0.0.1", ""]) {
    assert.throws(() => parseSettingValue("discovery.group", text), SettingError, text);
  }
});

test("settings: groups are given as ranges and lists, without repeats", () => {
  assert.deepEqual(parseSettingValue("imaging.groups", "239.1.1.1-239.1.1.3, 239.1.2.1"), [
    "239.1.1.1",
    "239.1.1.2",
    "239.1.1.3",
    "239.1.2.1",
  ]);
  assert.throws(() => parseSettingValue("imaging.groups", "239.1.1.1-239.1.1.3,239.1.1.2"), SettingError);
  assert.throws(() => parseSettingValue("imaging.groups", "224.1.0.0-239.0.0.0"), SettingError);
});

test("settings: port 0 means dynamic only where the table says so", () => {
  assert.equal(parseSettingValue("transfer.port", "0"), 0);
  assert.throws(() => parseSettingValue("control.tcpPort", "0"), SettingError);
  assert.throws(() => parseSettingValue("transfer.port", "70000"), SettingError);
});

test("settings: off is a value of the threshold, not an error", () => {
  assert.equal(parseSettingValue("imaging.threshold", "off"), null);
  assert.equal(parseSettingValue("imaging.threshold", "0"), 0);
  assert.throws(() => parseSettingValue("imaging.threshold", "many"), SettingError);
});

test("settings: stored texts lie over a profile and leave the rest as it is", () => {
  const settings = overlaySettings(classicSettings, { "transfer.port": "5001", "tftp.singlePort": "on" });
  assert.equal(settings["transfer.port"], 5001);
  assert.equal(settings["tftp.singlePort"], true);
  assert.equal(settings["control.tcpPort"], 402);
});

test("settings: a login provider is asked by TLS, and without it on this machine alone", () => {
  for (const issuer of ["https://login.example.org/realms/main", "http://127.0.0.1:8080", "none"]) {
    assert.equal(parseSettingValue("login.issuer", issuer), issuer === "none" ? null : issuer);
  }
  const refused = [
    "http://login.example.org",
    "https://user:word@login.example.org",
    "https://login.example.org/?a=b",
    "ftp://login.example.org",
    "login.example.org",
    "http://127.0.0.1.example.org",
  ];
  for (const issuer of refused) {
    assert.throws(() => parseSettingValue("login.issuer", issuer), SettingError, issuer);
  }
  assert.deepEqual(parseSettingValue("login.domains", "any"), []);
  assert.deepEqual(parseSettingValue("login.viewers", "staff, lab users"), ["staff", "lab users"]);
  assert.throws(() => parseSettingValue("login.viewers", "staff,staff"), SettingError);
});
