import { ConfigError, type ServerConfig } from "./config.ts";

/** Keys of the file, as they stand there, with what is shown of their values. */
const shown: readonly (readonly [string, (config: ServerConfig) => string])[] = [
  ["server.name", ({ name }) => name],
  ["server.interfaces", ({ interfaces }) => interfaces.join(", ")],
  ["server.dataDir", ({ dataDir }) => dataDir],
  ["server.relays", ({ relays }) => (relays.length === 0 ? "none" : relays.join(", "))],
  ["console.port", ({ consolePort }) => String(consolePort)],
];

/**
 * What the configuration file says now and this server does not run with, because it is read at the start only. Sentences; an
 * address of a database may hold a password and is not shown.
 *
 * @param read the configuration as a restart would find it
 */
export function describeConfigDrift(running: ServerConfig, read: () => ServerConfig): string[] {
  try {
    const found = read();
    const changed = shown
      .filter(([, show]) => show(found) !== show(running))
      .map(
        ([key, show]) =>
          `the configuration file says ${key} ${show(found)}, and the server runs with ${show(running)} until it is restarted`,
      );
    return found.databaseUrl === running.databaseUrl
      ? changed
      : [
          ...changed,
          "the configuration file names another database.url; the server uses the old one until it is restarted",
        ];
  } catch (error) {
    if (error instanceof ConfigError) {
      return [`the configuration file is wrong now, so a restart would fail: ${error.message}`];
    }
    throw error;
  }
}
