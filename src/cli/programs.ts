/** First words that start another program instead of asking a server. Paths are from the repository's root. */
export const programs = {
  serve: {
    path: "src/server/main.ts",
    brief: "Run a server: --config F, --data DIR, --interface IF[,IF…], --console-port N",
  },
  agent: { path: "src/agent/main.ts", brief: "Run or install the agent on this computer" },
  lab: { path: "lab/main.ts", brief: "Rehearse on virtual computers: up, down, run SCENARIO, list" },
  bench: { path: "bench/main.ts", brief: "Measure beside the peers: list, or a name" },
} as const;

export type ProgramName = keyof typeof programs;

export function isProgramName(word: string | undefined): word is ProgramName {
  return word !== undefined && Object.hasOwn(programs, word);
}
