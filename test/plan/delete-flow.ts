import { registerHooks } from "node:module";

/* Takes one flow out of the table as the program is loaded: `DELETED_FLOW=boot.tftp node --import …/delete-flow.ts`. */
const deleted = process.env["DELETED_FLOW"] ?? "";

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/src/plan/flows.ts")) {
      return loaded;
    }
    const source = new TextDecoder().decode(loaded.source as Uint8Array);
    const table =
      "export function computeFlows(settings: Settings, server: ServerFacts): Flow[] {\n  return [";
    if (!source.includes(table)) {
      throw new Error("the table of flows is not where this expects it");
    }
    const [before = "", after = ""] = source.split(table);
    const end = after.indexOf("];");
    return {
      ...loaded,
      source: `${before}${table}${after.slice(0, end)}].filter((flow) => flow.id !== ${JSON.stringify(deleted)});${after.slice(end + 2)}`,
    };
  },
});
