import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import type { TestEnd } from "../network-hosts.ts";
import { portsOf, startSite } from "./console-site.ts";

export const providerSecret = "kept by the test's provider and this site alone";

type Provider = {
  readonly issuer: string;
  /** Where browsers open the console. */
  readonly origin: string;
  readonly stopProvider: () => Promise<void>;
};

export type ProviderSite = Provider & { readonly site: SimulatedSite };

/** A site, and a real provider in its own process that knows it. */
export async function startProviderSite(t: TestContext): Promise<ProviderSite> {
  const site = await startSite(t);
  return { site, ...(await startProvider(t, site, portsOf(7).consolePort)) };
}

/** A real provider in its own process, and the site's settings for it. */
export async function startProvider(t: TestEnd, site: SimulatedSite, port: number): Promise<Provider> {
  const issuer = `http://127.0.0.1:${port}`;
  const origin = site.console.url.replace("127.0.0.1", "localhost");
  const program = fileURLToPath(new URL("run-login-provider.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [
      program,
      ...["--port", String(port), "--client-id", "portolan", "--secret", providerSecret],
      ...["--redirect-uri", `${origin}/login/provider`],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const hasEnded = once(child, "exit");
  const stopProvider = async (): Promise<void> => {
    child.kill();
    await hasEnded;
  };
  t.after(stopProvider);
  await once(child.stdout, "data");
  const { settings } = site.server;
  await settings.set("console.name", "localhost");
  await settings.set("login.issuer", issuer);
  await settings.set("login.operators", "deployers");
  await site.server.providerSecret.write(providerSecret);
  return { issuer, origin, stopProvider };
}

/** Follows a browser's way through the provider's pages as `name`; the address it is sent back to. */
export async function walk(start: string, name: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let address = new URL(start);
  let form: URLSearchParams | null = null;
  for (let step = 0; step < 20; step += 1) {
    const answer: Response = await fetch(address, {
      method: form === null ? "GET" : "POST",
      redirect: "manual",
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join("; ") },
      ...(form === null ? {} : { body: form }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    const place = answer.headers.get("location");
    if (place !== null) {
      address = new URL(place, address);
      form = null;
      if (address.protocol === "https:") {
        return address;
      }
      continue;
    }
    const page = await answer.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) {
      throw new Error(`the provider shows no form: ${answer.status} ${page.slice(0, 300)}`);
    }
    address = new URL(action, address);
    form = new URLSearchParams({ prompt, login: name, password: "any" });
  }
  throw new Error("the provider sends the browser in circles");
}
