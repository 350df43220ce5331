import type { SocketGrant } from "#plan/socket-grant.ts";
import { findPortHolder } from "./find-port-holder.ts";
import { NetworkError } from "./network-error.ts";

const errnoByCode: Readonly<Record<string, number>> = {
  EPERM: 1,
  EACCES: 13,
  ENODEV: 19,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENOBUFS: 105,
};

/** Linux's number for a Node error code, 0 for those that are not told apart. */
export function errnoOf(code: string): number {
  return errnoByCode[code] ?? 0;
}

/** The refusal of a socket as an error that names the socket, who is in the way, and the way out. */
export function explainOpenFailure(grant: SocketGrant, errno: number, cause: Error): NetworkError {
  const where = grant.interfaceName === null ? "" : ` on ${grant.interfaceName}`;
  const range = grant.localPortRange;
  const ports =
    grant.localPort !== 0 || range === null ? `port ${grant.localPort}` : `port ${range.from}-${range.to}`;
  const what = `${grant.transport} ${ports} (${grant.flowId})${where}`;
  switch (errno) {
    case 98: {
      if (grant.localPort === 0) {
        return new NetworkError(
          "port-in-use",
          `${what}: no port of the range is free; widen the range, or wait for transfers to end`,
          { cause },
        );
      }
      const holder = findPortHolder(grant.transport, grant.localPort);
      const by = holder === null ? "another program" : holder;
      return new NetworkError(
        "port-in-use",
        `${what} is held by ${by}; stop it, or change the setting of this flow`,
        {
          cause,
        },
      );
    }
    case 1:
    case 13:
      return new NetworkError(
        "no-privilege",
        `${what} may not be opened by this user; run as root, or give the program CAP_NET_BIND_SERVICE, CAP_NET_RAW and CAP_NET_ADMIN`,
        { cause },
      );
    case 19:
      return new NetworkError("no-such-interface", `${what}: ${missingRoute(grant)}`, { cause });
    case 105:
      return new NetworkError(
        "system-call-failed",
        `${what}: the kernel allows no more groups on one socket; raise net.ipv4.igmp_max_memberships`,
        { cause },
      );
    case 99:
      return new NetworkError(
        "address-not-available",
        `${what}: the address ${grant.localAddress} is not on this machine`,
        { cause },
      );
    default:
      return new NetworkError("system-call-failed", `${what} could not be opened: ${cause.message}`, {
        cause,
      });
  }
}

/** ENODEV has two causes: a named interface that went away, or no route that says which interface joins a group. */
function missingRoute(grant: SocketGrant): string {
  return grant.interfaceName === null
    ? `no route leads to ${grant.groups.join(", ")}; name an interface, or add a default route`
    : "the interface does not exist any more";
}
