/** What is watched: anything that counts what it has heard. */
export type HeardFrom = { readonly bytesRead: number };

/**
 * Finds connections whose other end has fallen silent, as a computer without power does. A socket's own idle timer
 * cannot: it starts again with each ping we write.
 */
export class SilenceWatch {
  readonly #silenceMsMax: number;
  /** How much each had said, and since when nothing more came. BOUNDED: an entry goes with its connection. */
  readonly #heard = new WeakMap<HeardFrom, { readonly bytesRead: number; readonly sinceMs: number }>();

  constructor(silenceMsMax: number) {
    this.#silenceMsMax = silenceMsMax;
  }

  /** Call now and then. The first call begins the watch. */
  isSilent(connection: HeardFrom, nowMs: number): boolean {
    const heard = this.#heard.get(connection);
    if (heard?.bytesRead !== connection.bytesRead) {
      this.#heard.set(connection, { bytesRead: connection.bytesRead, sinceMs: nowMs });
      return false;
    }
    return nowMs - heard.sinceMs >= this.#silenceMsMax;
  }
}
