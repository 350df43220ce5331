import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { connect, type ConnectionOptions } from "node:tls";
import { createSiteKey, SiteAuthority } from "#server/site-authority.ts";
import { encodeFrame, FrameReader } from "#wire/control/frame.ts";

/* What a hostile peer does to port 402. usage: send-garbage.ts ADDRESS garbage|hello|stolen|claim|crowd [PATH] */
const [host = "", kind = "", path = ""] = process.argv.slice(2);

const inventory = {
  ...{ macs: [], uuid: null, serial: null, hostName: "x", product: null, firmware: "bios" },
  ...{ isSecureBoot: false, processor: null, processorCount: 1, memoryBytes: 1, operatingSystem: null },
  ...{ addresses: [], disks: [] },
};
const hello = {
  type: "hello",
  environment: "os",
  agentRunId: "r",
  computerId: "c-00000000",
  inventory,
  tasks: [],
};

/** Says these bytes once the connection stands; resolves with what came back and how it ended. */
function talk(bytes: Uint8Array, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 402, minVersion: "TLSv1.3", rejectUnauthorized: false, ...options });
    const reader = new FrameReader();
    let answer = "";
    const finish = (text: string): void => {
      socket.destroy();
      resolve(answer === "" ? text : answer);
    };
    socket.once("secureConnect", () => socket.write(bytes));
    socket.on("data", (part: Buffer) => {
      for (const value of reader.push(part)) {
        const { type, reason, computerId } = value as Record<string, string>;
        answer = `${type}${reason === undefined ? "" : `: ${reason}`}${computerId === undefined ? "" : ` ${computerId}`}`;
      }
      finish("");
    });
    socket.once("error", (error) => finish(`error ${error.message}`));
    socket.once("close", () => finish("closed"));
  });
}

function plainTcp(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: 402 });
    socket.once("connect", () => socket.end(bytes));
    socket.on("error", () => undefined);
    socket.resume();
    socket.once("close", () => resolve());
  });
}

async function sendDatagrams(count: number): Promise<void> {
  const socket = createSocket("udp4");
  for (let index = 0; index < count; index += 1) {
    const bytes = randomBytes(index * 7);
    // Half of them begin like one of ours.
    Buffer.from(index % 2 === 0 ? "PTLD\u0001\u0001" : "PTLD\u0001\u0002").copy(bytes);
    await new Promise((resolve) => {
      socket.send(bytes, 402, host, resolve);
    });
  }
  socket.close();
}

async function sendGarbage(): Promise<void> {
  for (let index = 0; index < 20; index += 1) {
    await plainTcp(randomBytes(200));
  }
  const tooBig = Buffer.alloc(4);
  tooBig.writeUInt32BE(65_537);
  await talk(tooBig);
  await talk(Buffer.from([0, 0, 0, 3, 1, 0x7b, 0x7b]));
  await talk(encodeFrame({ type: "enroll", inventory: "no" }));
  await talk(Buffer.alloc(70_000, 0xff));
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const proof = sign("sha256", Buffer.from("another connection"), privateKey).toString("base64");
  const der = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const forged = { type: "enroll", environment: "os", publicKey: der, proof, bootToken: null, inventory };
  console.log(`forged proof: ${await talk(encodeFrame(forged))}`);
  await sendDatagrams(200);
}

async function useCertificates(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  let stolen: string;
  try {
    stolen = await talk(encodeFrame(hello), { key, cert: readFileSync(path, "utf8") });
  } catch (error) {
    // OpenSSL does not even begin with a key that does not fit.
    stolen = `not usable: ${String(error)}`;
  }
  console.log(`stolen certificate: ${stolen}`);
  const foreign = new SiteAuthority(await createSiteKey(Date.now()));
  const cert = await foreign.issueComputer(publicKey, { computerId: "c-1", role: "os" }, 60_000, Date.now());
  console.log(`foreign certificate: ${await talk(encodeFrame(hello), { key, cert })}`);
}

async function claimAnother(): Promise<void> {
  const read = (name: string): string => readFileSync(join(path, name), "utf8");
  console.log(await talk(encodeFrame(hello), { key: read("key.pem"), cert: read("certificate.pem") }));
}

/** Forty connections that say nothing. */
async function crowd(): Promise<void> {
  await Promise.all(Array.from({ length: 40 }, () => talk(new Uint8Array(0))));
}

switch (kind) {
  case "crowd":
    await crowd();
    break;
  case "garbage":
    await sendGarbage();
    break;
  case "hello":
    console.log(await talk(encodeFrame(hello)));
    break;
  case "stolen":
    await useCertificates();
    break;
  case "claim":
    await claimAnother();
    break;
  default:
    process.exitCode = 2;
}
