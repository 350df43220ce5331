import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import {
  type AnswerCheck,
  type DiscoverySettings,
  type SearchFailure,
  ServerSearch,
  type ServerPlace,
} from "#engine/agent/server-search.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Datagram, Network, UdpSocket } from "#platform/network.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import {
  decodeGetServerAnswer,
  encodeGetServerRequest,
  type GetServerAnswer,
  nonceSizeBytes,
} from "#wire/discovery/get-server.ts";

/** No server to be trusted was found by multicast. The message says why and what to set. */
export class SearchError extends Error {
  readonly code: SearchFailure | "no-interface";

  constructor(code: SearchError["code"], explanation: string) {
    super(explanation);
    this.name = "SearchError";
    this.code = code;
  }
}

/** Someone who answers agents with a key that is not their site's. */
export type RogueServer = { readonly address: Ipv4Address; readonly fingerprint: string };

function checkAnswer(answer: GetServerAnswer): AnswerCheck {
  const fingerprint = createHash("sha256").update(answer.siteKey).digest("hex");
  try {
    const key = createPublicKey({ key: Buffer.from(answer.siteKey), format: "der", type: "spki" });
    return { fingerprint, isSignatureValid: verify("sha256", answer.signedBytes, key, answer.signature) };
  } catch {
    // Bytes that are no key: OpenSSL throws, and nothing is signed by them.
    return { fingerprint, isSignatureValid: false };
  }
}

async function openSockets(network: Network, settings: DiscoverySettings): Promise<UdpSocket[]> {
  const flow = findFlow(
    computeFlows(
      {
        ...classicSettings,
        "discovery.group": settings.group,
        "discovery.port": settings.port,
        "discovery.ttl": settings.ttl,
      },
      { consolePort: 8443 },
    ),
    "agent.discovery",
  );
  const sockets: UdpSocket[] = [];
  let failure: unknown = null;
  for (const nic of network.interfaces().filter((candidate) => !candidate.isLoopback)) {
    const grant = grantSocket(flow, {
      role: "agent",
      side: "connect",
      interfaceName: nic.name,
      groups: [settings.group],
    });
    try {
      sockets.push(await network.openUdp(grant));
    } catch (error) {
      // One interface that went away must not keep the others from asking.
      failure = error;
    }
  }
  if (sockets.length === 0 && failure !== null) {
    throw failure;
  }
  return sockets;
}

/**
 * Asks on every interface which server serves its segment, and takes the first answer that the site key has signed.
 *
 * @throws SearchError when nobody trusted has answered within three seconds
 */
export async function findServer(
  settings: DiscoverySettings & { readonly siteKeyFingerprint: string },
  edges: {
    readonly network: Network;
    readonly clock: Clock;
    readonly onRogue: (rogue: RogueServer) => void;
  },
): Promise<ServerPlace> {
  const { network, clock, onRogue } = edges;
  const nonces = Array.from({ length: ServerSearch.questionCount }, () => randomBytes(nonceSizeBytes));
  const search = new ServerSearch(settings, nonces);
  const macs = network
    .interfaces()
    .filter((nic) => !nic.isLoopback)
    .map((nic) => nic.mac);
  const sockets = await openSockets(network, settings);
  if (sockets.length === 0) {
    throw new SearchError("no-interface", "no network interface has an address yet");
  }
  let cancelWake = (): void => undefined;
  try {
    return await new Promise<ServerPlace>((resolve, reject) => {
      const step = (): void => {
        const output = search.advance(clock.monotonicMs());
        if (output?.type === "ask") {
          const request = encodeGetServerRequest({ nonce: output.nonce, macs });
          for (const socket of sockets) {
            socket.send(request, { address: settings.group, port: settings.port });
          }
        } else if (output?.type === "failed") {
          reject(new SearchError(output.reason, output.explanation));
          return;
        }
        if (search.wakeAtMs !== null) {
          cancelWake = clock.after(Math.max(1, search.wakeAtMs - clock.monotonicMs()), step);
        }
      };
      for (const socket of sockets) {
        // A question that could not be sent is a question without answer; the search says so in the end.
        socket.onError(() => undefined);
        socket.onDatagram((datagram) => {
          const answer = decodeAnswer(datagram);
          if (answer === null) {
            return;
          }
          const check = checkAnswer(answer);
          const outcome = search.receive(answer, check, datagram.sourceAddress);
          if (outcome.type === "found") {
            resolve(outcome.place);
          } else if (outcome.reason !== "foreign-nonce") {
            onRogue({ address: datagram.sourceAddress, fingerprint: check.fingerprint });
          }
        });
      }
      step();
    });
  } finally {
    cancelWake();
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

function decodeAnswer(datagram: Datagram): GetServerAnswer | null {
  try {
    return decodeGetServerAnswer(datagram.bytes);
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}
