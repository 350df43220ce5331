import type { Segment } from "#plan/segment.ts";
import { FindingStore } from "#store/finding-store.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { BootServices } from "./boot-services.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import type { ManagementServices } from "./management-services.ts";
import type { ServerParts } from "./server.ts";
import type { SiteSegments } from "./site-segments.ts";
import type { ControlService } from "./services/control-service.ts";
import type { TransferService } from "./services/transfer-service.ts";
import { FindingService } from "./verify/finding-service.ts";
import { type MovingAgent, settingsOnTrial } from "./verify/moving-agents.ts";
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
  readonly management: Pick<ManagementServices, "remote" | "agentSettings">;
  readonly desk: ProbeDesk;
  readonly watch: ProbeWatch;
  readonly findings: FindingService;
  readonly store: FindingStore;
}): VerifyService {
  const { registry, segments, control, boot, transfers, management, desk, watch, findings, store } = given;
  const { network, interfaces, clock, log, flows, authority, settings, config } = given.parts;
  const candidates = (): ProberCandidate[] =>
    registry.list().flatMap(({ id, name }) => {
      const link = control.find(id);
      return link === null ? [] : [{ link, name }];
    });
  const moving = (): MovingAgent[] =>
    registry.list().flatMap((computer) => {
      const { id: computerId, name } = computer;
      const changed = settingsOnTrial(management.agentSettings.find(computerId), clock.epochMs());
      const address = control.find(computerId)?.address ?? computer.address;
      return changed === null || address === null || !Ipv4Address.isValid(address)
        ? []
        : [{ computerId, name, address, changed }];
    });
  return new VerifyService({
    ...{ network, interfaces, desk, watch, transfers, clock, log, flows, candidates, moving },
    remote: management.remote,
    isStanding: (link) => control.find(link.computerId) === link,
    bootFiles: boot.files,
    consolePort: config.consolePort,
    failures: () => given.parts.services().failures(),
    segments: () => segments.current(),
    site: () => ({ serverName: config.name, profile: settings.profile }),
    findings,
    store,
    siteKeyFingerprint: authority.fingerprint,
    controlPort: () => settings.current()["control.tcpPort"],
  });
}

/** What is found wrong, by watching and by verifying. */
export function createFindings(
  parts: ServerParts,
  segments: () => readonly Segment[],
): { readonly findings: FindingService; readonly store: FindingStore } {
  const store = new FindingStore(parts.db);
  const { clock, log } = parts;
  return { store, findings: new FindingService({ store, clock, log, segments }) };
}
