/**
 * Where an installed agent has what. On Windows all of it is below the folder of programs: elsewhere on the drive, users may
 * change files of others, and what these settings say is done as the system.
 */
const windowsFolder = `${process.env["ProgramFiles"] ?? "C:\\Program Files"}\\Portolan`;

export const agentPlaces =
  process.platform === "win32"
    ? {
        folder: windowsFolder,
        program: `${windowsFolder}\\portolan-agent.exe`,
        settings: `${windowsFolder}\\agent.toml`,
        /** Its key, its certificate and what it has done. */
        state: `${windowsFolder}\\state`,
      }
    : {
        folder: "/opt/portolan",
        program: "/opt/portolan/portolan-agent",
        settings: "/etc/portolan/agent.toml",
        state: "/var/lib/portolan-agent",
      };
