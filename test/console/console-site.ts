import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pino } from "pino";
import { type SimulatedSite, startSimulatedSite } from "#dev/simulated-site.ts";

/**
 * Each test process has its own ports, so that files may run beside each other; below those that Linux gives to connections,
 * one of which would keep a server from its port.
 */
export function portsOf(index: number): { consolePort: number; controlPort: number; httpPort: number } {
  const first = 10_000 + (process.pid % 900) * 24 + index * 3;
  return { consolePort: first, controlPort: first + 1, httpPort: first + 2 };
}

let siteCount = 0;

/** The real server on a simulated network, in a folder that goes with the test. */
export async function startSite(t: TestContext): Promise<SimulatedSite> {
  const dataDir = mkdtempSync(join(tmpdir(), "portolan-console-"));
  const ports = portsOf(siteCount);
  siteCount += 1;
  const site = await startSimulatedSite({ dataDir, ...ports, log: pino({ level: "fatal" }) });
  t.after(async () => {
    await site.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return site;
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly json: unknown;
  readonly text: string;
};

/** One request with the site's certificate as the only authority. */
export function ask(
  site: SimulatedSite,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const payload = options.body === undefined ? null : JSON.stringify(options.body);
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, site.console.url),
      {
        method: options.method ?? "GET",
        ca: site.server.authority.certificatePem,
        agent: false,
        headers: {
          ...(payload === null
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
          ...options.headers,
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => {
          const text = Buffer.concat(parts).toString("utf8");
          const isJson = /^application\/(problem\+)?json/.test(String(response.headers["content-type"]));
          const json: unknown = isJson ? JSON.parse(text) : null;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, json, text });
        });
      },
    );
    call.on("error", reject);
    call.end(payload ?? undefined);
  });
}

export type Login = { readonly cookie: string; readonly proof: string };

export async function logIn(site: SimulatedSite, name: string, password: string): Promise<Login> {
  const answer = await ask(site, "/api/v1/login", { method: "POST", body: { name, password } });
  const { proof } = answer.json as { proof: string };
  const [cookie = ""] = [answer.headers["set-cookie"]].flat();
  return { cookie: cookie.split(";")[0] ?? "", proof };
}

export function headersOf({ cookie, proof }: Login): Record<string, string> {
  return { cookie, "x-portolan-proof": proof };
}
