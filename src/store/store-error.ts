export type StoreErrorCode =
  /** The database is away, locked or unreadable for now: try again later. Nothing was changed. */
  | "unavailable"
  /** The disk under the database is full. Nothing was changed. */
  | "disk-full"
  /** The file is no database, or a damaged one. */
  | "damaged"
  | "not-found"
  | "conflict"
  | "bad-url";

/** The store could not do it. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
  }

  /** Whether the same call may work later without anybody changing it. */
  get isPassing(): boolean {
    return this.code === "unavailable" || this.code === "disk-full";
  }
}

/** SQLite's primary result codes. @see https://sqlite.org/rescode.html */
const sqliteCodes: Readonly<Record<number, StoreErrorCode>> = {
  3: "unavailable", // PERM
  5: "unavailable", // BUSY
  6: "unavailable", // LOCKED
  8: "unavailable", // READONLY
  10: "unavailable", // IOERR
  11: "damaged", // CORRUPT
  13: "disk-full", // FULL
  14: "unavailable", // CANTOPEN
  19: "conflict", // CONSTRAINT
  26: "damaged", // NOTADB
};

/** SQLSTATE by code or class; operating system errors of the connection. */
const postgresCodes: readonly (readonly [RegExp, StoreErrorCode])[] = [
  [/^53100$/, "disk-full"],
  [/^23/, "conflict"],
  [/^(08|53|57P|25006|28|3D000)/, "unavailable"],
  [/^(ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT|EAI_)/, "unavailable"],
];

/** pg has no code for these. */
const connectionTexts = /connection terminated|connection timeout|timeout exceeded|client has encountered/i;

const advice: Readonly<Record<StoreErrorCode, string>> = {
  unavailable: "the database is not available",
  "disk-full": "the disk under the database is full: free some space, nothing was changed",
  damaged: "the database file is damaged or is no database",
  "not-found": "it is not in the database",
  conflict: "it contradicts what the database holds",
  "bad-url": "the database URL is not usable",
};

/** Gives a driver's error a code of ours where it has one; a bug in a query stays what it is. */
export function asStoreError(error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) {
    return error;
  }
  const code = codeOf(error);
  return code === null ? error : new StoreError(code, `${advice[code]} (${error.message})`, { cause: error });
}

function codeOf(error: Error): StoreErrorCode | null {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") {
    return sqliteCodes[errcode & 0xff] ?? null;
  }
  if (typeof code === "string") {
    return postgresCodes.find(([pattern]) => pattern.test(code))?.[1] ?? null;
  }
  if (error instanceof AggregateError) {
    const [first] = error.errors as readonly unknown[];
    return first instanceof Error ? codeOf(first) : null;
  }
  return connectionTexts.test(error.message) ? "unavailable" : null;
}
