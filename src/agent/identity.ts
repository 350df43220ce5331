import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "#platform/durable-file.ts";

/** In the state folder, readable by root alone. */
export const tokenName = "enrolment-token";

const exporterLabel = "EXPORTER-portolan-enroll";

/** What `socket` must be able to do to prove possession of a key on this very connection. RFC 5705 */
export type Exporter = { exportKeyingMaterial(length: number, label: string, context: Buffer): Buffer };

/** The bytes both ends of a connection can compute and nobody else, to be signed in an enrolment. */
export function enrolmentChallenge(socket: Exporter): Buffer {
  return socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
}

/** This computer's key and, once enrolled, its certificate. In preboot both live in memory only. */
export class AgentIdentity {
  readonly keyPem: string;
  readonly #stateDir: string | null;
  #certificatePem: string | null;

  private constructor(keyPem: string, certificatePem: string | null, stateDir: string | null) {
    this.keyPem = keyPem;
    this.#certificatePem = certificatePem;
    this.#stateDir = stateDir;
  }

  static async load(stateDir: string | null): Promise<AgentIdentity> {
    if (stateDir !== null) {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      const kept = readIfThere(join(stateDir, "key.pem"));
      if (kept !== null) {
        return new AgentIdentity(kept, readIfThere(join(stateDir, "certificate.pem")), stateDir);
      }
    }
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const keyPem = privateKey.export({ type: "pkcs8", format: "pem" });
    if (stateDir !== null) {
      await writeDurably(join(stateDir, "key.pem"), Buffer.from(keyPem), 0o600);
    }
    return new AgentIdentity(keyPem, null, stateDir);
  }

  /** With a key and a certificate that were kept elsewhere; nothing is written. */
  static restore(keyPem: string, certificatePem: string): AgentIdentity {
    return new AgentIdentity(keyPem, certificatePem, null);
  }

  get certificatePem(): string | null {
    return this.#certificatePem;
  }

  async keepCertificate(certificatePem: string): Promise<void> {
    this.#certificatePem = certificatePem;
    if (this.#stateDir !== null) {
      await writeDurably(join(this.#stateDir, "certificate.pem"), Buffer.from(certificatePem), 0o600);
      await rm(join(this.#stateDir, tokenName), { force: true });
    }
  }

  /** What the installer has left for the first enrolment; `null` without one, or when it was used. */
  enrolmentToken(): string | null {
    return this.#stateDir === null ? null : (readIfThere(join(this.#stateDir, tokenName))?.trim() ?? null);
  }

  /** The server does not take the certificate: enrol again with the same key. */
  forgetCertificate(): void {
    this.#certificatePem = null;
  }

  publicKey(): string {
    return createPublicKey(this.keyPem).export({ type: "spki", format: "der" }).toString("base64");
  }

  prove(socket: Exporter): string {
    return sign("sha256", enrolmentChallenge(socket), createPrivateKey(this.keyPem)).toString("base64");
  }
}
