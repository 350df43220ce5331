import type { Segment } from "#plan/segment.ts";
import { FindingStore } from "#store/finding-store.ts";
import type { BootServices } from "./boot-services.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import type { ServerParts } from "./server.ts";
import type { SiteSegments } from "./site-segments.ts";
import type { ControlService } from "./services/control-service.ts";
import type { TransferService } from "./services/transfer-service.ts";
import { FindingService } from "./verify/finding-service.ts";
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
  readonly findings: FindingService;
  readonly store: FindingStore;
}): VerifyService {
  const { registry, segments, control, boot, transfers, desk, watch, findings, store } = given;
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
