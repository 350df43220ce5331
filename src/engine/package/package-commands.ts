import type { PackageKind } from "#wire/control/os-task-message.ts";

/** A program with its arguments; no shell reads them. */
export type Command = { readonly program: string; readonly args: readonly string[] };

/** What an installer's exit code means. */
export type InstallVerdict = "installed" | "restart-needed" | "failed";

/**
 * How a package of this kind is installed without asking anybody anything. `null` for our own bundles, which the agent
 * unpacks itself.
 *
 * @param path of the package file on the computer, absolute
 * @param args silent arguments of the operator, added last
 */
export function installCommand(
  kind: PackageKind,
  path: string,
  args: readonly string[],
  has: (program: string) => boolean,
): Command | null {
  switch (kind) {
    case "deb":
      // apt brings what the package depends on, where the computer has a mirror or it is there already.
      return has("apt-get")
        ? {
            program: "apt-get",
            args: ["install", "--yes", "--no-install-recommends", "--allow-downgrades", ...args, path],
          }
        : { program: "dpkg", args: ["--install", ...args, path] };
    case "rpm":
      return has("dnf")
        ? { program: "dnf", args: ["install", "--assumeyes", ...args, path] }
        : { program: "rpm", args: ["--upgrade", "--replacepkgs", ...args, path] };
    case "msi":
      return { program: "msiexec", args: ["/i", path, "/qn", "/norestart", ...args] };
    case "exe":
      return { program: path, args };
    case "pkg":
      return { program: "installer", args: ["-pkg", path, "-target", "/", ...args] };
    case "bundle":
      return null;
  }
}

/** `null` where the kind knows no way: the package's own uninstall command is used then. */
export function uninstallCommand(
  kind: PackageKind,
  name: string,
  has: (program: string) => boolean,
): Command | null {
  switch (kind) {
    case "deb":
      return has("apt-get")
        ? { program: "apt-get", args: ["remove", "--yes", name] }
        : { program: "dpkg", args: ["--remove", name] };
    case "rpm":
      return has("dnf")
        ? { program: "dnf", args: ["remove", "--assumeyes", name] }
        : { program: "rpm", args: ["--erase", name] };
    case "msi":
    case "exe":
    case "pkg":
    case "bundle":
      return null;
  }
}

/** Prints the installed version of a system package and nothing else; fails when it is not installed. */
export function queryCommand(kind: PackageKind, name: string): Command | null {
  switch (kind) {
    case "deb":
      return { program: "dpkg-query", args: ["--show", "--showformat=${db:Status-Status} ${Version}", name] };
    case "rpm":
      return { program: "rpm", args: ["--query", "--queryformat", "installed %{VERSION}-%{RELEASE}", name] };
    case "pkg":
    case "msi":
    case "exe":
    case "bundle":
      return null;
  }
}

/** Windows Installer: 3010 and 1641 mean installed, and a restart is needed or has begun. */
export function judgeInstaller(kind: PackageKind, exitCode: number): InstallVerdict {
  if (exitCode === 0) {
    return "installed";
  }
  const isWindows = kind === "msi" || kind === "exe";
  return isWindows && (exitCode === 3010 || exitCode === 1641) ? "restart-needed" : "failed";
}
