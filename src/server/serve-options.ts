/** Flags of `portolan serve`, as `parseArgs` takes them. */
export const serveOptions = {
  config: { type: "string" },
  data: { type: "string" },
  interface: { type: "string", multiple: true },
  "console-port": { type: "string" },
  help: { type: "boolean", default: false },
} as const;
