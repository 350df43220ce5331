import assert from "node:assert/strict";
import { connect } from "node:tls";
import { test } from "node:test";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { startSite } from "./console-site.ts";

/** For whom the certificate is that a browser gets which opens the console by this name. */
function namesShown(site: SimulatedSite, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(site.console.url);
    const ca = site.server.authority.certificatePem;
    // Which names it has is what is asked here; that the site signed it is checked.
    const socket = connect({
      host,
      port: Number(port),
      servername,
      ca,
      checkServerIdentity: () => undefined,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? "");
      socket.destroy();
    });
  });
}

test("console: its certificate has the name that is set for it, at once, and no name that a stranger asks for", async (t) => {
  const site = await startSite(t);
  const label = "a".repeat(60);
  const name = `${label}.${label}.example.org`;
  assert.ok(!(await namesShown(site, name)).includes(name));
  await site.server.settings.set("console.name", name);
  assert.match(
    await namesShown(site, name),
    new RegExp(`^DNS:${name}, DNS:localhost, IP Address:127\\.0\\.0\\.1`),
  );
  assert.ok(!(await namesShown(site, "other.example.org")).includes("other.example.org"));
});

test("console: an address or a word with blanks is no name for it", async (t) => {
  const site = await startSite(t);
  for (const value of ["192.0.2.1", "two words", "https://x.example", "-x.example", ""]) {
    await assert.rejects(
      site.server.settings.set("console.name", value),
      /must be a host name such as/,
      value,
    );
  }
  await site.server.settings.set("console.name", "Portolan.Example.ORG");
  assert.equal(site.server.settings.current()["console.name"], "portolan.example.org");
});
