import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { exporters, type ExportFormat, exportInputOf } from "#plan/export/exporters.ts";
import type { ProfileName } from "#plan/settings.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { farRequest } from "#tools/export-examples.ts";

const profiles: readonly ProfileName[] = ["classic", "firewall"];

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-load-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function textOf(format: ExportFormat, profile: ProfileName): string {
  return exporters[format].render(exportInputOf(farRequest(profile)));
}

/** Why a program that reads a format cannot be asked here, or `false`. */
function missing(...paths: readonly string[]): string | false {
  const absent = paths.filter((path) => !existsSync(path));
  return absent.length === 0 ? false : `needs ${absent.join(", ")}`;
}

function check(program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, [...args], { encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, `${program} refuses it:\n${stdout}${stderr}`);
}

describe("exports loaded by the programs that they are for", () => {
  test("ISC's DHCP server takes its snippet", { skip: missing("/usr/sbin/dhcpd") }, (t) => {
    const path = join(folderOf(t), "dhcpd.conf");
    writeFileSync(path, textOf("isc-dhcp", "classic"));
    check("/usr/sbin/dhcpd", ["-4", "-t", "-cf", path, "-lf", "/dev/null"]);
  });

  test("Kea takes its snippet", { skip: missing("/usr/sbin/kea-dhcp4") }, (t) => {
    const path = join(folderOf(t), "kea.json");
    writeFileSync(path, textOf("kea", "classic"));
    check("/usr/sbin/kea-dhcp4", ["-t", path]);
  });

  test("dnsmasq takes its snippet", { skip: missing("/usr/sbin/dnsmasq") }, (t) => {
    const path = join(folderOf(t), "dnsmasq.conf");
    writeFileSync(path, textOf("dnsmasq", "classic"));
    check("/usr/sbin/dnsmasq", ["--test", "-C", path]);
  });

  test(
    "firewalld takes the policy, and reads back every rule",
    { skip: missing("/usr/bin/firewall-offline-cmd") },
    (t) => {
      for (const profile of profiles) {
        const folder = folderOf(t);
        mkdirSync(join(folder, "policies"));
        cpSync("/etc/firewalld/firewalld.conf", join(folder, "firewalld.conf"));
        writeFileSync(join(folder, "policies/portolan-far.xml"), textOf("firewalld", profile));
        check("firewall-offline-cmd", ["--system-config", folder, "--check-config"]);
        const text = execFileSync(
          "firewall-offline-cmd",
          ["--system-config", folder, "--info-policy", "portolan-far"],
          { encoding: "utf8" },
        );
        const input = exportInputOf(farRequest(profile));
        const count = input.rules.flatMap((rule) => exporters.firewalld.renderLine(rule, input)).length;
        assert.equal(text.match(/^\s*rule family/gm)?.length, count, text);
      }
    },
  );

  for (const [name, render] of [
    ["lines", exporters.frr.render],
    ["rollback", exporters.frr.renderRollback],
  ] as const) {
    test(`FRRouting's shell knows every one of the ${name}`, { skip: missing("/usr/bin/vtysh") }, (t) => {
      const path = join(folderOf(t), "frr.conf");
      writeFileSync(path, render(exportInputOf(farRequest("classic"))));
      check("/usr/bin/vtysh", ["-C", "-f", path]);
      writeFileSync(path, "ip pim rq 1.2.3.4\n");
      const nonsense = spawnSync("/usr/bin/vtysh", ["-C", "-f", path], { encoding: "utf8" });
      assert.match(nonsense.stdout + nonsense.stderr, /Unknown command/, "vtysh would take anything");
    });
  }
});

const ufwObstacle = networkTestObstacle("ip", "ufw", "unshare") ?? false;

/** Runs a script with an /etc/ufw of its own, in a network of its own. */
function withUfw(hosts: NetworkHosts, folder: string, script: string): string {
  const path = join(folder, "script.sh");
  writeFileSync(path, `set -e\nmount --bind ${folder}/ufw /etc/ufw\n${script}`);
  return hosts.run("server", "unshare", ["--mount", "sh", path]);
}

test(
  "ufw: the rules are added once, twice is once, and the rollback takes exactly them",
  { skip: ufwObstacle },
  (t) => {
    const folder = folderOf(t);
    cpSync("/etc/ufw", join(folder, "ufw"), { recursive: true });
    const hosts = new NetworkHosts(t);
    hosts.segment("near", [{ host: "server", interfaceName: "eth0", address: "192.168.10.1/24" }]);
    const input = exportInputOf(farRequest("classic"));
    writeFileSync(join(folder, "add.sh"), exporters.ufw.render(input));
    writeFileSync(join(folder, "back.sh"), exporters.ufw.renderRollback(input));
    const rules = (): string[] =>
      readFileSync(join(folder, "ufw/user.rules"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("### tuple"));
    withUfw(hosts, folder, "ufw allow 22/tcp\nufw --force enable");
    const before = rules();
    assert.equal(before.length, 1);
    const said = withUfw(hosts, folder, `sh ${folder}/add.sh`);
    const once = rules();
    const lineCount = input.rules.flatMap((rule) => exporters.ufw.renderLine(rule, input)).length;
    assert.equal(once.length, lineCount + 1, said);
    withUfw(hosts, folder, `sh ${folder}/add.sh`);
    assert.deepEqual(rules(), once);
    const loaded = hosts.run("server", "iptables-save", []);
    assert.match(
      loaded,
      /-A ufw-user-input -s 192\.168\.20\.0\/24 -d 192\.168\.10\.1\/32 -p udp .*--dport 69 -j ACCEPT/,
    );
    withUfw(hosts, folder, `sh ${folder}/back.sh`);
    assert.deepEqual(rules(), before);
  },
);
