import { createHash, createPublicKey, verify } from "node:crypto";
import { grantSocket } from "#plan/socket-grant.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import {
  decodeGetServerAnswer,
  encodeGetServerRequest,
  type GetServerAnswer,
} from "#wire/discovery/get-server.ts";
import type { ProbeOrder } from "#wire/probe/probe-order.ts";
import type { ProbeSighting } from "#wire/probe/probe-sighting.ts";
import type { ProbeContext } from "./probe-context.ts";
import { flowWith } from "./probe-flows.ts";

type DiscoveryOrder = Extract<ProbeOrder, { readonly kind: "discovery" }>;

const questionCount = 3;
const questionDelayMs = 800;

function isTrusted(answer: GetServerAnswer, siteKeyFingerprint: string): boolean {
  if (createHash("sha256").update(answer.siteKey).digest("hex") !== siteKeyFingerprint) {
    return false;
  }
  try {
    const key = createPublicKey({ key: Buffer.from(answer.siteKey), format: "der", type: "spki" });
    return verify("sha256", answer.signedBytes, key, answer.signature);
  } catch {
    return false;
  }
}

function decode(bytes: Uint8Array): GetServerAnswer | null {
  try {
    return decodeGetServerAnswer(bytes);
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

/** GetServer by multicast, as an agent without an address asks it, with the server's nonce in it. */
export async function probeDiscovery(context: ProbeContext, order: DiscoveryOrder): Promise<ProbeSighting> {
  const flow = flowWith("agent.discovery", {
    "discovery.group": order.group,
    "discovery.port": order.port,
    "discovery.ttl": order.ttl,
  });
  const grant = grantSocket(flow, {
    role: "agent",
    side: "connect",
    interfaceName: context.networkInterface.name,
    groups: [order.group],
  });
  const socket = await context.network.openUdp(grant);
  const nonce = Buffer.from(order.nonce, "hex");
  const request = encodeGetServerRequest({ nonce, macs: [context.networkInterface.mac] });
  let sentCount = 0;
  let sentAtMs = 0;
  const found = await new Promise<Omit<Extract<ProbeSighting, { kind: "discovery" }>, "kind" | "sentCount">>(
    (resolve) => {
      const ask = (): void => {
        if (sentCount === questionCount) {
          clearInterval(timer);
          const nothing = { answerAddress: null, sourceAddress: null, isSignatureRight: false };
          resolve({ elapsedMs: null, ...nothing });
          return;
        }
        sentCount += 1;
        sentAtMs = performance.now();
        socket.send(request, { address: order.group, port: order.port });
      };
      const timer = setInterval(ask, questionDelayMs);
      socket.onError(() => undefined);
      socket.onDatagram(({ bytes, sourceAddress }) => {
        const answer = decode(bytes);
        if (answer !== null && Buffer.from(answer.nonce).equals(nonce)) {
          clearInterval(timer);
          resolve({
            elapsedMs: performance.now() - sentAtMs,
            answerAddress: answer.address,
            sourceAddress,
            isSignatureRight: isTrusted(answer, context.siteKeyFingerprint),
          });
        }
      });
      ask();
    },
  );
  await socket.close();
  return { kind: "discovery", sentCount, ...found };
}
