import assert from "node:assert/strict";
import { test } from "node:test";
import {
  agentInstallLine,
  AnswerError,
  answerVariables,
  type AnswerValues,
  listVariables,
  renderAnswers,
} from "./answers.ts";

const values: AnswerValues = {
  name: "pc-07",
  hostName: "pc-07",
  serial: "SN 1",
  mac: "52:54:00:a0:00:01",
  uuid: "5f0d1c2b-0000-4000-8000-000000000001",
  address: "192.168.10.101",
  domain: "example.org",
  server: "192.168.10.1",
  serverUrl: "https://192.168.10.1:8443",
  keyFingerprint: "ab".repeat(32),
  agentInstall: agentInstallLine("https://192.168.10.1:8443", "cd".repeat(32)),
};

test("answers: every variable is put in, wherever it stands, and nothing else is touched", () => {
  for (const variable of answerVariables) {
    assert.equal(
      renderAnswers(`a{{${variable}}}b{{${variable}}}`, values),
      `a${values[variable]}b${values[variable]}`,
    );
  }
  const foreign = "{{ item }} {name} {{#if x}} ${HOME} {% raw %} {{1}}";
  assert.equal(renderAnswers(foreign, values), foreign);
});

test("answers: a value is text and never a variable again", () => {
  assert.equal(renderAnswers("{{name}}", { ...values, name: "{{serial}}" }), "{{serial}}");
  assert.equal(renderAnswers("{{name}}", { ...values, name: "a&b" }), "a&b");
});

test("answers: an unknown variable is refused with those that there are", () => {
  assert.throws(
    () => listVariables("{{hostname}}"),
    /\{\{hostname\}\} is no variable; there are name, hostName, serial/,
  );
  assert.deepEqual(listVariables("{{name}} {{domain}} {{name}}"), ["name", "domain"]);
});

test("answers: what is not known of a computer is refused, and so is what it could write answers by", () => {
  assert.throws(() => renderAnswers("{{serial}}", { ...values, serial: null }), AnswerError);
  for (const serial of ["a\nd-i x", "a'b", 'a"b', "$(reboot)", "`x`", "a\\", "\u0000"]) {
    assert.throws(() => renderAnswers("{{serial}}", { ...values, serial }), /holds characters/, serial);
    assert.equal(renderAnswers("{{name}}", { ...values, serial }), "pc-07", "only what is asked for counts");
  }
});

test("answers: the line that installs the agent fits into single quotes and pins the script's hash", () => {
  const line = values.agentInstall ?? "";
  assert.ok(!line.includes("'") && !line.includes("\n"));
  assert.match(line, new RegExp(`echo "${"cd".repeat(32)}  \\$f" \\| sha256sum -c`));
});
