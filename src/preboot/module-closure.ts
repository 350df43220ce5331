/** `modules.dep`: path of each module with the paths it needs, all below `lib/modules/VERSION`. depmod(8) */
export function parseModulesDep(text: string): ReadonlyMap<string, readonly string[]> {
  const dependencies = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [path, needed = ""] = line.split(":");
    if (path !== undefined && path !== "") {
      dependencies.set(path, needed.trim().split(/\s+/).filter(Boolean));
    }
  }
  return dependencies;
}

/** `kernel/drivers/net/virtio_net.ko.xz` is module `virtio_net`; the kernel takes `-` and `_` for the same. */
function moduleName(path: string): string {
  const file = path.split("/").at(-1) ?? path;
  return file.replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");
}

/**
 * The module files that the named modules and everything they depend on are in.
 *
 * @returns paths in order, and the names this kernel does not have (or has built in).
 */
export function closeModules(
  dependencies: ReadonlyMap<string, readonly string[]>,
  names: readonly string[],
): { readonly paths: readonly string[]; readonly absent: readonly string[] } {
  const byName = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const paths = new Set<string>();
  const absent: string[] = [];
  for (const name of names) {
    const path = byName.get(name.replaceAll("-", "_"));
    if (path === undefined) {
      absent.push(name);
      continue;
    }
    // `modules.dep` already lists what the dependencies need in turn.
    for (const needed of [path, ...(dependencies.get(path) ?? [])]) {
      paths.add(needed);
    }
  }
  return { paths: [...paths].toSorted(), absent };
}
