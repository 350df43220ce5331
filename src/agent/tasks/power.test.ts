import assert from "node:assert/strict";
import { test } from "node:test";
import { powerCommand } from "./power.ts";

test("power: each system is asked by its own command, at once and without a question", () => {
  assert.deepEqual(powerCommand("restart", "win32"), {
    program: "shutdown.exe",
    args: ["/r", "/f", "/t", "0"],
  });
  assert.deepEqual(powerCommand("power-off", "darwin"), { program: "/sbin/shutdown", args: ["-h", "now"] });
  assert.deepEqual(powerCommand("power-off", "linux"), { program: "systemctl", args: ["poweroff"] });
});
