import { generateKeyPairSync, randomUUID } from "node:crypto";
import { decodeManifest } from "#engine/image/manifest.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { PinnedSite } from "#platform/pinned-tls.ts";
import { TransferClient } from "#platform/transfer-client.ts";
import type { ChunkAccess, ChunkRequestStore } from "#store/chunk-request-store.ts";
import type { ServerStore } from "#store/server-store.ts";
import type { ChunkHold, ChunkStore } from "./chunk-store.ts";
import { distinctChunks } from "./image-catalogue.ts";
import type { SiteAuthority } from "./site-authority.ts";

export type ChunkFetchDependencies = {
  readonly serverName: string;
  readonly requests: ChunkRequestStore;
  readonly servers: ServerStore;
  readonly chunks: ChunkStore;
  readonly authority: SiteAuthority;
  readonly flows: () => readonly Flow[];
  readonly readManifest: (contentId: string) => Promise<string>;
  /** Wakes the other servers of the site. */
  readonly notify: () => Promise<void>;
  readonly clock: Clock;
};

export type FetchProgress = { readonly doneCount: number; readonly totalCount: number };

/** A content is not complete in this store, and no other server of the site gave what lacks. */
export class ChunkSourceError extends Error {
  readonly code = "chunks-not-here";

  constructor(serverName: string, lackingCount: number, reasons: readonly string[]) {
    const why =
      reasons.length === 0
        ? "no other server of the site is running; start the one that captured or imported it, or import it here"
        : `${reasons.join("; ")}. Try again: what has come stays`;
    super(`${lackingCount} chunks are not in the store of ${serverName || "this server"}: ${why}`);
    this.name = "ChunkSourceError";
  }
}

const answerPatienceMs = 30_000;
const answerLookMs = 200;
/** Without a single new chunk for so long, it is given up. */
const stallPatienceMs = 60_000;
const retryDelayMs = 2000;
const connectTimeoutMs = 5000;
const certificateLifetimeMs = 24 * 3_600_000;
/** A server that said nothing for this long is not asked. */
const silentMsMax = 60_000;
const questionCountMax = 1024;
/** Chunks that are checked and written while the next ones come; each is at most 1 MiB. */
const parallelPutCount = 8;

/** What one round over the other servers came to. */
type Round = { readonly reasons: readonly string[]; readonly isWorthRetry: boolean };

/**
 * Completes contents in this server's store from the stores of other servers of the site. Tickets are asked for in the
 * database they share; chunks travel over the TLS port that computers use, and each is checked by its hash.
 */
export class ChunkFetch {
  readonly #dependencies: ChunkFetchDependencies;
  /** Keyed by content id. BOUNDED by sessions that open, and by operators' orders. */
  readonly #running = new Map<string, Promise<number>>();

  constructor(dependencies: ChunkFetchDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * What has come stays when it fails, and is not fetched again.
   *
   * @returns how many chunks came from others
   * @throws ChunkSourceError | StoreError `not-found`
   */
  complete(contentId: string, onProgress: (progress: FetchProgress) => void): Promise<number> {
    const running = this.#running.get(contentId);
    if (running !== undefined) {
      return running;
    }
    const work = this.#complete(contentId, onProgress).finally(() => this.#running.delete(contentId));
    this.#running.set(contentId, work);
    return work;
  }

  async #complete(contentId: string, onProgress: (progress: FetchProgress) => void): Promise<number> {
    const { serverName, readManifest, chunks, clock } = this.#dependencies;
    const wanted = distinctChunks(decodeManifest(await readManifest(contentId)));
    const hold = chunks.hold();
    wanted.forEach((chunkHash) => hold.add(chunkHash));
    try {
      let lacking = await this.#findLacking([...wanted]);
      const totalCount = lacking.length;
      let doneCount = 0;
      let gainedAtMs = clock.monotonicMs();
      const onChunk = (): void => {
        doneCount += 1;
        gainedAtMs = clock.monotonicMs();
        onProgress({ doneCount, totalCount });
      };
      while (lacking.length > 0) {
        const { reasons, isWorthRetry } = await this.#askOthers(contentId, lacking, hold, onChunk);
        lacking = await this.#findLacking(lacking);
        const isStalled = clock.monotonicMs() - gainedAtMs > stallPatienceMs;
        if (lacking.length > 0 && (!isWorthRetry || isStalled)) {
          throw new ChunkSourceError(serverName, lacking.length, reasons);
        }
        await (lacking.length > 0 ? this.#wait(retryDelayMs) : undefined);
      }
      return totalCount;
    } finally {
      hold.release();
    }
  }

  async #findLacking(chunkHashes: readonly string[]): Promise<string[]> {
    const lacking: string[] = [];
    for (const chunkHash of chunkHashes) {
      const { chunks } = this.#dependencies;
      if (!chunks.isExpected(chunkHash) && !(await chunks.has(chunkHash))) {
        lacking.push(chunkHash);
      }
    }
    return lacking;
  }

