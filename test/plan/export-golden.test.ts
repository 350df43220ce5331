import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { bootFileNames } from "#engine/boot/boot-program.ts";
import { computeBoundaryRules } from "#plan/export/boundary-rules.ts";
import { dhcpBootRows } from "#plan/export/dhcp-boot-rows.ts";
import { exporters, exportFormats, exportInputOf, parseExportFormat } from "#plan/export/exporters.ts";
import { farRequest, listExportExamples } from "#tools/export-examples.ts";

describe("exports of the plan", () => {
  const examples = listExportExamples();

  for (const { path, text } of examples) {
    test(`${path} is what the exporter writes`, () => {
      assert.ok(existsSync(path), "run: node tools/update-golden.ts, and read the difference");
      assert.equal(text, readFileSync(path, "utf8"));
    });
  }

  test("no golden file is left over from a format that is gone", () => {
    const folder = dirname(examples[0]?.path ?? "");
    assert.deepEqual(
      readdirSync(folder)
        .map((name) => join(folder, name))
        .toSorted(),
      examples.map(({ path }) => path).toSorted(),
    );
  });

  for (const format of exportFormats) {
    test(`${format}: every rule with a line has its id or its reason before it, and the line stands in the file`, () => {
      const input = exportInputOf(farRequest("classic"));
      const file = exporters[format].render(input);
      const lines = file.split("\n").map((line) => line.trim());
      for (const rule of input.rules) {
        for (const line of exporters[format].renderLine(rule, input)) {
          assert.ok(lines.includes(line.trim()), `${rule.id}: the file lacks ${line}`);
        }
      }
      if (input.rules.some((rule) => exporters[format].renderLine(rule, input).length > 0)) {
        const named = input.rules.filter(
          (rule) => exporters[format].renderLine(rule, input).length > 0 && !file.includes(rule.id),
        );
        assert.ok(
          format === "junos" || named.length === 0,
          `without an id: ${named.map(({ id }) => id).join()}`,
        );
      }
    });

    test(`${format}: text of an operator cannot leave the place it was put in`, () => {
      const evil = "\"; drop table\n!*/ --> `rm -rf /` $(reboot) ' } <x> ]]>";
      const request = farRequest("classic");
      const input = exportInputOf({
        ...request,
        serverName: evil,
        segment: { ...request.segment, name: evil },
      });
      for (const text of [exporters[format].render(input), exporters[format].renderRollback(input)]) {
        assert.ok(!text.includes("\n!*/"), "a new line got through");
        const plain = text.split("\n").filter((line) => !/^\s*(#|!|\/\/|\/\*|<!--|\s\s)/.test(line));
        assert.ok(!plain.some((line) => line.includes("$(reboot)") && !line.includes("'")), plain.join("\n"));
      }
    });
  }

  test("file names that DHCP servers hand out are those of the boot folder", () => {
    const names = dhcpBootRows(exportInputOf(farRequest("classic"))).map(({ bootFile }) => bootFile);
    assert.ok(names.includes(bootFileNames.biosIpxe));
    assert.ok(names.includes(bootFileNames.uefiIpxe));
  });

  test("a mistyped format is answered with the nearest, a nickname with its format", () => {
    assert.throws(() => parseExportFormat("nftable"), /did you mean nftables\?/);
    assert.equal(parseExportFormat("mikrotik"), "routeros");
  });

  test("every rule of the boundary has a line for at least one router", () => {
    const input = exportInputOf(farRequest("classic"));
    for (const rule of computeBoundaryRules(farRequest("classic").flows, farRequest("classic").segment)) {
      assert.ok(exporters.nftables.renderLine(rule, input).length > 0, rule.id);
    }
  });
});
