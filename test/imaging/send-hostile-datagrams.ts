import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { dataHeaderSizeBytes } from "#wire/multicast/data-packet.ts";

/*
 * A stranger in the room: hears the datagrams of a session, and fills its cable with datagrams that bear the server's
 * address. Always: those it heard, once more, and some of no session. With --forge also pieces of chunks to come with
 * wrong content and of wrong size, and sequence numbers far ahead. Prints how many went when it is ended.
 * usage: send-hostile-datagrams.ts --interface NAME --as ADDRESS --group GROUP --port PORT [--forge]
 */
const { values } = parseArgs({
  options: {
    interface: { type: "string", default: "eth0" },
    as: { type: "string", default: "" },
    group: { type: "string", default: "" },
    port: { type: "string", default: "" },
    forge: { type: "boolean", default: false },
  },
});
const group = Ipv4Address.parse(values.group);
const port = Number(values.port);
const heardCountMax = 64;
const chunksAhead = 12;

const network = createLinuxNetwork();
const flow = findFlow(computeFlows(classicSettings, { consolePort: 8443 }), "imaging.data");
const common = { interfaceName: values.interface, groups: [group] };
const ears = await network.openUdp(
  grantSocket(flow, { role: "preboot", side: "listen", localAddress: group, localPort: port, ...common }),
);
const mouth = await network.openUdp(
  grantSocket(flow, {
    role: "server",
    side: "connect",
    localAddress: Ipv4Address.parse(values.as),
    ...common,
  }),
  { sendBufferBytes: 1 << 20 },
);

/** Full datagrams of the session, the newest last. BOUNDED by `heardCountMax`. */
const heard: Buffer[] = [];
let sizeBytes = 0;
ears.onDatagram(({ bytes }) => {
  sizeBytes = Math.max(sizeBytes, bytes.byteLength);
  if (bytes.byteLength === sizeBytes) {
    heard.push(Buffer.from(bytes));
    if (heard.length > heardCountMax) {
      heard.shift();
    }
  }
});
const counts = { replayed: 0, foreign: 0, forged: 0 };
mouth.onError((error) => process.stderr.write(`${error.message}\n`));

/** Fields of multicast §4.1, changed in a copy of a real datagram. */
function forge(real: Buffer, index: number): void {
  const chunkIndex = real.readUInt32BE(12) + (index % chunksAhead);
  real.writeUInt32BE(chunkIndex, 12);
  real[dataHeaderSizeBytes + index] = (real[dataHeaderSizeBytes + index] ?? 0) ^ 0xff;
  if (index % 3 === 1) {
    real.writeUInt32BE(real.readUInt32BE(16) + 1, 16);
  } else if (index % 3 === 2) {
    real.writeUInt32BE(real.readUInt32BE(8) + 100_000, 8);
  }
}

function build(): Buffer {
  const parts = heard.flatMap((real, index) => {
    const foreign = Buffer.from(real);
    foreign.writeUInt32BE(foreign.readUInt32BE(4) + 1, 4);
    const noise = index === 0 ? [randomBytes(sizeBytes)] : [];
    counts.replayed += 1;
    counts.foreign += 1 + noise.length;
    if (!values.forge) {
      return [real, foreign, ...noise];
    }
    const forged = Buffer.from(real);
    forge(forged, index);
    counts.forged += 1;
    return [forged, real, foreign, ...noise];
  });
  return Buffer.concat(parts);
}

process.on("SIGTERM", () => {
  process.stdout.write(`${JSON.stringify(counts)}\n`, () => process.exit());
});
process.stdout.write("listening\n");
for (;;) {
  let rest = heard.length === 0 ? Buffer.alloc(0) : build();
  while (rest.byteLength > 0) {
    rest = rest.subarray(mouth.sendBatch(rest, sizeBytes, { address: group, port }));
    if (rest.byteLength > 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, 2);
      });
    }
  }
  await new Promise((resolve) => {
    setTimeout(resolve, 2);
  });
}
