import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { createSiteKey, SiteAuthority } from "./site-authority.ts";

const nowMs = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const material = await createSiteKey(nowMs);
const authority = new SiteAuthority(material);
const computer = generateKeyPairSync("ec", { namedCurve: "P-256" });

test("site authority: a computer's certificate says who it is and where it runs, for its time alone", async () => {
  for (const role of ["preboot", "os"] as const) {
    const pem = await authority.issueComputer(
      computer.publicKey,
      { computerId: "c-1", role },
      24 * hourMs,
      nowMs,
    );
    const certificate = new X509Certificate(pem);
    assert.ok(certificate.checkPrivateKey(computer.privateKey));
    assert.equal(certificate.ca, false);
    assert.deepEqual(authority.identify(certificate, nowMs), {
      computerId: "c-1",
      role,
      issuedAtMs: Math.floor(nowMs / 1000) * 1000,
    });
    assert.equal(authority.identify(certificate, nowMs + 25 * hourMs), null);
    assert.equal(authority.identify(certificate, nowMs - 48 * hourMs), null);
  }
});

test("site authority: neither another site's certificates nor a server's own are a computer's", async () => {
  const other = new SiteAuthority(await createSiteKey(nowMs));
  const subject = { computerId: "c-1", role: "os" } as const;
  const foreign = await other.issueComputer(computer.publicKey, subject, hourMs, nowMs);
  assert.equal(authority.identify(new X509Certificate(foreign), nowMs), null);
  const own = await authority.issueServer("ds1", [], nowMs);
  assert.equal(authority.identify(new X509Certificate(own.cert), nowMs), null);
  assert.equal(authority.identify(new X509Certificate(authority.certificatePem), nowMs), null);
});

test("site authority: a server's certificate names its addresses, and no name of it breaks out of the subject", async () => {
  const addresses = [Ipv4Address.parse("192.168.0.1"), Ipv4Address.parse("11.11.11.1")];
  const { cert } = await authority.issueServer("ds1, OU=os", addresses, nowMs);
  const certificate = new X509Certificate(cert);
  assert.equal(certificate.checkIP("11.11.11.1"), "11.11.11.1");
  assert.equal(certificate.checkIP("10.0.0.1"), undefined);
  assert.equal(certificate.subject, "CN=ds1--OU-os");
});

test("site authority: what it signs is checked with its public key, and its key is what is pinned", () => {
  const key = createPublicKey({ key: Buffer.from(authority.publicKeyDer()), format: "der", type: "spki" });
  const bytes = Buffer.from("an answer");
  assert.ok(verify("sha256", bytes, key, authority.sign(bytes)));
  assert.ok(!verify("sha256", Buffer.from("another"), key, authority.sign(bytes)));
  assert.equal(new SiteAuthority(material).fingerprint, authority.fingerprint);
});
