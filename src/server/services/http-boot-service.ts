import { open } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";
import { ComputerUuid } from "#engine/boot/computer-uuid.ts";
import { readGrubConfigName } from "#engine/boot/grub-config.ts";
import type { ComputerIdentity } from "#engine/boot/identify-computer.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantListeners, type SocketGrant } from "#plan/socket-grant.ts";
import type { NetworkInterface } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { BootFile, BootFiles } from "../boot-files.ts";
import type { BootProgress, ServedFile } from "./boot-progress.ts";
import type { BootScripts } from "./boot-scripts.ts";
import { readRange } from "./http-range.ts";
import { ListenerSet } from "./listener-set.ts";

export type HttpBootServiceOptions = {
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
};

export type HttpBootServiceDependencies = {
  /** `listenTcp` of the platform. */
  readonly listenTcp: (
    grant: SocketGrant,
    server: Server,
  ) => Promise<{ readonly localPort: number; readonly close: () => Promise<void> }>;
  readonly log: Logger;
  readonly files: BootFiles;
  readonly scripts: BootScripts;
  readonly progress: BootProgress;
};

/** Counted by HTTP status, which is all an operator needs to see a scanner. */
export type HttpBootCounter = "200" | "206" | "400" | "404" | "405" | "416" | "503" | "broken" | "refused";

type Listener = { readonly close: () => Promise<void> };

const urlCharactersMax = 2048;
const connectionCountMax = 2048;
const idleMsMax = 60_000;
/** QUIRK(shim-double-slash): shim 15 read by HTTP asks for its second stage as `/boot//grubx64.efi`. */
const fileName = /^\/boot\/{1,2}([A-Za-z0-9][A-Za-z0-9._-]{0,63})$/;

/**
 * Serves boot programs, kernel and preboot image over plain HTTP on every named interface: firmware cannot check a
 * private certificate, so everything here is public and everything after it goes over TLS with hashes.
 *
 * Only names of the boot file table exist; a path is never made from a request.
 */
export class HttpBootService {
  readonly #options: HttpBootServiceOptions;
  readonly #dependencies: HttpBootServiceDependencies;
  readonly #listeners = new ListenerSet<Listener>();
  /** Keyed by status. BOUNDED by the union `HttpBootCounter`. */
  readonly counters = new Map<HttpBootCounter, number>();

  constructor(options: HttpBootServiceOptions, dependencies: HttpBootServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /**
   * Listens as the plan says now; called again when it has changed. Reads on a port that is not in it any more are cut.
   *
   * @throws NetworkError when the port cannot be had on a named interface; what was open stays open
   */
  async start(): Promise<void> {
    const { flows, interfaces } = this.#options;
    const grants = grantListeners(findFlow(flows(), "boot.http"), interfaces);
    await this.#listeners.follow(grants, (grant) => this.#open(grant));
  }

  async stop(): Promise<void> {
    await this.#listeners.close();
  }

  async #open(grant: SocketGrant): Promise<Listener> {
    const networkInterface = this.#options.interfaces.find(({ name }) => name === grant.interfaceName);
    if (networkInterface === undefined) {
      throw new Error(`interface ${grant.interfaceName} is not one of the named`);
    }
    const server = this.#createServer(networkInterface);
    const listener = await this.#dependencies.listenTcp(grant, server);
    return {
      close: async () => {
        const closed = listener.close();
        server.closeAllConnections();
        await closed;
      },
    };
  }

