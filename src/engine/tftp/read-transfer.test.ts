import assert from "node:assert/strict";
import { test } from "node:test";
import type { TftpPacket, TftpRequest } from "#wire/tftp/packet.ts";
import { negotiateOptions } from "./negotiate-options.ts";
import { ReadTransfer, type TransferOutput } from "./read-transfer.ts";

function request(options: Record<string, string>): TftpRequest {
  return { type: "read-request", fileName: "f", mode: "octet", options: new Map(Object.entries(options)) };
}

function fileOf(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

function transferOf(file: Uint8Array, options: Record<string, string>): ReadTransfer {
  const terms = negotiateOptions(request(options), {
    fileSizeBytes: file.byteLength,
    payloadSizeBytesMax: 1468,
  });
  return new ReadTransfer(file, terms);
}

function dataBlocks(outputs: readonly TransferOutput[]): number[] {
  return outputs.flatMap((output) =>
    output.type === "send" && output.packet.type === "data" ? [output.packet.blockNumber] : [],
  );
}

/** A client that keeps what arrives in order and acknowledges as RFC 7440 says; `drop` loses packets. */
function download(
  transfer: ReadTransfer,
  client: { blockSizeBytes: number; window: number; drop: (packetIndex: number) => boolean },
): Uint8Array {
  const received: Uint8Array[] = [];
  let packetIndex = 0;
  let nowMs = 0;
  let expected = 1;
  let outputs = transfer.start(nowMs);
  for (let round = 0; round < 100_000; round += 1) {
    const replies: TftpPacket[] = [];
    let sinceAck = 0;
    let wakeAtMs = nowMs;
    for (const output of outputs) {
      if (output.type === "finish") {
        assert.equal(output.outcome.type, "complete");
        return Uint8Array.from(received.flatMap((block) => [...block]));
      }
      if (output.type === "wake") {
        wakeAtMs = output.atMs;
        continue;
      }
      packetIndex += 1;
      if (client.drop(packetIndex)) {
        continue;
      }
      if (output.packet.type === "option-ack") {
        replies.push({ type: "ack", blockNumber: 0 });
      } else if (output.packet.type === "data") {
        if (output.packet.blockNumber === (expected & 0xffff)) {
          received.push(output.packet.data);
          expected += 1;
          sinceAck += 1;
          if (sinceAck === client.window || output.packet.data.byteLength < client.blockSizeBytes) {
            replies.push({ type: "ack", blockNumber: (expected - 1) & 0xffff });
            sinceAck = 0;
          }
        } else {
          replies.push({ type: "ack", blockNumber: (expected - 1) & 0xffff });
        }
      }
    }
    outputs = replies.flatMap((reply) => transfer.receive(reply, nowMs));
    if (outputs.length === 0) {
      nowMs = wakeAtMs;
      outputs = transfer.wake(nowMs);
    }
  }
  throw new Error("the transfer did not end");
}

test("TFTP read: lock-step transfers end with a short or empty block", () => {
  for (const sizeBytes of [0, 1, 511, 512, 513, 5000]) {
    const file = fileOf(sizeBytes);
    const got = download(transferOf(file, {}), { blockSizeBytes: 512, window: 1, drop: () => false });
    assert.deepEqual(got, file, `${sizeBytes} bytes`);
  }
});

test("TFTP read: windows and block sizes deliver the file though every fifth packet is lost", () => {
  const file = fileOf(50_000);
  for (const window of [1, 4, 16]) {
    const transfer = transferOf(file, { blksize: "1468", windowsize: String(window), tsize: "0" });
    const got = download(transfer, { blockSizeBytes: 1468, window, drop: (index) => index % 5 === 0 });
    assert.deepEqual(got, file, `window ${window}`);
  }
});

test("TFTP read: block numbers roll over to 0 after 65535", () => {
  const file = fileOf(8 * 66_000);
  const transfer = transferOf(file, { blksize: "8", windowsize: "64" });
  const got = download(transfer, { blockSizeBytes: 8, window: 64, drop: () => false });
  assert.equal(got.byteLength, file.byteLength);
  assert.deepEqual(got.subarray(-64), file.subarray(-64));
});

test("TFTP read: a duplicate acknowledgement in lock-step is not answered", () => {
  const transfer = transferOf(fileOf(5000), {});
  assert.deepEqual(dataBlocks(transfer.start(0)), [1]);
  assert.deepEqual(dataBlocks(transfer.receive({ type: "ack", blockNumber: 1 }, 0)), [2]);
  assert.deepEqual(transfer.receive({ type: "ack", blockNumber: 1 }, 0), []);
  assert.deepEqual(transfer.receive({ type: "ack", blockNumber: 9 }, 0), []);
});

test("TFTP read: an unanswered block is sent seven times, then the transfer is over", () => {
  const transfer = transferOf(fileOf(5000), { timeout: "2" });
  transfer.start(0);
  let outputs = transfer.receive({ type: "ack", blockNumber: 0 }, 0);
  let sentCount = dataBlocks(outputs).length;
  for (let nowMs = 2000; nowMs < 60_000; nowMs += 2000) {
    outputs = transfer.wake(nowMs);
    sentCount += dataBlocks(outputs).length;
    if (outputs.some((output) => output.type === "finish")) {
      break;
    }
  }
  assert.equal(sentCount, 7);
  assert.deepEqual(outputs, [{ type: "finish", outcome: { type: "timed-out", acknowledgedBytes: 0 } }]);
});

test("TFTP read: a client's error ends it, as firmware does after asking for the size", () => {
  const transfer = transferOf(fileOf(5000), { tsize: "0" });
  const [first] = transfer.start(0);
  assert.equal(
    first?.type === "send" && first.packet.type === "option-ack" && first.packet.options.get("tsize"),
    "5000",
  );
  const outputs = transfer.receive({ type: "error", code: 0, message: "User aborted" }, 5);
  assert.equal(outputs[0]?.type === "finish" && outputs[0].outcome.type, "aborted-by-client");
  assert.deepEqual(transfer.receive({ type: "ack", blockNumber: 0 }, 6), []);
});

test("TFTP options: too much is lowered, nonsense is dropped, unknown ones are ignored", () => {
  const file = { fileSizeBytes: 10, payloadSizeBytesMax: 1468 };
  const terms = negotiateOptions(
    request({ blksize: "65464", windowsize: "9999", timeout: "0", tsize: "x", rollover: "1" }),
    file,
  );
  assert.deepEqual(Object.fromEntries(terms.acknowledged), {
    blksize: "1468",
    tsize: "10",
    windowsize: "64",
  });
  assert.equal(negotiateOptions(request({ blksize: "7" }), file).blockSizeBytes, 512);
  assert.equal(negotiateOptions(request({ blksize: "-1" }), file).acknowledged.size, 0);
});
