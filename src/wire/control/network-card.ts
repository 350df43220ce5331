import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { JsonFields } from "./json-fields.ts";

/** The switch port a card is plugged into, as the switch said by LLDP. IEEE 802.1AB */
export type LinkNeighbour = {
  readonly systemName: string | null;
  readonly chassisId: string;
  readonly portId: string;
  readonly portDescription: string | null;
  /** Of untagged frames on this port, `null` when the switch does not say. */
  readonly vlanId: number | null;
};

/** One network card and what it is connected to. */
export type NetworkCard = {
  /** Kernel name, for display. */
  readonly name: string;
  readonly mac: MacAddress;
  /** Its first IPv4 address; `null` without one. */
  readonly address: Ipv4Address | null;
  readonly prefixLength: number;
  readonly isWired: boolean;
  /** It has a link. */
  readonly isUp: boolean;
  readonly speedMbps: number | null;
  readonly driver: string | null;
  readonly neighbour: LinkNeighbour | null;
};

const textMax = 128;

function integerOrNull(fields: JsonFields, field: string, to: number): number | null {
  return fields.raw(field) === null || fields.raw(field) === undefined ? null : fields.integer(field, 0, to);
}

function decodeNeighbour(value: unknown): LinkNeighbour | null {
  if (value === null || value === undefined) {
    return null;
  }
  const fields = new JsonFields(value, "neighbour");
  return {
    systemName: fields.labelOrNull("systemName", 256),
    chassisId: fields.labelOrNull("chassisId", 256) ?? "",
    portId: fields.labelOrNull("portId", 256) ?? "",
    portDescription: fields.labelOrNull("portDescription", 256),
    vlanId: integerOrNull(fields, "vlanId", 4095),
  };
}

/** @throws WireError `bad-value` */
export function decodeNetworkCard(value: unknown): NetworkCard {
  const fields = new JsonFields(value, "card");
  const address = fields.textOrNull("address", 15);
  return {
    name: fields.text("name", textMax),
    mac: MacAddress.parse(fields.text("mac", 17)),
    address: address === null ? null : Ipv4Address.parse(address),
    prefixLength: fields.integer("prefixLength", 0, 32),
    isWired: fields.flag("isWired"),
    isUp: fields.flag("isUp"),
    speedMbps: integerOrNull(fields, "speedMbps", 10_000_000),
    driver: fields.labelOrNull("driver", textMax),
    neighbour: decodeNeighbour(fields.raw("neighbour")),
  };
}
