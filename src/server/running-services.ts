import { NetworkError } from "#platform/network-error.ts";
import type { PortolanServer } from "./server.ts";

/**
 * Starts every service. A boot service whose port is taken is named and left out; the others run, and the caller decides
 * what the exit code says. The control port is what everything else hangs on: without it nothing starts.
 */
export async function startServices(server: PortolanServer): Promise<void> {
  const { boot, control, jobs, registry, serviceStates, log } = server;
  const report = await boot.files.load();
  for (const problem of report.problems) {
    log.warn(problem);
  }
  // Jobs wake computers by the cards that the registry knows.
  await registry.load();
  await server.segments.load();
  await server.findings.load();
  await server.verify.load();
  await server.management.agentSettings.load();
  await jobs.start();
  const isBooting = server.settings.current()["boot.mode"] !== "off";
  const isDiscovered = server.settings.current()["discovery.enabled"];
  const services = [
    ["control", control, true],
    ["discovery", server.discovery, isDiscovered],
    ["dhcp", boot.dhcp, isBooting],
    ["tftp", boot.tftp, isBooting],
    ["http-boot", boot.http, isBooting],
  ] as const;
  for (const [name, service, isOn] of services) {
    if (!isOn) {
      const key = name === "discovery" ? "discovery.enabled" : "boot.mode";
      serviceStates.set(name, { state: "off", reason: `${key} is off` });
      continue;
    }
    try {
      await service.start();
      serviceStates.set(name, { state: "running", reason: null });
    } catch (error) {
      if (!(error instanceof NetworkError)) {
        throw error;
      }
      serviceStates.set(name, { state: "failed", reason: error.message });
    }
  }
}
