import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { systemClock } from "#platform/clock.ts";
import { FrameReader } from "#wire/control/frame.ts";
import { decodeServerMessage, type EnrollMessage } from "#wire/control/message.ts";
import { type EnrolmentAnswer, EnrolmentDesk } from "./enrolment-desk.ts";

const inventory: EnrollMessage["inventory"] = {
  ...{ macs: [], uuid: null, serial: null, hostName: null, product: null, firmware: "uefi" },
  ...{ isSecureBoot: false, processor: null, processorCount: 1, memoryBytes: 0, operatingSystem: null },
  ...{ addresses: [], disks: [], cards: [] },
};

test("enrolment: who is approved while the desk still decides does not wait for ever", async () => {
  const written: Uint8Array[] = [];
  const challenge = Buffer.alloc(32);
  // As much of a connection as the desk uses.
  const socket = {
    exportKeyingMaterial: () => challenge,
    write: (bytes: Uint8Array) => written.push(bytes),
  } as unknown as TLSSocket;
  const first = Promise.withResolvers<EnrolmentAnswer>();
  const answers: Promise<EnrolmentAnswer>[] = [
    first.promise,
    Promise.resolve({ type: "enrolled", computerId: "c-1", lifetimeMs: 1000 }),
  ];
  const desk = new EnrolmentDesk({
    authority: { issueComputer: async () => "its certificate" },
    clock: systemClock,
    decideEnrolment: () => answers.shift() ?? assert.fail("asked a third time"),
    count: () => undefined,
    refuse: (_socket, _counter, reason) => assert.fail(reason),
    onWaiting: () => undefined,
  });
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const received = desk.receive(socket, {
    ...{ type: "enroll", environment: "preboot", bootToken: null, enrolmentToken: null, inventory },
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    proof: sign("sha256", challenge, privateKey).toString("base64"),
  });
  await desk.reconsider();
  first.resolve({ type: "pending", computerId: "c-1", reason: "waits for approval" });
  await received;
  const reader = new FrameReader();
  assert.deepEqual(
    written.flatMap((bytes) => [...reader.push(bytes)]).map((value) => decodeServerMessage(value).type),
    ["pending", "enrolled"],
  );
  assert.equal(desk.isWaiting(socket), false);
});
