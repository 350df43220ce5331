import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { ApiError } from "../api-error.ts";

const hashPassword = promisify(argon2);

/** OWASP's first choice for Argon2id: 46 MiB, one pass. About 70 ms here; guesses are limited besides. */
const cost = { memoryKib: 46 * 1024, passes: 1, parallelism: 1 } as const;
const tagLengthBytes = 32;

/** Each takes 46 MiB and a core for a moment: more at once would be a way to stop the server. */
const runningMax = 2;
const waitingMax = 16;
let runningCount = 0;
/** In order of arrival. BOUNDED by `waitingMax`. */
const waiting: (() => void)[] = [];

/** @throws ApiError 429 when too many wait already */
async function takeTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (waiting.length >= waitingMax) {
    throw new ApiError(429, "busy", "too many logins at this moment; try again in a few seconds", 3000);
  }
  if (runningCount >= runningMax) {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }
  runningCount += 1;
  try {
    return await work();
  } finally {
    runningCount -= 1;
    waiting.shift()?.();
  }
}

type Parameters = { memoryKib: number; passes: number; parallelism: number; nonce: Buffer };

function derive(password: string, { memoryKib, passes, parallelism, nonce }: Parameters): Promise<Buffer> {
  const message = Buffer.from(password.normalize("NFKC"), "utf8");
  return takeTurn(() =>
    hashPassword("argon2id", {
      message,
      nonce,
      parallelism,
      tagLength: tagLengthBytes,
      memory: memoryKib,
      passes,
    }),
  );
}

/** In the PHC form, so that a later change of cost keeps old passwords working. */
export async function encodePassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await derive(password, { ...cost, nonce });
  const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
  const { memoryKib, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}

const phcPattern = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

export async function isPassword(password: string, encoded: string): Promise<boolean> {
  const match = phcPattern.exec(encoded);
  if (match === null) {
    throw new Error("a stored password hash cannot be read");
  }
  const [, memory, passes, parallelism, nonce = "", tag = ""] = match;
  const found = await derive(password, {
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    nonce: Buffer.from(nonce, "base64"),
  });
  return timingSafeEqual(found, Buffer.from(tag, "base64"));
}

/** Compared with when there is no such account, so that both answers take the same time. */
let decoy: Promise<string> | null = null;

export function decoyHash(): Promise<string> {
  decoy ??= encodePassword(randomBytes(16).toString("base64"));
  return decoy;
}
