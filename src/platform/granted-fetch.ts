import { lookup } from "node:dns/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import { getCACertificates } from "node:tls";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { NetworkError } from "./network-error.ts";
import { connectTls, tryTcp } from "./tcp.ts";

const bodySizeBytesMax = 1 << 20;

export type FetchQuestion = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: number;
};

/** The address of a host name, by the system's resolver. @throws NetworkError `system-call-failed` */
async function resolve(host: string, grant: SocketGrant): Promise<Ipv4Address> {
  try {
    return Ipv4Address.parse((await lookup(host, { family: 4 })).address);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    throw new NetworkError("system-call-failed", `${host} (${grant.flowId}) has no IPv4 address here`, {
      cause,
    });
  }
}

async function connect(grant: SocketGrant, url: URL, timeoutMs: number): Promise<Socket> {
  const isTls = url.protocol === "https:";
  const port = Number(url.port) || (isTls ? 443 : 80);
  const target = { address: await resolve(url.hostname, grant), port, timeoutMs };
  if (isTls) {
    // What the machine trusts counts as well: an organisation's own authority is installed there.
    const ca = [...getCACertificates("default"), ...getCACertificates("system")];
    return connectTls(grant, target, { servername: url.hostname, ca, ALPNProtocols: ["http/1.1"] });
  }
  const attempt = await tryTcp(grant, target);
  if (attempt.socket === null) {
    const why = attempt.detail ?? `no answer within ${timeoutMs} ms`;
    throw new NetworkError(
      "system-call-failed",
      `${url.host} (${grant.flowId}) could not be reached: ${why}`,
    );
  }
  return attempt.socket;
}

/**
 * One HTTP request over a socket of the plan; follows no redirect, keeps nothing open.
 *
 * @throws NetworkError `system-call-failed` when there is no answer in time, or one larger than 1 MiB
 */
export async function fetchByGrant(grant: SocketGrant, url: URL, question: FetchQuestion): Promise<Response> {
  const { method, headers, body, timeoutMs } = question;
  const socket = await connect(grant, url, timeoutMs);
  const fail = (why: string, cause?: Error): NetworkError =>
    new NetworkError(
      "system-call-failed",
      `${url.host} (${grant.flowId}) ${why}`,
      ...(cause === undefined ? [] : [{ cause }]),
    );
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Response>((done, reject) => {
      timer = setTimeout(() => reject(fail(`did not answer within ${timeoutMs} ms`)), timeoutMs);
      const send = url.protocol === "https:" ? requestHttps : requestHttp;
      // Without an agent: every agent, `false` included, would open a connection of its own.
      const call = send(url, { method, headers, createConnection: () => socket }, (answer) => {
        const parts: Buffer[] = [];
        let sizeBytes = 0;
        answer.on("data", (part: Buffer) => {
          parts.push(part);
          sizeBytes += part.length;
          if (sizeBytes > bodySizeBytesMax) {
            reject(fail("answered with more than 1 MiB"));
          }
        });
        answer.on("end", () => {
          const status = answer.statusCode ?? 0;
          const fields = Object.entries(answer.headersDistinct).map(
            ([name, values]) => [name, (values ?? []).join(", ")] as [string, string],
          );
          const isEmpty = [204, 205, 304].includes(status);
          done(new Response(isEmpty ? null : Buffer.concat(parts), { status, headers: fields }));
        });
        answer.on("error", (error) => reject(fail(error.message, error)));
      });
      call.on("error", (error) => reject(fail(error.message, error)));
      call.end(body ?? undefined);
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
