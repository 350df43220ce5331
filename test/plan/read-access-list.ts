import { Ipv4Address } from "#wire/address/ipv4-address.ts";

export type FilteredPacket = {
  readonly protocol: "udp" | "tcp" | "igmp";
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** A TCP segment with ACK or RST set. */
  readonly isEstablished: boolean;
};

type Ports = { readonly from: number; readonly to: number };
type Line = {
  readonly isPermit: boolean;
  readonly protocol: string;
  readonly source: { readonly address: string; readonly wildcard: number };
  readonly sourcePorts: Ports | null;
  readonly destination: { readonly address: string; readonly wildcard: number };
  readonly destinationPorts: Ports | null;
  readonly needsEstablished: boolean;
};

/** Takes words off the front, as the parser of the device does. */
class Words {
  readonly #words: string[];

  constructor(text: string) {
    this.#words = text.split(/\s+/).filter((word) => word !== "");
  }

  next(): string {
    const word = this.#words.shift();
    if (word === undefined) {
      throw new Error("the line ends too early");
    }
    return word;
  }

  take(word: string): boolean {
    if (this.#words[0] !== word) {
      return false;
    }
    this.#words.shift();
    return true;
  }

  address(): Line["source"] {
    const word = this.next();
    if (word === "any") {
      return { address: "0.0.0.0", wildcard: 0xffffffff };
    }
    if (word === "host") {
      return { address: Ipv4Address.parse(this.next()), wildcard: 0 };
    }
    const [address = "", length] = word.split("/");
    const wildcard =
      length === undefined
        ? Ipv4Address.toNumber(Ipv4Address.parse(this.next()))
        : 2 ** (32 - Number(length)) - 1;
    return { address: Ipv4Address.parse(address), wildcard };
  }

  ports(): Ports | null {
    if (this.take("eq")) {
      const port = Number(this.next());
      return { from: port, to: port };
    }
    return this.take("range") ? { from: Number(this.next()), to: Number(this.next()) } : null;
  }

  end(): void {
    if (this.#words.length > 0) {
      throw new Error(`not understood: ${this.#words.join(" ")}`);
    }
  }
}

function readLine(text: string): Line {
  const words = new Words(text);
  const verb = words.next();
  if (verb !== "permit" && verb !== "deny") {
    throw new Error(`not a line of an access list: ${text}`);
  }
  const line = {
    isPermit: verb === "permit",
    protocol: words.next(),
    source: words.address(),
    sourcePorts: words.ports(),
    destination: words.address(),
    destinationPorts: words.ports(),
    needsEstablished: words.take("established"),
  };
  words.end();
  return line;
}

/** The lines of one list of a configuration of IOS, NX-OS or EOS; remarks are left out. */
export function readAccessList(config: string, name: string): Line[] {
  const lines = config.split("\n");
  const start = lines.findIndex((line) => line.startsWith("ip access-list ") && line.endsWith(` ${name}`));
  const end = lines.indexOf("exit", start);
  return lines
    .slice(start + 1, end)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("remark "))
    .map(readLine);
}

function isIn(text: string, { address, wildcard }: Line["source"]): boolean {
  const difference =
    Ipv4Address.toNumber(Ipv4Address.parse(text)) ^ Ipv4Address.toNumber(Ipv4Address.parse(address));
  return (difference & ~wildcard) >>> 0 === 0;
}

function includes(ports: Ports | null, port: number): boolean {
  return ports === null || (port >= ports.from && port <= ports.to);
}

/** The first line that matches decides; at the end everything is denied. */
export function isPermitted(list: readonly Line[], packet: FilteredPacket): boolean {
  const line = list.find(
    (candidate) =>
      (candidate.protocol === "ip" || candidate.protocol === packet.protocol) &&
      isIn(packet.source, candidate.source) &&
      isIn(packet.destination, candidate.destination) &&
      includes(candidate.sourcePorts, packet.sourcePort) &&
      includes(candidate.destinationPorts, packet.destinationPort) &&
      (!candidate.needsEstablished || packet.isEstablished),
  );
  return line?.isPermit ?? false;
}
