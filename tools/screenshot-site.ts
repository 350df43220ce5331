import type { PortolanServer } from "#server/server.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { nobody } from "#server/accounts/principal.ts";
import { Scopes } from "#server/accounts/scope.ts";
import { createHandlers } from "#server/api-handlers.ts";
import { writeBuild } from "#test/console/boot-build.ts";
import { addSimulatedInstaller } from "#test/console/simulated-installer.ts";
import type { TestEnd } from "#test/network-hosts.ts";

/** The API without its HTTP, as somebody who may do everything. */
function askServer(server: PortolanServer) {
  const request = {
    ...{ query: undefined, principal: nobody, address: "", id: "" },
    ...{ setCookie: () => undefined, setActor: () => undefined },
    scope: new Scopes(server).wholeSite,
  };
  return { handlers: createHandlers(server, "pictures"), request };
}

/** Two rooms of a building, and a library. */
async function giveGroups({ server: { groups, registry } }: SimulatedSite): Promise<void> {
  const ids = registry.list().map(({ id }) => id);
  const building = await groups.add({ name: "Building A", parent: null });
  const rooms = [
    { name: "LAB1", parent: building.id, members: ids.slice(0, 8) },
    { name: "LAB2", parent: building.id, members: ids.slice(8, 16) },
    { name: "Library", parent: null, members: ids.slice(16, 20) },
  ];
  for (const { name, parent, members } of rooms) {
    const { id } = await groups.add({ name, parent });
    await groups.move(members, id);
  }
}

/** Simulated agents tell of no software; this one has some, and a change of it. */
async function giveSoftware({ server: { management, registry } }: SimulatedSite): Promise<void> {
  const [computer] = registry.list();
  if (computer === undefined) {
    throw new Error("the simulated room is empty");
  }
  const names = [
    "bash 5.2.37-2",
    "coreutils 9.7-3",
    "firefox-esr 140.4.0",
    "gimp 3.0.4-3",
    "libreoffice 25.2.3",
  ];
  const packages = [
    ...names,
    ...Array.from(
      { length: 40 },
      (_, index) => `simulated-package-${String(index).padStart(2, "0")} 1.${index}`,
    ),
  ];
  const users = ["root", "student", "teacher"];
  management.software.receive(computer.id, { packages: packages.slice(1), users });
  management.software.receive(computer.id, { packages, users });
}

/** A job that waits for the night, beside the one that runs, and a segment behind a router. */
async function giveMore({ server }: SimulatedSite): Promise<void> {
  const computers = server.registry.list().map(({ id }) => id);
  const { handlers, request } = askServer(server);
  await handlers.addSegment({
    ...request,
    body: { name: "library", cidr: "10.40.0.0/24", serverAddress: "127.10.0.1", gatewayAddress: "10.40.0.1" },
  });
  const [last] = computers.slice(-5);
  const common = { kind: "capture-image", disk: "only-disk" } as const;
  const capture = { ...common, image: "library-image", isForced: false, isStreamed: false };
  await handlers.createJob({
    ...request,
    body: {
      ...{ name: "Capture library-image", tasks: [capture] },
      ...{ conditions: [], computers: [last ?? ""], groups: [], windows: [], force: false },
    },
  });
  await handlers.createJob({
    ...request,
    body: {
      name: "Restart at night",
      tasks: [{ kind: "restart" }],
      conditions: [],
      computers: computers.slice(8, 20),
      groups: [],
      schedule: { at: "2099-12-01 03:00", timeZone: "Europe/Berlin" },
      windows: [],
      force: false,
    },
  });
}

/** Groups, software, jobs and segments of a site that has been at work. */
export async function fillSite(site: SimulatedSite): Promise<void> {
  await giveGroups(site);
  await giveSoftware(site);
  await giveMore(site);
}

const mebibyte = 2 ** 20;
/** About as large as what `portolan boot build` makes of Debian's packages. */
const bootFileSizes: Readonly<Record<string, number>> = {
  vmlinuz: 11.6 * mebibyte,
  "initrd.img": 24.2 * mebibyte,
  "preboot.squashfs": 46.7 * mebibyte,
  "undionly.kpxe": 70_000,
  "ipxe.pxe": 330_000,
  "snponly.efi": 250_000,
  "ipxe.efi": 1_060_000,
  "shimx64.efi": 980_000,
  "grubx64.efi": 2_400_000,
};

/** Boot files as a build leaves them, and as the server serves them. */
export async function giveBuild({ server }: SimulatedSite): Promise<void> {
  const contents = Object.entries(bootFileSizes).map(([name, size]) => [name, "x".repeat(size)] as const);
  const builtAt = Date.now() - 3 * 86_400_000;
  writeBuild(server.config.dataDir, Object.fromEntries(contents), {
    kernelVersion: "6.12.48+deb13-amd64",
    builtAt,
  });
  const { handlers, request } = askServer(server);
  await handlers.serveBootBuild({ ...request, body: undefined });
}

/** Two installers; their kernels are heads alone. */
export async function giveInstallers(end: TestEnd, site: SimulatedSite): Promise<void> {
  await addSimulatedInstaller(end, site, "debian-13", {
    kernelVersion: "6.12.48+deb13-amd64",
    description: "Debian 13, by preseed",
  });
  await addSimulatedInstaller(end, site, "rocky-10", {
    kernelVersion: "6.12.0-55.el10.x86_64",
    description: "Rocky Linux 10, by kickstart",
    commandLine: "inst.text inst.cmdline",
  });
}