  async #askOthers(
    contentId: string,
    lacking: readonly string[],
    hold: ChunkHold,
    onChunk: () => void,
  ): Promise<Round> {
    const { servers, serverName, clock } = this.#dependencies;
    const oldestMs = clock.epochMs() - silentMsMax;
    const others = (await servers.list()).filter(
      ({ name, seenAtMs }) => name !== serverName && seenAtMs >= oldestMs,
    );
    const reasons: string[] = [];
    let isWorthRetry = false;
    let rest = lacking;
    for (const { name } of others) {
      try {
        const damagedCount = await this.#fetchFrom(name, contentId, rest, hold, onChunk);
        rest = await this.#findLacking(rest);
        if (rest.length === 0) {
          break;
        }
        reasons.push(
          damagedCount === 0
            ? `${name} has not all of them`
            : `${damagedCount} are damaged in the store of ${name}; portolan image verify there names them`,
        );
      } catch (error) {
        isWorthRetry = true;
        reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return { reasons, isWorthRetry };
  }

  /**
   * Ends when that server has given what it has.
   *
   * @returns how many chunks it has damaged. @throws Error when it could not be asked, or the connection broke
   */
  async #fetchFrom(
    askedName: string,
    contentId: string,
    lacking: readonly string[],
    hold: ChunkHold,
    onChunk: () => void,
  ): Promise<number> {
    const { requests, serverName, notify, clock } = this.#dependencies;
    const id = randomUUID();
    await requests.ask({ id, askerName: serverName, askedName, contentId, askedAtMs: clock.epochMs() });
    try {
      await notify();
      const accesses = await this.#awaitAnswer(id);
      if (accesses.length === 0) {
        return 0;
      }
      const transfer = await this.#connect(id, accesses);
      try {
        return await this.#read(transfer, lacking, hold, onChunk);
      } finally {
        transfer.close();
      }
    } finally {
      await requests.remove(id);
      await notify();
    }
  }

  async #awaitAnswer(id: string): Promise<readonly ChunkAccess[]> {
    const { requests, clock } = this.#dependencies;
    const startedAtMs = clock.monotonicMs();
    while (clock.monotonicMs() - startedAtMs < answerPatienceMs) {
      const request = await requests.find(id);
      if (request !== null && request.answer !== null) {
        const { accesses, failure } = request.answer;
        if (failure !== null) {
          throw new Error(failure);
        }
        return accesses;
      }
      await this.#wait(answerLookMs);
    }
    throw new Error(`it did not answer within ${answerPatienceMs / 1000} s`);
  }

  /** At the first of its addresses that can be reached. */
  async #connect(id: string, accesses: readonly ChunkAccess[]): Promise<TransferClient> {
    const { flows } = this.#dependencies;
    const site = await this.#certify(id);
    const flow = findFlow(flows(), "transfer.between-servers");
    const grant = grantSocket(flow, { role: "server", side: "connect" });
    let failure: unknown = null;
    for (const { address, port, ticket } of accesses) {
      try {
        return await TransferClient.connect(
          grant,
          { address, port, timeoutMs: connectTimeoutMs },
          site,
          ticket,
        );
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** A key of its own for each request; the ticket is made out to it. */
  async #certify(id: string): Promise<PinnedSite> {
    const { authority, clock } = this.#dependencies;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const subject = { computerId: id, role: "os" } as const;
    return {
      siteKeyFingerprint: authority.fingerprint,
      key: privateKey.export({ type: "pkcs8", format: "pem" }),
      cert: await authority.issueComputer(publicKey, subject, certificateLifetimeMs, clock.epochMs()),
    };
  }

  async #read(
    transfer: TransferClient,
    lacking: readonly string[],
    hold: ChunkHold,
    onChunk: () => void,
  ): Promise<number> {
    const { chunks } = this.#dependencies;
    let damagedCount = 0;
    const puts = new Set<Promise<void>>();
    for (let from = 0; from < lacking.length; from += questionCountMax) {
      const asked = lacking.slice(from, from + questionCountMax);
      const unknown = new Set(await transfer.lacking(asked));
      const known = asked.filter((chunkHash) => !unknown.has(chunkHash));
      for await (const { chunkHash, frame } of transfer.readChunks(known)) {
        hold.add(chunkHash);
        const put = chunks.putFrame(chunkHash, frame).then((isGenuine) => {
          damagedCount += isGenuine ? 0 : 1;
          if (isGenuine) {
            onChunk();
          }
        });
        const done = put.finally(() => puts.delete(done));
        puts.add(done);
        if (puts.size >= parallelPutCount) {
          await Promise.race(puts);
        }
      }
    }
    await Promise.all(puts);
    return damagedCount;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#dependencies.clock.after(delayMs, resolve);
    });
  }
}
