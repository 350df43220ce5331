import {
  type AgentNetwork,
  computeSegments,
  type OperatorSegment,
  type RelaySighting,
  type Segment,
  type SegmentIntent,
  type ServedInterface,
} from "#plan/segment.ts";
import type { SegmentStore } from "#store/segment-store.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { ApiError } from "./api-error.ts";

export type SiteSegmentsDependencies = {
  readonly store: SegmentStore;
  readonly interfaces: readonly ServedInterface[];
  readonly agents: () => readonly AgentNetwork[];
  readonly relays: () => readonly RelaySighting[];
};

/** What an operator says of a segment, as texts. `null`: take what is found. */
export type SegmentChange = {
  readonly name?: string | undefined;
  readonly cidr?: string | undefined;
  readonly intent?: SegmentIntent | undefined;
  readonly serverAddress?: string | null | undefined;
  readonly gatewayAddress?: string | null | undefined;
  readonly relayAddress?: string | null | undefined;
};

const segmentCountMax = 4096;
/** Names become names of files and of rules. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

function refuse(message: string): never {
  throw new ApiError(400, "bad-request", message);
}

function readName(text: string): string {
  return namePattern.test(text)
    ? text
    : refuse(
        `${JSON.stringify(text)} is no name for a segment: letters, digits, dots and dashes, at most 32, beginning with a letter or digit`,
      );
}

/** @throws ApiError when the text is no subnet; one with host bits is told its network address */
function readCidr(text: string): Ipv4Subnet {
  const [address = "", length = "", ...rest] = text.split("/");
  const prefixLength = /^\d{1,2}$/.test(length) ? Number(length) : -1;
  if (!Ipv4Address.isValid(address) || prefixLength < 1 || prefixLength > 32 || rest.length > 0) {
    refuse(`${JSON.stringify(text)} is no IPv4 subnet such as 10.2.0.0/24`);
  }
  const cidr = Ipv4Subnet.of(address, prefixLength);
  return cidr.address === address
    ? cidr
    : refuse(`${text} has host bits; the subnet is ${Ipv4Subnet.format(cidr)}`);
}

function readAddress(field: string, text: string | null | undefined): Ipv4Address | null {
  if (text === null || text === undefined) {
    return null;
  }
  return Ipv4Address.isValid(text)
    ? text
    : refuse(`${field}: ${JSON.stringify(text)} is no IPv4 address such as 10.2.0.1`);
}

/** The segments of the site: found ones are computed at each question, the operator's are in memory and in the store. */
export class SiteSegments {
  readonly #dependencies: SiteSegmentsDependencies;
  /** BOUNDED by `segmentCountMax`. */
  #operator: readonly OperatorSegment[] = [];

  constructor(dependencies: SiteSegmentsDependencies) {
    this.#dependencies = dependencies;
  }

  async load(): Promise<void> {
    this.#operator = await this.#dependencies.store.list();
  }

  current(): Segment[] {
    const { interfaces, agents, relays } = this.#dependencies;
    return computeSegments({ interfaces, agents: agents(), relays: relays(), operator: this.#operator });
  }

  /** By name or subnet. @throws ApiError `not-found` */
  require(text: string): Segment {
    const segments = this.current();
    const found =
      segments.find(({ name }) => name === text) ??
      segments.find(({ cidr }) => Ipv4Subnet.format(cidr) === text);
    if (found === undefined) {
      const names = segments.map(({ name }) => name).join(", ");
      throw new ApiError(404, "not-found", `there is no segment ${text}; there are: ${names}`);
    }
    return found;
  }

  /** @throws ApiError `bad-request` | `conflict` */
  async add(change: SegmentChange & { readonly name: string; readonly cidr: string }): Promise<Segment> {
    if (this.#operator.length >= segmentCountMax) {
      throw new ApiError(409, "conflict", `there are ${segmentCountMax} segments already`);
    }
    const cidr = readCidr(change.cidr);
    return this.#put({
      name: readName(change.name),
      cidr,
      intent: change.intent ?? "imaging",
      serverAddress: readAddress("server address", change.serverAddress),
      gatewayAddress: readAddress("gateway", change.gatewayAddress),
      relayAddress: readAddress("relay", change.relayAddress),
    });
  }

  /** Changes what is given; a segment that was only found is the operator's from then on. */
  async set(text: string, change: SegmentChange): Promise<Segment> {
    const found = this.require(text);
    const own = this.#operator.find(({ name }) => name === found.name);
    const keep = (
      field: "serverAddress" | "gatewayAddress" | "relayAddress",
      label: string,
    ): Ipv4Address | null =>
      change[field] === undefined ? (own?.[field] ?? null) : readAddress(label, change[field]);
    return this.#put(
      {
        name: change.name === undefined ? found.name : readName(change.name),
        cidr: change.cidr === undefined ? found.cidr : readCidr(change.cidr),
        intent: change.intent ?? found.intent,
        serverAddress: keep("serverAddress", "server address"),
        gatewayAddress: keep("gatewayAddress", "gateway"),
        relayAddress: keep("relayAddress", "relay"),
      },
      found.name,
    );
  }

  /** What is found of it stays. @throws ApiError when the operator has said nothing of it */
  async remove(text: string): Promise<void> {
    const { name, origin } = this.require(text);
    if (origin !== "operator") {
      throw new ApiError(
        409,
        "conflict",
        `${name} was found by the server, not named, so it would be found again; portolan segment set ${name} --intent none leaves it out of the plan`,
      );
    }
    await this.#dependencies.store.remove(name);
    await this.load();
  }

  async #put(segment: OperatorSegment, formerName?: string): Promise<Segment> {
    const others = this.#operator.filter(({ name }) => name !== formerName);
    const sameName = others.find(({ name }) => name === segment.name);
    if (sameName !== undefined) {
      throw new ApiError(
        409,
        "conflict",
        `there is a segment ${segment.name} already (${Ipv4Subnet.format(sameName.cidr)}); change it with portolan segment set`,
      );
    }
    const cidr = Ipv4Subnet.format(segment.cidr);
    const sameCidr = others.find((other) => Ipv4Subnet.format(other.cidr) === cidr);
    if (sameCidr !== undefined) {
      throw new ApiError(409, "conflict", `${cidr} is the segment ${sameCidr.name} already`);
    }
    await this.#dependencies.store.put(segment, formerName);
    await this.load();
    return this.require(segment.name);
  }
}
