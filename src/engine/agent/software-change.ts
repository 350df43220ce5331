import type { Software } from "#wire/control/software-message.ts";

const namedCountMax = 12;

/** Name and version; a name has no space. */
export function splitPackage(text: string): { readonly name: string; readonly version: string } {
  const at = text.indexOf(" ");
  return at === -1 ? { name: text, version: "" } : { name: text.slice(0, at), version: text.slice(at + 1) };
}

/**
 * What has become of a computer's software, in sentences. BOUNDED by `namedCountMax`: an upgrade of a whole system names the
 * first ones and counts the rest.
 */
export function describeSoftwareChange(before: Software, after: Software): string[] {
  const old = new Map(before.packages.map((text) => [splitPackage(text).name, splitPackage(text).version]));
  const now = new Map(after.packages.map((text) => [splitPackage(text).name, splitPackage(text).version]));
  const changes = [
    ...[...now].flatMap(([name, version]) => {
      const was = old.get(name);
      return was === undefined
        ? [`package added: ${name} ${version}`]
        : was === version
          ? []
          : [`package ${name}: ${version}, was ${was}`];
    }),
    ...[...old].flatMap(([name, version]) => (now.has(name) ? [] : [`package gone: ${name} ${version}`])),
    ...after.users.filter((user) => !before.users.includes(user)).map((user) => `user added: ${user}`),
    ...before.users.filter((user) => !after.users.includes(user)).map((user) => `user gone: ${user}`),
  ];
  const more = changes.length - namedCountMax;
  return more <= 0 ? changes : [...changes.slice(0, namedCountMax), `and ${more} more`];
}
