import type { RuleRenderer } from "#engine/verify/remedy-book.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BootServices } from "./boot-services.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import type { ServerParts } from "./server.ts";
import type { SiteSegments } from "./site-segments.ts";
import type { ControlService } from "./services/control-service.ts";
import type { TransferService } from "./services/transfer-service.ts";
import type { ProbeDesk } from "./verify/probe-desk.ts";
import type { ProbeWatch } from "./verify/probe-watch.ts";
import { type ProberCandidate, VerifyService } from "./verify/verify-service.ts";

/** Live proof of the plan, wired to the agents that try it. */
export function createVerify(given: {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly segments: SiteSegments;
  readonly control: ControlService;
  readonly boot: BootServices;
  readonly transfers: TransferService;
  readonly desk: ProbeDesk;
  readonly watch: ProbeWatch;
}): VerifyService {
  const { registry, segments, control, boot, transfers, desk, watch } = given;
  const { network, interfaces, clock, log, flows, authority, settings, config } = given.parts;
  const candidates = (): ProberCandidate[] =>
    registry.list().flatMap(({ id, name }) => {
      const link = control.find(id);
      return link === null ? [] : [{ link, name }];
    });
  return new VerifyService({
    ...{ network, interfaces, desk, watch, transfers, clock, log, flows, candidates },
    bootFiles: boot.files,
    consolePort: config.consolePort,
    segments: () => segments.current(),
    renderer: () => plainWords,
    siteKeyFingerprint: authority.fingerprint,
    controlPort: () => settings.current()["control.tcpPort"],
  });
}

const plainWords: RuleRenderer = {
  formatName: "let through",
  renderLine: (rule) => {
    const source = rule.source === null ? "anywhere" : Ipv4Subnet.format(rule.source);
    const destination =
      rule.destination === null ? rule.groups.join(", ") : Ipv4Subnet.format(rule.destination);
    const ports =
      "from" in rule.destinationPorts
        ? `${rule.destinationPorts.from}-${rule.destinationPorts.to}`
        : rule.destinationPorts.join(", ");
    return [`${rule.transport} from ${source} to ${destination || Ipv4Address.any} port ${ports}`];
  },
};
