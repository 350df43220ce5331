import { buildCommand } from "@stricli/core";
import { z } from "zod";
import { verifiedSegmentSchema, type VerifiedSegmentResource } from "#api/verify-api.ts";
import { type ApiClient, createApiClient } from "../api-client.ts";
import { type CliContext, printAnswer, resolveDataDir } from "../cli-context.ts";
import { formatVerification, isFaulty } from "../verify-matrix.ts";

type VerifyFlags = {
  readonly json: boolean;
  readonly data?: string;
  readonly segment?: string;
  readonly format?: string;
  readonly strict: boolean;
};

const pollDelayMs = 300;

/** Follows the operation to its end. Progress goes to stderr, so that `--json` prints one value alone. */
async function followVerification(
  client: ApiClient,
  operationId: string,
  stderr: NodeJS.WriteStream,
): Promise<VerifiedSegmentResource[]> {
  let lastDetail = "";
  for (;;) {
    const operation = await client.call("showOperation", { id: operationId });
    if (operation.detail !== lastDetail) {
      lastDetail = operation.detail;
      const text = `${operation.percent.toFixed(0).padStart(3)} %  ${operation.detail}`;
      stderr.write(stderr.isTTY ? `\r\u001b[2K${text}` : `${text}\n`);
    }
    if (operation.state !== "running") {
      stderr.write(stderr.isTTY ? "\r\u001b[2K" : "");
      if (operation.state === "failed") {
        throw new Error(operation.error ?? "the verification failed");
      }
      return z.array(verifiedSegmentSchema).parse(operation.result);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pollDelayMs);
    });
  }
}

export const planVerifyCommand = buildCommand<VerifyFlags, [], CliContext>({
  docs: {
    brief: "Prove every flow in every segment, with agents there; exit code 3 when something is wrong",
  },
  parameters: {
    flags: {
      json: { kind: "boolean", brief: "Print one JSON value and nothing else", default: false },
      strict: {
        kind: "boolean",
        brief: "Exit code 3 also when a segment was not tested, because no agent is connected from it",
        default: false,
      },
      data: {
        kind: "parsed",
        parse: String,
        brief: "Data directory of the server on this machine (or PORTOLAN_DATA)",
        placeholder: "DIR",
        optional: true,
      },
      segment: {
        kind: "parsed",
        parse: String,
        brief: "Only this segment",
        placeholder: "SEGMENT",
        optional: true,
      },
      format: {
        kind: "parsed",
        parse: String,
        brief: "Device whose lines remedies are written in, as for plan export (default nftables)",
        placeholder: "FORMAT",
        optional: true,
      },
    },
  },
  async func(flags) {
    const client = createApiClient(resolveDataDir(flags.data));
    const body = {
      ...(flags.segment === undefined ? {} : { segment: flags.segment }),
      ...(flags.format === undefined ? {} : { format: flags.format }),
    };
    const operation = await client.call("verifyPlan", { body });
    const segments = await followVerification(client, operation.id, this.process.stderr);
    const findings = flags.json ? [] : await client.call("listFindings");
    const cells = segments.flatMap((verified) => verified.cells);
    const isUnproven = flags.strict && !segments.every(({ prober }) => prober !== null);
    printAnswer(
      this.process,
      {
        json: cells,
        text: formatVerification(segments, findings),
        exitCode: cells.some(isFaulty) || isUnproven ? 3 : 0,
      },
      flags.json,
    );
  },
});
