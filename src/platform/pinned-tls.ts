import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { SocketGrant } from "#plan/socket-grant.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { connectTls, type TcpTarget } from "./tcp.ts";

/** The server is not of the site this agent belongs to. Nothing was sent to it. */
export class PinError extends Error {
  readonly code = "wrong-site-key";
  readonly address: Ipv4Address;
  /** `null` when there is no site certificate at all: some other TLS server. */
  readonly found: string | null;

  constructor(target: TcpTarget, found: string | null) {
    const what = found === null ? "shows no site certificate" : `has the site key ${found.slice(0, 16)}…`;
    super(
      `the server at ${target.address} ${what}, not the one that is pinned here; it is refused and nothing was sent`,
    );
    this.name = "PinError";
    this.address = target.address;
    this.found = found;
  }
}

/** Whom to trust, and who we are. */
export type PinnedSite = {
  readonly siteKeyFingerprint: string;
  readonly key?: string;
  readonly cert?: string;
};

/** The fingerprint of the site key at the end of the server's chain, once each link was checked. */
function siteFingerprint(socket: TLSSocket): string | null {
  const peer = socket.getPeerCertificate(true);
  if (peer.raw === undefined || peer.issuerCertificate?.raw === undefined) {
    return null;
  }
  const server = new X509Certificate(peer.raw);
  const site = new X509Certificate(peer.issuerCertificate.raw);
  if (!server.verify(site.publicKey) || !site.verify(site.publicKey)) {
    return null;
  }
  return createHash("sha256")
    .update(site.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/**
 * Connects to a server whose site key is pinned. Dates are not looked at: a computer whose clock battery is empty still
 * boots, and the key is what is trusted.
 *
 * @throws PinError before anything was sent, NetworkError when there is no answer
 */
export async function connectPinned(
  grant: SocketGrant,
  target: TcpTarget,
  site: PinnedSite,
): Promise<TLSSocket> {
  const { siteKeyFingerprint, ...identity } = site;
  const socket = await connectTls(grant, target, {
    ...identity,
    minVersion: "TLSv1.3",
    rejectUnauthorized: false,
  });
  const found = siteFingerprint(socket);
  if (found !== siteKeyFingerprint) {
    socket.destroy();
    throw new PinError(target, found);
  }
  return socket;
}
