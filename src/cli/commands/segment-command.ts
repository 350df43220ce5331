import { buildRouteMap } from "@stricli/core";
import type { SegmentResource } from "#api/segment-api.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";

/** Segments as a table; shared with the plan. */
export function formatSegments(segments: readonly SegmentResource[]): string {
  const rows = segments.map((segment) => [
    segment.name,
    segment.cidr,
    segment.intent,
    segment.interface ?? "behind a router",
    segment.serverAddress ?? "not known",
    segment.gatewayAddress ?? "",
    segment.relayAddress ?? "",
    segment.origin,
  ]);
  const headers = [
    "segment",
    "subnet",
    "for",
    "reached by",
    "server address",
    "gateway",
    "relay",
    "found by",
  ];
  return formatTable(headers, rows);
}

type SegmentFlags = Readonly<Record<string, string | undefined>>;

const flags = {
  intent: { brief: "imaging, management or none", placeholder: "INTENT" },
  "server-address": { brief: "Server address its computers use; - for the one found", placeholder: "IP" },
  gateway: { brief: "Router of the segment; - for the one found", placeholder: "IP" },
  relay: { brief: "DHCP relay of the segment; - for the one found", placeholder: "IP" },
} as const;

function readIntent(text: string | undefined): SegmentResource["intent"] | undefined {
  switch (text) {
    case "imaging":
    case "management":
    case "none":
    case undefined:
      return text;
    default:
      throw new UsageError(`--intent ${text} is unknown; there are imaging, management and none`);
  }
}

function readChange(given: SegmentFlags) {
  const address = (name: keyof typeof flags): { readonly value?: string | null } =>
    given[name] === undefined ? {} : { value: given[name] === "-" ? null : given[name] };
  const intent = readIntent(given["intent"]);
  const server = address("server-address");
  const gateway = address("gateway");
  const relay = address("relay");
  return {
    ...(intent === undefined ? {} : { intent }),
    ...(server.value === undefined ? {} : { serverAddress: server.value }),
    ...(gateway.value === undefined ? {} : { gatewayAddress: gateway.value }),
    ...(relay.value === undefined ? {} : { relayAddress: relay.value }),
  };
}

export const segmentCommand = buildRouteMap({
  docs: { brief: "Segments of the site: found, and named by you" },
  routes: {
    list: apiCommand({
      brief: "Every segment with its intent and the server address its computers use",
      run: async ({ client }) => {
        const segments = await client.call("listSegments");
        return { json: segments, text: formatSegments(segments) };
      },
    }),
    add: apiCommand<[string, string]>({
      brief: "Name a segment: add room-2 10.2.0.0/24",
      arguments: ["NAME", "SUBNET"],
      flags,
      run: async ({ client, args: [name, cidr], flags: given }) => {
        const segment = await client.call("addSegment", { body: { ...readChange(given), name, cidr } });
        return { json: segment, text: formatSegments([segment]) };
      },
    }),
    set: apiCommand<[string]>({
      brief: "Change a segment, by name or subnet",
      arguments: ["SEGMENT"],
      flags: {
        ...flags,
        name: { brief: "New name", placeholder: "NAME" },
        subnet: { brief: "New subnet", placeholder: "SUBNET" },
      },
      run: async ({ client, args: [id], flags: given }) => {
        const { name, subnet: cidr } = given;
        const body = {
          ...readChange(given),
          ...(name === undefined ? {} : { name }),
          ...(cidr === undefined ? {} : { cidr }),
        };
        if (Object.keys(body).length === 0) {
          throw new UsageError(
            "say what to change: --intent, --server-address, --gateway, --relay, --name, --subnet",
          );
        }
        const segment = await client.call("setSegment", { id, body });
        return { json: segment, text: formatSegments([segment]) };
      },
    }),
    remove: apiCommand<[string]>({
      brief: "Forget what you said of a segment",
      arguments: ["SEGMENT"],
      run: async ({ client, args: [id] }) => {
        const answer = await client.call("removeSegment", { id });
        return { json: answer, text: `${id} is not named any more` };
      },
    }),
  },
});
