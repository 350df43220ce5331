import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "#platform/durable-file.ts";
import { runProgram } from "#platform/run-program.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { NetworkConfiguration, OsTaskMessage } from "#wire/control/os-task-message.ts";
import type { TaskOutcome } from "../task.ts";

type ConfigurationTask = Extract<OsTaskMessage, { kind: "set-configuration" }>;

const labelPattern = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const interfacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/;

/** Lines of `/etc/hosts` with our own name at 127.0.1.1, as Debian has it. Everything else stays. */
export function withHostName(hosts: string, hostName: string, domain: string | null): string {
  const names = domain === null ? hostName : `${hostName}.${domain} ${hostName}`;
  const lines = hosts.split("\n").filter((line) => !/^127\.0\.1\.1\s/.test(line));
  const at = lines.findIndex((line) => /^127\.0\.0\.1\s/.test(line)) + 1;
  return lines.toSpliced(at, 0, `127.0.1.1\t${names}`).join("\n");
}

function isAddressWithPrefix(text: string): boolean {
  const [address = "", prefix = ""] = text.split("/");
  return Ipv4Address.isValid(address) && /^\d{1,2}$/.test(prefix) && Number(prefix) <= 32;
}

/** Why these values cannot be used, or `null`. They go into files of the system: nothing but plain values may. */
function faultOf({ hostName, domain, network }: ConfigurationTask): string | null {
  if (hostName !== null && !labelPattern.test(hostName)) {
    return `${JSON.stringify(hostName)} is no host name`;
  }
  if (domain !== null && !domain.split(".").every((label) => labelPattern.test(label))) {
    return `${JSON.stringify(domain)} is no domain`;
  }
  if (network === null) {
    return null;
  }
  if (network.interfaceName !== null && !interfacePattern.test(network.interfaceName)) {
    return `${JSON.stringify(network.interfaceName)} is no interface`;
  }
  if (network.type === "static") {
    const addresses = [...network.nameServers, ...(network.gateway === null ? [] : [network.gateway])];
    const wrong = isAddressWithPrefix(network.address)
      ? addresses.find((text) => !Ipv4Address.isValid(text))
      : network.address;
    return wrong === undefined ? null : `${JSON.stringify(wrong)} is no address`;
  }
  return null;
}

/** A unit of systemd-networkd. */
export function describeNetworkd(network: NetworkConfiguration, domain: string | null): string {
  const match = network.interfaceName === null ? "Type=ether" : `Name=${network.interfaceName}`;
  const lines =
    network.type === "dhcp"
      ? ["DHCP=ipv4"]
      : [
          `Address=${network.address}`,
          ...(network.gateway === null ? [] : [`Gateway=${network.gateway}`]),
          ...network.nameServers.map((address) => `DNS=${address}`),
        ];
  const search = domain === null ? [] : [`Domains=${domain}`];
  return ["[Match]", match, "", "[Network]", ...lines, ...search, ""].join("\n");
}

/** A stanza of ifupdown. */
export function describeInterfaces(network: NetworkConfiguration, domain: string | null): string {
  const name = network.interfaceName ?? "";
  const lines =
    network.type === "dhcp"
      ? [`iface ${name} inet dhcp`]
      : [
          `iface ${name} inet static`,
          `    address ${network.address}`,
          ...(network.gateway === null ? [] : [`    gateway ${network.gateway}`]),
          ...(network.nameServers.length === 0
            ? []
            : [`    dns-nameservers ${network.nameServers.join(" ")}`]),
        ];
  const search = domain === null ? [] : [`    dns-search ${domain}`];
  return [`auto ${name}`, ...lines, ...search, ""].join("\n");
}

async function setHostName(root: string, hostName: string, domain: string | null): Promise<void> {
  await writeDurably(join(root, "etc/hostname"), Buffer.from(`${hostName}\n`));
  const hostsPath = join(root, "etc/hosts");
  const hosts = existsSync(hostsPath) ? await readFile(hostsPath, "utf8") : "127.0.0.1\tlocalhost\n";
  await writeDurably(hostsPath, Buffer.from(withHostName(hosts, hostName, domain)));
  if (root === "/") {
    await runProgram({ program: "hostname", args: [hostName], timeoutMs: 10_000, outputBytesMax: 256 });
  }
}

async function setNetwork(
  root: string,
  network: NetworkConfiguration,
  domain: string | null,
): Promise<string | null> {
  if (existsSync(join(root, "etc/network/interfaces.d"))) {
    if (network.interfaceName === null) {
      return "this system uses ifupdown, which needs the interface's name";
    }
    const path = join(root, "etc/network/interfaces.d/portolan");
    await writeDurably(path, Buffer.from(describeInterfaces(network, domain)));
    return null;
  }
  if (existsSync(join(root, "etc/systemd/network"))) {
    const path = join(root, "etc/systemd/network/10-portolan.network");
    await writeDurably(path, Buffer.from(describeNetworkd(network, domain)));
    return null;
  }
  return "neither systemd-networkd nor ifupdown is here; use a script for this system's network";
}

/**
 * Writes host name, domain and address into the system at `root`. The name counts at once; an address counts after the
 * next restart, because changing it now would cut the connection that reports it.
 */
export async function setConfiguration(
  task: ConfigurationTask,
  root = "/",
  platform: string = process.platform,
): Promise<TaskOutcome> {
  const { hostName, domain, network } = task;
  if (platform !== "linux") {
    return { outcome: "failed", reason: `configuration is not set on ${platform} yet; use a script` };
  }
  const fault = faultOf(task);
  if (fault !== null) {
    return { outcome: "failed", reason: fault };
  }
  if (hostName !== null) {
    await setHostName(root, hostName, domain);
  }
  const problem = network === null ? null : await setNetwork(root, network, domain);
  return problem === null ? { outcome: "done", reason: null } : { outcome: "failed", reason: problem };
}