  #createServer(networkInterface: NetworkInterface): Server {
    const server = createServer({
      maxHeaderSize: 8192,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5000,
    });
    server.maxConnections = connectionCountMax;
    server.timeout = idleMsMax;
    server.on("drop", () => this.#count("refused"));
    server.on("clientError", (_error, socket) => {
      this.#count("400");
      socket.destroy();
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#handle({ request, response, networkInterface }).catch((error: unknown) => {
        this.#count("broken");
        this.#dependencies.log.debug({ err: error }, "boot file request");
        response.destroy();
      });
    });
    return server;
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    if (request.method !== "GET" && request.method !== "HEAD") {
      this.#refuse(exchange, "405", { allow: "GET, HEAD" });
      return;
    }
    const [path = "", query = ""] = (request.url ?? "").slice(0, urlCharactersMax).split("?", 2);
    const grub = path === "/boot/script.ipxe" ? null : readGrubConfigName(path);
    if (path === "/boot/script.ipxe" || grub !== null) {
      this.#sendScript(
        exchange,
        grub === null ? "ipxe" : "grub",
        new URLSearchParams(query),
        grub?.mac ?? null,
      );
      return;
    }
    const name = fileName.exec(path)?.[1];
    const file = name === undefined ? null : this.#dependencies.files.find(name);
    if (file === null) {
      this.#served(exchange, { fileName: path, outcome: "unknown-file", sizeBytes: null });
      this.#refuse(exchange, "404");
      return;
    }
    await this.#sendFile(exchange, file);
  }

  #sendScript(exchange: Exchange, loader: "ipxe" | "grub", query: URLSearchParams, mac: string | null): void {
    const identity = readIdentity(mac ?? query.get("mac"), query.get("uuid"));
    if (identity === null) {
      this.#refuse(exchange, "400");
      return;
    }
    const { networkInterface, response, request } = exchange;
    // HEAD asks only whether there is a script; it must not count as a boot.
    const body =
      request.method === "HEAD"
        ? ""
        : this.#dependencies.scripts.write({
            loader,
            identity,
            networkInterface,
            peerAddress: peerOf(request),
          });
    this.#count("200");
    response.writeHead(200, {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...(request.method === "HEAD" ? {} : { "content-length": Buffer.byteLength(body) }),
    });
    response.end(body);
  }

  async #sendFile(exchange: Exchange, file: BootFile): Promise<void> {
    const { request, response } = exchange;
    const entityTag = `"${file.sha256}"`;
    const ifRange = request.headers["if-range"];
    const wantsPart = ifRange === undefined || ifRange === entityTag;
    const range = readRange(wantsPart ? request.headers.range : undefined, file.sizeBytes);
    if (range.type === "unsatisfiable") {
      this.#refuse(exchange, "416", { "content-range": `bytes */${file.sizeBytes}` });
      return;
    }
    const first = range.type === "part" ? range.first : 0;
    const last = range.type === "part" ? range.last : file.sizeBytes - 1;
    const status = range.type === "part" ? 206 : 200;
    const head = {
      // EDK2 looks at the type, or else at the ending of the name, to know an EFI program.
      "content-type": file.name.endsWith(".efi") ? "application/efi" : "application/octet-stream",
      "content-length": last - first + 1,
      "accept-ranges": "bytes",
      etag: entityTag,
      ...(status === 206 ? { "content-range": `bytes ${first}-${last}/${file.sizeBytes}` } : {}),
    };
    if (request.method === "HEAD" || file.sizeBytes === 0) {
      this.#count(status === 206 ? "206" : "200");
      response.writeHead(status, head).end();
      return;
    }
    await this.#stream(exchange, file, { first, last, status, head });
  }

  async #stream(
    exchange: Exchange,
    file: BootFile,
    part: {
      readonly first: number;
      readonly last: number;
      readonly status: 200 | 206;
      readonly head: Record<string, string | number>;
    },
  ): Promise<void> {
    const { response } = exchange;
    const handle = await open(file.path, "r");
    try {
      const { size } = await handle.stat();
      if (size !== file.sizeBytes) {
        // The folder was rebuilt under us; half of one file and half of another would be worse than nothing.
        this.#refuse(exchange, "503", { "retry-after": "5" });
        return;
      }
      response.writeHead(part.status, part.head);
      const stream = handle.createReadStream({
        start: part.first,
        end: part.last,
        highWaterMark: 256 * 1024,
        autoClose: false,
      });
      await pipeline(stream, response);
      this.#count(part.status === 206 ? "206" : "200");
      if (part.last === file.sizeBytes - 1) {
        this.#served(exchange, { fileName: file.name, outcome: "done", sizeBytes: file.sizeBytes });
      }
    } catch (error) {
      this.#served(exchange, { fileName: file.name, outcome: "transfer-broken", sizeBytes: null });
      throw error;
    } finally {
      await handle.close();
    }
  }

  #served(exchange: Exchange, what: Pick<ServedFile, "fileName" | "outcome" | "sizeBytes">): void {
    const peerAddress = peerOf(exchange.request);
    if (peerAddress !== null) {
      this.#dependencies.progress.fileServed({
        ...what,
        peerAddress,
        interfaceName: exchange.networkInterface.name,
        serverAddress: exchange.networkInterface.address,
      });
    }
  }

  #refuse(exchange: Exchange, status: HttpBootCounter, headers: Record<string, string> = {}): void {
    this.#count(status);
    exchange.response.writeHead(Number(status), { "content-length": 0, ...headers }).end();
  }

  #count(counter: HttpBootCounter): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + 1);
  }
}

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly networkInterface: NetworkInterface;
};

function peerOf(request: IncomingMessage): Ipv4Address | null {
  const address = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return Ipv4Address.isValid(address) ? address : null;
}

function readIdentity(mac: string | null, uuid: string | null): ComputerIdentity | null {
  const isMac = mac !== null && /^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$/.test(mac);
  return isMac ? { mac: MacAddress.parse(mac), uuid: uuid === null ? null : ComputerUuid.parse(uuid) } : null;
}
