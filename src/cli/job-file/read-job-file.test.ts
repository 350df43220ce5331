import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../cli-context.ts";
import { parseJobFile, readJobFile } from "./read-job-file.ts";

function complaints(text: string, path = "job.yaml"): string[] {
  try {
    parseJobFile(path, text);
    return [];
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message.split("\n");
  }
}

test("job file: a key that is not known is named with its line and the nearest one", () => {
  assert.deepEqual(complaints("name: a\ntasks:\n  - kind: run-script\n    scrpt: x\n"), [
    "job.yaml:4: tasks[0]: scrpt is not known here; did you mean script?",
  ]);
  assert.deepEqual(complaints("name: a\nschedul:\n  at: 2026-12-01 18:00\ntasks: [{kind: restart}]\n"), [
    "job.yaml:2: schedul is not known here; did you mean schedule?",
  ]);
  const conditional =
    "name: a\nconditions:\n- name: x\n  when:\n    modle: T*\n  tasks:\n  - kind: restart\n";
  assert.deepEqual(complaints(conditional), [
    "job.yaml:5: conditions[0].when: modle is not known here; did you mean model?",
  ]);
});

test("job file: a kind that is none is answered with the nearest", () => {
  assert.deepEqual(
    complaints("name: a\ntasks:\n  - kind: restart\n  - kind: instal-package\n    package: x\n"),
    ["job.yaml:4: tasks[1].kind: there is no kind instal-package; did you mean install-package?"],
  );
  assert.match(
    complaints("name: a\ntasks:\n  - package: x\n")[0] ?? "",
    /^job\.yaml:3: tasks\[0\]\.kind: kind is missing; there are /,
  );
});

test("job file: what is wrong with a value is said in its own words", () => {
  const text = `name: a
schedule:
  at: tomorrow
tasks:
  - kind: wait
    durationMs: 10 minutes
  - kind: run-script
    script: "true"
    codes:
      "1-3": skip
      many: stop
      "4": jump elsewhere
  - kind: deploy-image
    image: room
    disk:
      serail: x
`;
  assert.deepEqual(complaints(text), [
    "job.yaml:3: schedule.at: is a local time such as 2026-12-01 18:00",
    "job.yaml:6: tasks[0].durationMs: is like 90 s, 10 min, 2 h or 1 d",
    "job.yaml:10: tasks[1].codes.1-3: is continue, end, stop, or jump and the name of a task",
    "job.yaml:11: tasks[1].codes.many: is a code such as 3010, a range such as 1-9, or other",
    "job.yaml:16: tasks[2].disk: serail is not known here; did you mean serial?",
  ]);
  assert.deepEqual(
    complaints(
      'name: a\ntasks:\n  - kind: run-script\n    script: x\n    codes:\n      "4": jump elsewhere\n',
    ),
    ["job.yaml:6: tasks[0].codes.4: no task is called elsewhere; no task has a name"],
  );
});

test("job file: a value of another type is said in the file's own words", () => {
  const text = `name: [a]
computers: pc-1
tasks:
  - kind: run-script
    script: x
    codes:
      7: { jump: repair }
    retry: often
`;
  assert.deepEqual(complaints(text), [
    "job.yaml:1: name: is not a text",
    "job.yaml:2: computers: is not a list",
    "job.yaml:7: tasks[0].codes.7: is continue, end, stop, or jump and the name of a task",
    "job.yaml:8: tasks[0].retry: is not a group of keys",
  ]);
});

test("job file: YAML, TOML and JSON that are none are named with their line", () => {
  assert.match(complaints("name: a\ntasks: [\n")[0] ?? "", /^job\.yaml:3: /);
  assert.match(complaints("name: a\nname: b\ntasks: [{kind: restart}]")[0] ?? "", /^job\.yaml:2: .*unique/);
  assert.match(complaints('name = "a"\n[[tasks]]\nkind = restart\n', "job.toml")[0] ?? "", /^job\.toml:3: /);
  assert.match(complaints('{"name": "a",\n"tasks": }', "job.json")[0] ?? "", /^job\.json:2: /);
});

test("job file: in TOML too the line is named", () => {
  const text = 'name = "a"\n[[tasks]]\nkind = "restart"\n\n[[tasks]]\nkind = "wait"\ndurationMs = "x"\n';
  assert.deepEqual(complaints(text, "job.toml"), [
    "job.toml:7: tasks[1].durationMs: is like 90 s, 10 min, 2 h or 1 d",
  ]);
  const unknown = 'name = "a"\n[[tasks]]\nkind = "restart"\n[tasks.retry]\nattempts = 3\ndelay = 4\n';
  assert.deepEqual(complaints(unknown, "job.toml"), [
    "job.toml:6: tasks[0].retry: delay is not known here; did you mean delayMs?",
  ]);
});

test("job file: durations are milliseconds, scripts and files are found from its folder", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-job-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "hello.sh"), "echo hello\n");
  writeFileSync(
    join(folder, "job.yaml"),
    `name: a
tasks:
  - kind: run-script
    scriptFile: hello.sh
    timeoutMs: 2 min
conditions:
  - name: x
    when: { memoryBytes: ">= 8 GiB" }
    tasks:
      - kind: copy-file
        source: files/motd
        destination: /etc/motd
`,
  );
  const job = await readJobFile(join(folder, "job.yaml"));
  const [task] = job.tasks;
  assert.ok(task?.kind === "run-script");
  assert.equal(task.script, "echo hello\n");
  assert.equal(task.timeoutMs, 120_000);
  const [copy] = job.conditions[0]?.tasks ?? [];
  assert.ok(copy?.kind === "copy-file");
  assert.equal(copy.source, join(folder, "files/motd"));
});

test("sample jobs: all of them are jobs", async () => {
  const folder = new URL("../../../samples/jobs/", import.meta.url).pathname;
  const files = readdirSync(folder).filter((name) => /\.(yaml|toml)$/.test(name));
  assert.ok(files.length >= 10, `${files.length} samples`);
  for (const file of files) {
    const job = await readJobFile(join(folder, file));
    assert.ok(job.tasks.length + job.conditions.length > 0, file);
    const text = readFileSync(join(folder, file), "utf8");
    assert.match(text, /^# \S/, `${file} begins with what it is for`);
  }
});
