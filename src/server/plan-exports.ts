import { BoundaryError } from "#plan/export/boundary-rules.ts";
import type { ExportInput } from "#plan/export/exporter.ts";
import {
  exporters,
  type ExportFormat,
  ExportFormatError,
  exportInputOf,
  parseExportFormat,
} from "#plan/export/exporters.ts";
import { identifier } from "#plan/export/rule-text.ts";
import type { Segment } from "#plan/segment.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ExportResource } from "#api/plan-export-api.ts";
import { ApiError } from "./api-error.ts";
import type { PortolanServer } from "./server.ts";

/** What an operator says about the devices between server and segment. */
export type BoundaryQuery = {
  readonly segment?: string | undefined;
  readonly multicast?: "routed" | "local" | undefined;
  readonly dhcpServers?: string | undefined;
  readonly segmentInterface?: string | undefined;
  readonly serverInterface?: string | undefined;
};

/** Interface names of devices: letters, digits, and what the makers of switches put between them. */
const interfaceName = /^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}$/;

function readInterface(text: string | undefined): string | null {
  if (text !== undefined && !interfaceName.test(text)) {
    throw new ApiError(400, "bad-request", `${JSON.stringify(text)} is no name of an interface`);
  }
  return text ?? null;
}

function readAddresses(text: string | undefined): Ipv4Address[] {
  return (text ?? "")
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      if (!Ipv4Address.isValid(part)) {
        throw new ApiError(400, "bad-request", `DHCP server ${JSON.stringify(part)} is no IPv4 address`);
      }
      return part;
    });
}

/** The one that was named, or the only one that has a boundary. */
function chooseSegment(server: PortolanServer, text: string | undefined): Segment {
  if (text !== undefined) {
    return server.segments.require(text);
  }
  const segments = server.segments.current().filter(({ intent }) => intent !== "none");
  const behindRouters = segments.filter((segment) => segment.interfaceName === null);
  const [only, second] = behindRouters.length > 0 ? behindRouters : segments;
  if (only === undefined || second !== undefined) {
    const names = segments.map(({ name }) => name).join(", ");
    throw new ApiError(400, "bad-request", `say for which segment: --segment NAME; there are: ${names}`);
  }
  return only;
}

/** @throws ApiError `bad-request` | `not-found` */
export function readExportInput(server: PortolanServer, query: BoundaryQuery): ExportInput {
  const segment = chooseSegment(server, query.segment);
  try {
    return exportInputOf({
      flows: server.flows(),
      segment,
      serverName: server.config.name,
      profile: server.settings.profile,
      multicast: query.multicast ?? "routed",
      dhcpServerAddresses: readAddresses(query.dhcpServers),
      segmentInterface: readInterface(query.segmentInterface),
      serverInterface: readInterface(query.serverInterface),
    });
  } catch (error) {
    throw error instanceof BoundaryError ? new ApiError(400, "bad-request", error.message) : error;
  }
}

/** @throws ApiError `bad-request`, with the nearest format */
export function readExportFormat(text: string): ExportFormat {
  try {
    return parseExportFormat(text);
  } catch (error) {
    throw error instanceof ExportFormatError ? new ApiError(400, "bad-request", error.message) : error;
  }
}

export function exportFor(format: ExportFormat, input: ExportInput): ExportResource {
  const exporter = exporters[format];
  const name = `${identifier(input, "-", 60)}-${format}`;
  return {
    format,
    title: exporter.title,
    device: exporter.device,
    segment: input.segment.name,
    fileName: `${name}.${exporter.fileExtension}`,
    text: exporter.render(input),
    rollbackFileName: `${name}-rollback.${exporter.rollbackExtension ?? exporter.fileExtension}`,
    rollbackText: exporter.renderRollback(input),
  };
}
