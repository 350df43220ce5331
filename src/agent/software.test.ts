import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDpkgStatus, parseUsers } from "./software.ts";

test("dpkg: what is installed, not what was removed with its settings left", () => {
  const status = [
    "Package: bash\nEssential: yes\nStatus: install ok installed\nVersion: 5.2.15-2+b7\nDescription: a shell\n Version: of nothing",
    "Package: cups\nStatus: deinstall ok config-files\nVersion: 2.4",
    "Package: half\nStatus: install ok half-configured\nVersion: 1",
    "Package: zlib1g\nStatus: hold ok installed\nVersion: 1:1.3\n",
  ].join("\n\n");
  assert.deepEqual(parseDpkgStatus(status), ["bash 5.2.15-2+b7", "zlib1g 1:1.3"]);
});

test("users: root and people, no system accounts, no broken lines", () => {
  const passwd = [
    "root:x:0:0:root:/root:/bin/bash",
    "daemon:x:1:1::/:/usr/sbin/nologin",
    "ada:x:1000:1000:Ada:/home/ada:/bin/bash",
    "nobody:x:65534:65534::/:/usr/sbin/nologin",
    "+::::::",
    "",
  ].join("\n");
  assert.deepEqual(parseUsers(passwd), ["root", "ada"]);
});
