/** Who may import whom. Printed into ARCHITECTURE.md by `generate.ts`, enforced by `check-modules.ts`. */
export type ModuleRule = {
  readonly name: string;
  /** Folder from the repository's root. */
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** May import only the types of these. */
  readonly mayImportTypesOf?: readonly string[];
  /** npm packages; `"*"` for any. */
  readonly packages: readonly string[];
  /** May import `node:` modules. */
  readonly node: boolean;
  readonly because: string;
};

export const moduleRules: readonly ModuleRule[] = [
  {
    name: "wire",
    folder: "src/wire",
    mayImport: [],
    packages: [],
    node: false,
    because: "bytes in, values out; used by fuzzers, the lab and every program",
  },
  {
    name: "plan",
    folder: "src/plan",
    mayImport: ["wire"],
    packages: [],
    node: false,
    because: "flows, settings and grants are computed, never looked up",
  },
  {
    name: "engine",
    folder: "src/engine",
    mayImport: ["wire", "plan"],
    // Pure calendar arithmetic: it is given the time, and starts no timer here.
    packages: ["croner"],
    node: false,
    because: "must run in virtual time with no root",
  },
  {
    name: "api",
    folder: "src/api",
    mayImport: [],
    packages: ["zod"],
    node: false,
    because: "the browser loads it",
  },
  {
    name: "platform",
    folder: "src/platform",
    mayImport: ["wire", "plan"],
    packages: [],
    node: true,
    because: "knows sockets and disks, opens them from grants, knows no rules",
  },
  {
    name: "store",
    folder: "src/store",
    mayImport: [],
    mayImportTypesOf: ["wire", "plan", "engine"],
    packages: ["kysely", "pg"],
    node: true,
    because: "rules live in engines, not in SQL",
  },
  {
    name: "preboot",
    folder: "src/preboot",
    mayImport: ["platform", "wire"],
    packages: ["rolldown"],
    node: true,
    because: "builds boot files from packages; runs without a server",
  },
  {
    name: "server",
    folder: "src/server",
    mayImport: ["wire", "plan", "engine", "api", "platform", "store"],
    packages: ["*"],
    node: true,
    because: "composition",
  },
  {
    name: "agent",
    folder: "src/agent",
    mayImport: ["wire", "plan", "engine", "api", "platform"],
    packages: ["smol-toml"],
    node: true,
    because: "small; no database, no server code",
  },
  {
    name: "cli",
    folder: "src/cli",
    mayImport: ["wire", "plan", "api", "platform", "preboot"],
    packages: ["@stricli/core", "zod", "smol-toml", "yaml", "ws"],
    node: true,
    because: "talks HTTP like everyone else; decodes captures offline",
  },
  {
    name: "console",
    folder: "console",
    mayImport: ["wire", "plan", "engine"],
    mayImportTypesOf: ["api"],
    packages: [
      "react",
      "react-dom",
      "@tanstack/react-query",
      "@tanstack/react-router",
      "@tanstack/react-virtual",
      "@xterm/xterm",
      "@xterm/addon-fit",
      "@novnc/novnc",
      "uqr",
      "virtual:routes",
    ],
    node: false,
    because:
      "a client with no privileges; computes what a change does with the code of the plan and the engines",
  },
  {
    name: "lab",
    folder: "lab",
    mayImport: ["wire", "platform", "preboot"],
    packages: [],
    node: true,
    because: "starts programs as processes, never imports them",
  },
  {
    name: "dev",
    folder: "dev",
    mayImport: ["*"],
    packages: ["*"],
    node: true,
    because:
      "the real server and agents on a simulated network, for work on the console; no product code needs it",
  },
  {
    name: "test",
    folder: "test",
    mayImport: ["*"],
    packages: ["*"],
    node: true,
    because: "imported by nobody",
  },
  {
    name: "bench",
    folder: "bench",
    mayImport: ["*"],
    packages: ["*"],
    node: true,
    because: "imported by nobody",
  },
  {
    name: "tools",
    folder: "tools",
    mayImport: ["*"],
    packages: ["*"],
    node: true,
    because: "imported by nobody",
  },
];

/** The import table as Markdown. */
export function formatModuleTable(): string {
  const rows = moduleRules.map((rule) => {
    const types = rule.mayImportTypesOf ?? [];
    const allowed = [
      ...rule.mayImport.map((name) => (name === "*" ? "anything" : `\`${name}\``)),
      ...types.map((name) => `\`${name}\` (types)`),
      ...rule.packages.filter((name) => name !== "*").map((name) => `\`${name}\``),
      ...(rule.node ? ["`node:`"] : []),
    ].join(" ");
    return `| \`${rule.name}\` | ${allowed === "" ? "–" : allowed} | ${rule.because} |`;
  });
  return ["| module | may import | because |", "|---|---|---|", ...rows].join("\n");
}
