import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** `__Host-`: the browser takes it only over TLS, for this host, for every path. RFC 6265bis §4.1.3.2 */
const cookieName = "__Host-portolan";

/** Carried by every request of the console beside the cookie; no other site's page can send it. */
export const proofHeader = "x-portolan-proof";

export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b)));
}

export function createSecret(): string {
  return randomBytes(32).toString("base64url");
}

export function formatCookie(secret: string): string {
  return `${cookieName}=${secret}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

export const clearedCookie = `${cookieName}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;

export function readCookie(header: string | undefined): string | null {
  for (const part of (header ?? "").slice(0, 8192).split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === cookieName && value !== undefined && value !== "") {
      return value;
    }
  }
  return null;
}
