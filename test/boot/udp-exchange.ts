import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Datagrams to send from one port, how many answers to wait for, and how long to collect what comes after them. */
export type UdpExchange = {
  readonly localPort: number;
  /** As many are waited for, however slow this machine is; none if it is not given. */
  readonly answerCount?: number;
  readonly waitMs: number;
  readonly sends: readonly { readonly address: string; readonly port: number; readonly hex: string }[];
};

export type ReceivedDatagram = { readonly address: string; readonly port: number; readonly hex: string };

const answerLimitMs = 30_000;

/** Runs inside a namespace, from a file with the exchange as JSON; prints what came back as one JSON list. */
async function main(exchange: UdpExchange): Promise<void> {
  const socket = createSocket("udp4");
  const received: ReceivedDatagram[] = [];
  socket.on("message", (bytes, { address, port }) => {
    received.push({ address, port, hex: bytes.toString("hex") });
  });
  await new Promise<void>((resolve) => {
    socket.bind(exchange.localPort, "0.0.0.0", resolve);
  });
  socket.setBroadcast(true);
  for (const [index, { address, port, hex }] of exchange.sends.entries()) {
    socket.send(Buffer.from(hex, "hex"), port, address);
    if (index % 50 === 49) {
      await sleep(2);
    }
  }
  const endMs = performance.now() + answerLimitMs;
  while (received.length < (exchange.answerCount ?? 0) && performance.now() < endMs) {
    await sleep(10);
  }
  await sleep(exchange.waitMs);
  socket.close();
  console.log(JSON.stringify(received));
}

const [path] = process.argv.slice(2);
if (import.meta.main && path !== undefined) {
  await main(JSON.parse(readFileSync(path, "utf8")) as UdpExchange);
}
