import type { RuleRenderer } from "#engine/verify/remedy-book.ts";
import { exporters, exportInputOf } from "#plan/export/exporters.ts";
import type { Segment } from "#plan/segment.ts";
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
    renderer: (segment) => nftablesLines(segment, given.parts),
    siteKeyFingerprint: authority.fingerprint,
    controlPort: () => settings.current()["control.tcpPort"],
  });
}

/** Remedies are the lines of `plan export`, so that what is missing can be compared with what was given out. */
function nftablesLines(segment: Segment, { flows, config, settings }: ServerParts): RuleRenderer {
  return {
    formatName: "nftables",
    renderLine: (rule) => {
      const serverName = config.name;
      const input = exportInputOf({ flows: flows(), segment, serverName, profile: settings.profile });
      return exporters.nftables.renderLine(rule, input);
    },
  };
}
