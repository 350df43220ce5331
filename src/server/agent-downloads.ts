import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";

/** Systems as uname(1) names them, and the agents that `computer build-agent` makes for them. */
const systems = {
  "Linux x86_64": "linux-x64",
  "Linux aarch64": "linux-arm64",
  "Darwin arm64": "darwin-arm64",
} as const;
const targets = Object.values(systems);

export type AgentDownloadsOptions = {
  /** Where the built agents are. */
  readonly folder: string;
  readonly siteKeyFingerprint: string;
  /** The site's certificate: the script trusts nothing else. */
  readonly certificatePem: string;
};

type BuiltAgent = { readonly target: string; readonly sha256: string };

function pathOf(folder: string, target: string): string {
  return join(folder, `portolan-agent-${target}`);
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(part as Buffer);
  }
  return hash.digest("hex");
}

/**
 * A script that fetches the agent of its computer's system, checks it and installs it. It holds the site's certificate, its
 * key's fingerprint and the hash of every agent: who has checked the script's own hash has checked everything.
 */
function describeInstallScript(
  agents: readonly BuiltAgent[],
  site: Pick<AgentDownloadsOptions, "siteKeyFingerprint" | "certificatePem">,
): string {
  const cases = Object.entries(systems).flatMap(([system, target]) => {
    const agent = agents.find((candidate) => candidate.target === target);
    return agent === undefined ? [] : [`"${system}") target=${target} hash=${agent.sha256} ;;`];
  });
  return `#!/bin/sh
# Installs the Portolan agent, and goes: install.sh https://SERVER:PORT [TOKEN]
set -eu
url=\${1:?the address of the server is missing}
token=\${2:-}
[ "$(id -u)" = 0 ] || { echo "portolan: run this as root" >&2; exit 1; }
case "$(uname -sm)" in
${cases.join("\n")}
*) echo "portolan: the server has no agent for $(uname -sm); portolan computer pull-command builds one" >&2; exit 1 ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder" "$0"' EXIT
cat > "$folder/site.pem" <<'END'
${site.certificatePem.trim()}
END
curl -fsS --cacert "$folder/site.pem" -o "$folder/portolan-agent" "$url/agent/$target"
if command -v sha256sum > /dev/null; then
  echo "$hash  $folder/portolan-agent" | sha256sum -c - > /dev/null
else
  echo "$hash  $folder/portolan-agent" | shasum -a 256 -c - > /dev/null
fi
chmod 700 "$folder/portolan-agent"
host=\${url#https://}
printf '%s\\n' "$token" |
  "$folder/portolan-agent" install --site-key=${site.siteKeyFingerprint} --server="\${host%%:*}" \${token:+--token=-}
`;
}

/** What a computer without an agent may fetch: a script and the programs that it names. Neither holds a secret. */
export class AgentDownloads {
  readonly #options: AgentDownloadsOptions;
  /** Hashes of the agents, each file read again when it has changed. BOUNDED by the targets. */
  readonly #known = new Map<string, { readonly stamp: string; readonly sha256: string }>();

  constructor(options: AgentDownloadsOptions) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** Whether there is an agent for at least one system. */
  async isBuilt(): Promise<boolean> {
    const found = await Promise.all(targets.map((target) => this.#read(target)));
    return found.some((agent) => agent !== null);
  }

  async script(): Promise<string> {
    const found = await Promise.all(targets.map((target) => this.#read(target)));
    return describeInstallScript(
      found.filter((agent) => agent !== null),
      this.#options,
    );
  }

  /** Routes that need no account. */
  addTo(app: FastifyInstance): void {
    const open = { config: { access: "public" } } as const;
    app.get("/agent/install.sh", open, async (_request, reply) =>
      reply
        .type("text/x-shellscript; charset=utf-8")
        .header("cache-control", "no-store")
        .send(await this.script()),
    );
    for (const target of targets) {
      app.get(`/agent/${target}`, open, (_request, reply) => this.#send(reply, target));
    }
  }

  async #send(reply: FastifyReply, target: string): Promise<FastifyReply> {
    const path = pathOf(this.folder, target);
    const facts = await stat(path).catch(() => null);
    return facts === null
      ? reply.status(404).type("text/plain; charset=utf-8").send(`no agent was built for ${target}\n`)
      : reply
          .type("application/octet-stream")
          .header("cache-control", "no-store")
          .header("content-length", facts.size)
          .send(createReadStream(path, { highWaterMark: 1 << 20 }));
  }

  async #read(target: string): Promise<BuiltAgent | null> {
    const path = pathOf(this.folder, target);
    const facts = await stat(path).catch(() => null);
    if (facts === null || !facts.isFile()) {
      return null;
    }
    const stamp = `${facts.mtimeMs} ${facts.size}`;
    const known = this.#known.get(target);
    const sha256 = known?.stamp === stamp ? known.sha256 : await hashFile(path);
    this.#known.set(target, { stamp, sha256 });
    return { target, sha256 };
  }
}
