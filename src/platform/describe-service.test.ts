import assert from "node:assert/strict";
import { test } from "node:test";
import { describeLaunchd, describeUnit, describeWindowsTask } from "./describe-service.ts";

test("service: systemd restarts the agent and tells it of new settings", () => {
  const unit = describeUnit("/opt/portolan/portolan-agent");
  assert.match(unit, /^ExecStart=\/opt\/portolan\/portolan-agent run --environment os$/m);
  assert.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  assert.match(unit, /^Restart=always$/m);
});

test("service: launchd gets each word as one argument, whatever is in it", () => {
  const plist = describeLaunchd(["/opt/a & b/portolan-agent"]);
  assert.match(plist, /<string>\/opt\/a &amp; b\/portolan-agent<\/string>\n {4}<string>run<\/string>/);
});

test("service: Windows starts the agent as the system, without an end, and again when it fails", () => {
  const task = describeWindowsTask(["C:\\Program Files\\A & B\\portolan-agent.exe"]);
  assert.match(task, /<Command>"C:\\Program Files\\A &amp; B\\portolan-agent\.exe"<\/Command>/);
  assert.match(task, /<Arguments>run --environment os<\/Arguments>/);
  assert.match(task, /<UserId>S-1-5-18<\/UserId>/);
  assert.match(task, /<ExecutionTimeLimit>PT0S<\/ExecutionTimeLimit>/);
  assert.match(task, /<RestartOnFailure><Interval>PT1M<\/Interval>/);
});
