import { agentPlaces } from "./agent-places.ts";

/** What `portolan agent` can do. */
export const agentCommands = ["run", "install", "settings", "status", "record"] as const;

/** Flags of `portolan agent`, as `parseArgs` takes them. */
export const agentOptions = {
  environment: { type: "string", default: "os" },
  config: { type: "string", default: agentPlaces.settings },
  server: { type: "string" },
  port: { type: "string" },
  "site-key": { type: "string" },
  root: { type: "string", default: "/" },
  node: { type: "string" },
  password: { type: "string" },
  set: { type: "string", multiple: true, default: [] as string[] },
  token: { type: "string" },
  help: { type: "boolean", default: false },
} as const;
