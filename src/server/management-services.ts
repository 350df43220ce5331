import { join } from "node:path";
import { AgentStore } from "#store/agent-store.ts";
import { ComputerEventStore } from "#store/computer-event-store.ts";
import { EnrolmentStore } from "#store/enrolment-store.ts";
import { SoftwareStore } from "#store/software-store.ts";
import { SiteStore } from "#store/site-store.ts";
import type { MenuChoice } from "#wire/control/boot-menu-message.ts";
import type { AgentManagementMessage } from "#wire/control/management-messages.ts";
import { AgentDownloads } from "./agent-downloads.ts";
import { ComputerHistory } from "./computer-history.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import { EnrolmentRights } from "./enrolment-rights.ts";
import { SoftwareRecords } from "./software-records.ts";
import { sendMagicPackets } from "./send-magic-packets.ts";
import type { ServerParts } from "./server.ts";
import { AgentSettingsService } from "./services/agent-settings-service.ts";
import { RemoteService } from "./services/remote-service.ts";
import { Recordings } from "./remote/terminal-recording.ts";
import type { ControlLink, ControlService } from "./services/control-service.ts";
import { WakeService } from "./services/wake-service.ts";
import type { SiteChanges } from "./live/site-changes.ts";

/** What the site does with computers besides booting, imaging and jobs. */
export type ManagementServices = {
  readonly history: ComputerHistory;
  readonly software: SoftwareRecords;
  readonly agentSettings: AgentSettingsService;
  readonly enrolment: EnrolmentRights;
  readonly wake: WakeService;
  readonly remote: RemoteService;
  readonly recordings: Recordings;
  readonly agentDownloads: AgentDownloads;
  readonly receive: (link: ControlLink, message: Exclude<AgentManagementMessage, MenuChoice>) => void;
};

/** Agent settings, wake and history, wired to the agents' connections. */
export function createManagement(given: {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly changes: SiteChanges;
  readonly control: () => ControlService;
}): ManagementServices {
  const { registry, changes, control } = given;
  const { db, clock, log, network, flows, interfaces, settings, config, tls, authority } = given.parts;
  const history = new ComputerHistory(new ComputerEventStore(db), clock, log);
  const agentSettings = new AgentSettingsService({
    store: new AgentStore(db),
    clock,
    log,
    history,
    findLink: (computerId) => control().find(computerId),
  });
  const wake = new WakeService({
    clock,
    log,
    history,
    findComputer: (id) => registry.get(id),
    links: () => control().links(),
    peerPort: () => settings.current()["agent.wakePort"],
    sendFromServer: (packets) =>
      sendMagicPackets({
        network,
        flows,
        interfaces,
        port: settings.current()["wake.port"],
        ...packets,
      }),
  });
  const enrolment = new EnrolmentRights(new EnrolmentStore(db), new SiteStore(db), clock);
  const recordings = new Recordings(join(config.dataDir, "recordings"));
  const remote = new RemoteService({
    ...{ flows, tls, authority, clock, log, history, recordings },
    settings: () => settings.current(),
    findLink: (computerId) => control().find(computerId),
  });
  const { fingerprint, certificatePem } = authority;
  const folder = join(config.dataDir, "agents");
  const agentDownloads = new AgentDownloads({ folder, siteKeyFingerprint: fingerprint, certificatePem });
  const software = new SoftwareRecords({ store: new SoftwareStore(db), clock, log, history });
  const receive = (link: ControlLink, message: Exclude<AgentManagementMessage, MenuChoice>): void => {
    switch (message.type) {
      case "settings":
      case "settings-report":
        agentSettings.receive(link.computerId, message);
        break;
      case "rogue-server":
        log.warn({ ...message, computerId: link.computerId }, "a foreign server answers agents");
        history.note(link.computerId, "rogue-server", describeRogue(message));
        break;
      case "remote-refused":
        remote.refused(link.computerId, message.sessionId, message.reason);
        break;
      case "software":
        software.receive(link.computerId, message.software);
        break;
      case "wake-sent":
        log.debug({ ...message, computerId: link.computerId }, "wake");
        break;
    }
    changes.computer(link.computerId);
  };
  return { history, software, agentSettings, enrolment, wake, remote, recordings, agentDownloads, receive };
}

function describeRogue(rogue: { readonly address: string; readonly fingerprint: string }): string {
  return `${rogue.address} answers agents with the foreign key ${rogue.fingerprint.slice(0, 16)}…; it got no connection`;
}
