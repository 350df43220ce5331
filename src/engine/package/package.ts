import type { DetectionRule, PackageKind } from "#wire/control/os-task-message.ts";

/** Software to install, as the operator described it. Its file is content of the store. */
export type PackageDefinition = {
  readonly name: string;
  readonly version: string;
  readonly kind: PackageKind;
  /** Name that the file has on the computer: installers read their own names. */
  readonly fileName: string;
  /** Silent arguments, added to those of the kind. */
  readonly args: readonly string[];
  /** Program and arguments that remove it, where its kind has none of its own. */
  readonly uninstall: readonly string[];
  readonly detection: DetectionRule;
  /** Names of packages that must be there first. */
  readonly dependsOn: readonly string[];
  readonly timeoutMs: number;
};

/** A package cannot be installed as it is described. */
export class PackageError extends Error {
  readonly code = "bad-package";

  constructor(message: string) {
    super(message);
    this.name = "PackageError";
  }
}

/**
 * A package and everything it depends on, what must be there first first.
 *
 * @param find a package by name, or `null`
 * @throws PackageError when one is missing, or two depend on each other
 */
export function orderByDependency<Item extends { readonly definition: PackageDefinition }>(
  wanted: Item,
  find: (name: string) => Item | null,
): Item[] {
  const ordered: Item[] = [];
  const done = new Set<string>();
  const visit = (item: Item, path: readonly string[]): void => {
    const { name, dependsOn } = item.definition;
    if (path.includes(name)) {
      throw new PackageError(
        `packages depend on each other in a circle: ${[...path, name].join(" → ")}; take one out`,
      );
    }
    if (done.has(name)) {
      return;
    }
    for (const needed of dependsOn) {
      const found = find(needed);
      if (found === null) {
        throw new PackageError(
          `package ${name} depends on ${needed}, which is not here; portolan package add it first`,
        );
      }
      visit(found, [...path, name]);
    }
    done.add(name);
    ordered.push(item);
  };
  visit(wanted, []);
  return ordered;
}
