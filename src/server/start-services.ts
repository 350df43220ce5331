import type { PortolanServer } from "./server.ts";

/**
 * Loads what services need to know, then starts every one. A service whose port is taken is named and left out; the others
 * run, and the caller decides what the exit code says.
 */
export async function startServices(server: PortolanServer): Promise<void> {
  const { boot, jobs, registry, log } = server;
  const report = await boot.files.load();
  for (const problem of report.problems) {
    log.warn(problem);
  }
  // Jobs wake computers by the cards that the registry knows.
  await registry.load();
  await server.management.software.load();
  await server.segments.load();
  await server.groups.load();
  await server.management.agentSettings.load();
  await server.findings.load();
  await server.verify.load();
  await jobs.start();
  await server.sync.start();
}
