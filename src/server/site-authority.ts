import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** What the store keeps for the whole site. */
export type SiteKeyMaterial = { readonly privateKeyPem: string; readonly certificatePem: string };

/** Whose certificate, for which environment, and when it was issued (to the second). */
export type CertificateSubject = {
  readonly computerId: string;
  readonly role: ComputerRole;
  readonly issuedAtMs: number;
};

export type ComputerRole = "preboot" | "os";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 24 * 3_600_000;

/** Imported when first needed: it costs 200 ms, and only enrolment and start use it. */
async function loadX509() {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

function serialNumber(): string {
  // Positive, as RFC 5280 §4.1.2.2 asks.
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("hex");
}

export function fingerprintOf(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

async function toWebKeys(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return {
    privateKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]),
  };
}

/** A new site key with its self-signed certificate, valid for 30 years: agents pin the key, not the dates. */
export async function createSiteKey(nowMs: number): Promise<SiteKeyMaterial> {
  const x509 = await loadX509();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=Portolan site",
    notBefore: new Date(nowMs - dayMs),
    notAfter: new Date(nowMs + 30 * 365 * dayMs),
    signingAlgorithm: algorithm,
    keys: await toWebKeys(privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }),
    certificatePem: certificate.toString("pem"),
  };
}

/** Signs servers, computers and discovery answers with the site key. */
export class SiteAuthority {
  readonly certificatePem: string;
  /** SHA-256 of the site's public key (SPKI DER), hex: what agents pin. */
  readonly fingerprint: string;
  readonly #privateKey: KeyObject;

  constructor(material: SiteKeyMaterial) {
    this.#privateKey = createPrivateKey(material.privateKeyPem);
    this.certificatePem = material.certificatePem;
    this.fingerprint = fingerprintOf(createPublicKey(this.#privateKey));
  }

  /** The site's public key, SPKI DER. */
  publicKeyDer(): Uint8Array {
    return createPublicKey(this.#privateKey).export({ type: "spki", format: "der" });
  }

  /** DER signature (ECDSA with SHA-256). */
  sign(bytes: Uint8Array): Buffer {
    return sign("sha256", bytes, this.#privateKey);
  }

  /** A server's key and certificate chain for its names and addresses, for one run of the server. */
  async issueServer(
    name: string,
    addresses: readonly Ipv4Address[],
    nowMs: number,
  ): Promise<{ readonly key: string; readonly cert: string }> {
    const x509 = await loadX509();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const certificate = await this.#issue(
      createPublicKey(privateKey),
      `CN=${commonName(name)}`,
      nowMs,
      400 * dayMs,
      [
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: plainName(name) },
          { type: "dns", value: "localhost" },
          ...["127.0.0.1", ...addresses].map((value) => ({ type: "ip" as const, value })),
        ]),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    );
    return {
      key: privateKey.export({ type: "pkcs8", format: "pem" }),
      cert: `${certificate}\n${this.certificatePem}`,
    };
  }

  /** A computer's certificate. The subject carries its id and where it runs. */
  async issueComputer(
    publicKey: KeyObject,
    subject: { readonly computerId: string; readonly role: ComputerRole },
    lifetimeMs: number,
    nowMs: number,
  ): Promise<string> {
    const x509 = await loadX509();
    return this.#issue(publicKey, `CN=${subject.computerId}, OU=${subject.role}`, nowMs, lifetimeMs, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ]);
  }

  /** Whose certificate this is; `null` when the site did not issue it or its time is over. */
  identify(certificate: X509Certificate, nowMs: number): CertificateSubject | null {
    const isOurs = certificate.verify(createPublicKey(this.#privateKey));
    const isInTime = Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
    const subject = new Map(
      certificate.subject.split("\n").map((line) => line.split("=", 2) as [string, string]),
    );
    const computerId = subject.get("CN");
    const role = subject.get("OU");
    if (!isOurs || !isInTime || computerId === undefined || (role !== "preboot" && role !== "os")) {
      return null;
    }
    // Valid from a day before, for computers whose clock is late.
    return { computerId, role, issuedAtMs: Date.parse(certificate.validFrom) + dayMs };
  }

  async #issue(
    publicKey: KeyObject,
    subject: string,
    nowMs: number,
    lifetimeMs: number,
    extensions: import("@peculiar/x509").Extension[],
  ): Promise<string> {
    const x509 = await loadX509();
    const keys = await toWebKeys(this.#privateKey);
    const spki = publicKey.export({ type: "spki", format: "der" });
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: "CN=Portolan site",
      notBefore: new Date(nowMs - dayMs),
      notAfter: new Date(nowMs + lifetimeMs),
      signingAlgorithm: algorithm,
      publicKey: new x509.PublicKey(spki),
      signingKey: keys.privateKey,
      extensions: [new x509.BasicConstraintsExtension(false, undefined, true), ...extensions],
    });
    return certificate.toString("pem");
  }
}

/** Host names hold no characters that mean something in a distinguished name. */
function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9.-]/g, "-") || "server";
}

/** A common name has at most 64 characters (RFC 5280, appendix A); a host name may have more. */
function commonName(name: string): string {
  return plainName(name).slice(0, 63);
}
