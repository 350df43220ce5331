import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

/** A PostgreSQL of our own: a new cluster in a temporary folder, reachable through a Unix socket there only. */
export type PostgresFixture = {
  /** URL of a new, empty database. */
  createDatabase(): Promise<string>;
  /** Ends the server as a crash would, without a word to its clients. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const programRoot = "/usr/lib/postgresql";
const startPatienceMs = 120_000;

function findPrograms(): string | null {
  const versions = existsSync(programRoot) ? readdirSync(programRoot).sort() : [];
  const folder = versions.map((version) => join(programRoot, version, "bin")).at(-1);
  return folder !== undefined && existsSync(join(folder, "initdb")) ? folder : null;
}

function postgresId(flag: "-u" | "-g"): number {
  return Number(
    execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );
}

/** PostgreSQL refuses to run as root, so root hands over to its own user. */
function postgresUser(): { uid?: number; gid?: number } | null {
  if (process.getuid?.() !== 0) {
    return {};
  }
  try {
    return { uid: postgresId("-u"), gid: postgresId("-g") };
  } catch {
    return null;
  }
}

/** A new cluster in a folder only its user may enter. */
function createCluster(programs: string, user: { readonly uid?: number; readonly gid?: number }): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-pg-"));
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(folder, user.uid, user.gid);
  }
  chmodSync(folder, 0o700);
  const options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
  execFileSync(join(programs, "initdb"), ["-D", join(folder, "data"), ...options], {
    ...user,
    cwd: folder,
    stdio: "ignore",
  });
  return folder;
}

/** The fixture, or a sentence why this machine cannot have one. */
export async function startPostgres(): Promise<PostgresFixture | string> {
  const programs = findPrograms();
  const user = postgresUser();
  if (programs === null) {
    return `PostgreSQL is not installed: there is no initdb below ${programRoot}`;
  }
  if (user === null) {
    return "PostgreSQL does not run as root, and there is no user postgres to run it as";
  }
  const folder = createCluster(programs, user);
  const urlOf = (name: string): string => `postgres://postgres@/${name}?host=${encodeURIComponent(folder)}`;
  let server: ChildProcess | null = null;

  // Only processes die here, never the machine, so nothing needs fsync.
  async function start(): Promise<void> {
    server = spawn(
      join(programs ?? "", "postgres"),
      ["-D", join(folder, "data"), "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
      {
        ...user,
        cwd: folder,
        stdio: "ignore",
      },
    );
    const endAtMs = performance.now() + startPatienceMs;
    while (performance.now() < endAtMs) {
      if (await canConnect(urlOf("postgres"))) {
        return;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    throw new Error(`PostgreSQL did not answer within ${startPatienceMs} ms`);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = null;
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => {
      ending.once("exit", resolve);
    });
    ending.kill(signal);
    await ended;
  }

  let databaseCount = 0;
  await start();
  return {
    async createDatabase() {
      databaseCount += 1;
      const name = `site${databaseCount}`;
      await withClient(urlOf("postgres"), (client) => client.query(`create database ${name}`));
      return urlOf(name);
    },
    // PostgreSQL's "immediate shutdown": no checkpoint, connections cut, recovery at the next start.
    kill: () => end("SIGQUIT"),
    restart: start,
    async stop() {
      await end("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function canConnect(url: string): Promise<boolean> {
  try {
    await withClient(url, (client) => client.query("select 1"));
    return true;
  } catch {
    return false;
  }
}
