import type { ApiHandlers } from "./api-server.ts";
import { accountHandlers } from "./handlers/account-handlers.ts";
import { agentHandlers, enrolmentHandlers } from "./handlers/agent-handlers.ts";
import { bootHandlers } from "./handlers/boot-handlers.ts";
import { computerHandlers } from "./handlers/computer-handlers.ts";
import { controlMoveHandlers } from "./handlers/control-move-handlers.ts";
import { groupHandlers } from "./handlers/group-handlers.ts";
import { imageHandlers } from "./handlers/image-handlers.ts";
import { initialDeploymentHandlers } from "./handlers/initial-deployment-handlers.ts";
import { installerHandlers } from "./handlers/installer-handlers.ts";
import { jobHandlers } from "./handlers/job-handlers.ts";
import { loginHandlers } from "./handlers/login-handlers.ts";
import { planExportHandlers } from "./handlers/plan-export-handlers.ts";
import { packageHandlers } from "./handlers/package-handlers.ts";
import { planHandlers } from "./handlers/plan-handlers.ts";
import { secondFactorHandlers } from "./handlers/second-factor-handlers.ts";
import { segmentHandlers } from "./handlers/segment-handlers.ts";
import { remoteHandlers } from "./handlers/remote-handlers.ts";
import { serverHandlers } from "./handlers/server-handlers.ts";
import { sessionHandlers } from "./handlers/session-handlers.ts";
import { settingsHandlers } from "./handlers/settings-handlers.ts";
import { verifyHandlers } from "./handlers/verify-handlers.ts";
import type { PortolanServer } from "./server.ts";

/** A handler for every route, by area. */
export function createHandlers(server: PortolanServer, version: string): ApiHandlers {
  return {
    ...serverHandlers(server, version),
    ...accountHandlers(server),
    ...loginHandlers(server),
    ...secondFactorHandlers(server),
    ...planHandlers(server),
    ...verifyHandlers(server),
    ...planExportHandlers(server, version),
    ...settingsHandlers(server),
    ...controlMoveHandlers(server),
    ...segmentHandlers(server),
    ...computerHandlers(server),
    ...groupHandlers(server),
    ...agentHandlers(server),
    ...enrolmentHandlers(server),
    ...remoteHandlers(server),
    ...bootHandlers(server),
    ...imageHandlers(server),
    ...jobHandlers(server),
    ...initialDeploymentHandlers(server),
    ...packageHandlers(server),
    ...installerHandlers(server),
    ...sessionHandlers(server),
  };
}
