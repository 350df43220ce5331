import { readFile } from "node:fs/promises";
import { buildCommand } from "@stricli/core";
import { type CliContext, UsageError } from "../cli-context.ts";
import { printCapture, printFrames } from "../decode/print-capture.ts";
import { WireError } from "#wire/bytes/wire-error.ts";

const sizeBytesMax = 256 << 20;

async function readCapture(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UsageError(
      `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  if (bytes.byteLength > sizeBytesMax) {
    throw new UsageError(
      `${path} is larger than ${sizeBytesMax >> 20} MiB; cut it with editcap or tcpdump first`,
    );
  }
  return bytes;
}

export const decodeCommand = buildCommand<{ readonly json: boolean }, [string], CliContext>({
  docs: { brief: "Print a capture: DHCP and PXE, TFTP, ARP and our own protocols" },
  parameters: {
    flags: { json: { kind: "boolean", brief: "Print one JSON value and nothing else", default: false } },
    positional: {
      kind: "tuple",
      parameters: [{ placeholder: "FILE.pcap", brief: "pcap or pcapng", parse: String }],
    },
  },
  async func(this: CliContext, flags: { readonly json: boolean }, path: string) {
    const bytes = await readCapture(path);
    try {
      if (flags.json) {
        this.process.stdout.write(`${JSON.stringify([...printFrames(bytes)], null, 2)}\n`);
        return;
      }
      for (const line of printCapture(bytes)) {
        this.process.stdout.write(`${line}\n`);
      }
    } catch (error) {
      if (error instanceof WireError) {
        throw new UsageError(`${path} is no capture that can be read: ${error.message}`);
      }
      throw error;
    }
  },
});
