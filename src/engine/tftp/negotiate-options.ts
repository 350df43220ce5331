import type { TftpOptions, TftpRequest } from "#wire/tftp/packet.ts";

/** What one transfer has agreed on. */
export type TransferTerms = {
  readonly blockSizeBytes: number;
  /** Blocks sent before an acknowledgement is due. RFC 7440 */
  readonly windowBlockCount: number;
  readonly retransmitMs: number;
  /** Options to acknowledge; empty means the client asked for none and gets DATA at once. */
  readonly acknowledged: TftpOptions;
};

const defaults = { blockSizeBytes: 512, windowBlockCount: 1, retransmitMs: 1000 } as const;

/** Above this a window only fills switch buffers; ROMs ask for 4 to 16. */
const windowBlockCountMax = 64;

/** The number an option's text states, or `null` when it is outside what its RFC allows. */
function wholeNumber(text: string | undefined, from: number, to: number): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) {
    return null;
  }
  const value = Number(text);
  return value >= from && value <= to ? value : null;
}

/**
 * Answers the options of a request: takes what can be had, lowers what is too much, drops the rest.
 *
 * @param fileSizeBytes what `tsize` reports
 * @param payloadSizeBytesMax largest DATA block that leaves unfragmented on the path's first link
 * @see RFC 2347, RFC 2348 (blksize), RFC 2349 (timeout, tsize), RFC 7440 (windowsize)
 */
export function negotiateOptions(
  request: TftpRequest,
  file: { readonly fileSizeBytes: number; readonly payloadSizeBytesMax: number },
): TransferTerms {
  const acknowledged = new Map<string, string>();
  let { blockSizeBytes, windowBlockCount, retransmitMs } = defaults as {
    blockSizeBytes: number;
    windowBlockCount: number;
    retransmitMs: number;
  };
  const blockSize = wholeNumber(request.options.get("blksize"), 8, 65464);
  if (blockSize !== null) {
    blockSizeBytes = Math.min(blockSize, file.payloadSizeBytesMax);
    acknowledged.set("blksize", String(blockSizeBytes));
  }
  const timeoutSeconds = wholeNumber(request.options.get("timeout"), 1, 255);
  if (timeoutSeconds !== null) {
    retransmitMs = timeoutSeconds * 1000;
    acknowledged.set("timeout", String(timeoutSeconds));
  }
  if (request.options.has("tsize")) {
    acknowledged.set("tsize", String(file.fileSizeBytes));
  }
  const windowSize = wholeNumber(request.options.get("windowsize"), 1, 65535);
  if (windowSize !== null) {
    windowBlockCount = Math.min(windowSize, windowBlockCountMax);
    acknowledged.set("windowsize", String(windowBlockCount));
  }
  return { blockSizeBytes, windowBlockCount, retransmitMs, acknowledged };
}
