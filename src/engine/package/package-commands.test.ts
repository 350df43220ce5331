import assert from "node:assert/strict";
import { test } from "node:test";
import { installCommand, judgeInstaller, queryCommand, uninstallCommand } from "./package-commands.ts";

const hasNothing = (): boolean => false;
const hasAll = (): boolean => true;

test("packages are installed by their system's own program, silently, with the operator's arguments", () => {
  assert.deepEqual(installCommand("msi", "C:\\x\\a.msi", ["ALLUSERS=1"], hasNothing), {
    program: "msiexec",
    args: ["/i", "C:\\x\\a.msi", "/qn", "/norestart", "ALLUSERS=1"],
  });
  assert.deepEqual(installCommand("exe", "C:\\x\\a b.exe", ["/S"], hasNothing), {
    program: "C:\\x\\a b.exe",
    args: ["/S"],
  });
  assert.equal(installCommand("deb", "/a.deb", [], hasAll)?.program, "apt-get");
  assert.deepEqual(installCommand("deb", "/a.deb", [], hasNothing), {
    program: "dpkg",
    args: ["--install", "/a.deb"],
  });
  assert.equal(installCommand("rpm", "/a.rpm", [], hasNothing)?.program, "rpm");
  assert.equal(installCommand("pkg", "/a.pkg", [], hasNothing)?.program, "installer");
  assert.equal(installCommand("bundle", "/a.tar", [], hasAll), null);
});

test("packages without an uninstall of their kind have none here", () => {
  assert.deepEqual(uninstallCommand("deb", "tool", hasNothing), {
    program: "dpkg",
    args: ["--remove", "tool"],
  });
  assert.equal(uninstallCommand("exe", "tool", hasAll), null);
  assert.equal(queryCommand("msi", "tool"), null);
  assert.equal(queryCommand("rpm", "tool")?.program, "rpm");
});

test("3010 of a Windows installer is success with a restart, of a Linux one a failure", () => {
  assert.equal(judgeInstaller("msi", 3010), "restart-needed");
  assert.equal(judgeInstaller("msi", 1603), "failed");
  assert.equal(judgeInstaller("deb", 3010), "failed");
  assert.equal(judgeInstaller("deb", 0), "installed");
});
