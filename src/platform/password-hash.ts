import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

/** OWASP's smallest recommendation for Argon2id: 19 MiB, two passes. 0.1 s on a small machine. */
const parameters = { parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 } as const;
const saltSizeBytes = 16;

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2("argon2id", { message: password, nonce: salt, ...parameters }, (error, key) =>
      error === null ? resolve(Buffer.from(key)) : reject(error),
    );
  });
}

/** `argon2id$salt$key`, both base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltSizeBytes);
  const key = await derive(password, salt);
  return `argon2id$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

/** False also for a hash that is none. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [kind, salt = "", key = ""] = hash.split("$");
  if (kind !== "argon2id") {
    return false;
  }
  const expected = Buffer.from(key, "base64url");
  const found = await derive(password, Buffer.from(salt, "base64url"));
  return expected.byteLength === found.byteLength && timingSafeEqual(expected, found);
}
