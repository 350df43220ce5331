import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const skip = networkTestObstacle("ip", "cpio", "curl") ?? false;
const secret = "correct-horse-battery";

const answers = `d-i netcfg/get_hostname string {{name}} {{hostName}}
d-i netcfg/get_domain string {{domain}}
d-i passwd/root-password password ${secret}
d-i mirror/http/hostname string {{server}} {{keyFingerprint}} {{mac}} {{address}}
d-i preseed/late_command string in-target sh -c '{{agentInstall}}'
`;

type Installer = {
  readonly kernelVersion: string | null;
  readonly isSigned: boolean;
  readonly sizeBytes: number;
};
type Listed = {
  readonly id: string;
  readonly state: string;
  readonly name: string;
  readonly macs: readonly string[];
};

/** The beginning of a kernel, and noise. */
function fakeKernel(): Buffer {
  const kernel = randomBytes(300_001);
  kernel.fill(0, 0, 0x400);
  kernel.write("HdrS", 0x202);
  kernel.writeUInt16LE(0x100, 0x20e);
  kernel.write("6.1.0-fake (nobody)\0", 0x300);
  return kernel;
}

class InstallerSite extends JobSite {
  readonly initrd = randomBytes(200_003);
  #server: HostProcess | null = null;

  async begin(): Promise<void> {
    copyFileSync("test/job/fake-kexec.sh", join(this.folder, "bin/kexec"));
    chmodSync(join(this.folder, "bin/kexec"), 0o755);
    this.#server = await this.startServer();
    writeFileSync(join(this.folder, "linux"), fakeKernel());
    writeFileSync(join(this.folder, "initrd.gz"), this.initrd);
    this.portolan(
      ...["installer", "add", "fake", "--kernel", join(this.folder, "linux")],
      ...["--initrd", join(this.folder, "initrd.gz"), "--command-line", "auto=true"],
    );
    writeFileSync(join(this.folder, "stand-in"), `#!/bin/sh\necho "$@" >> ${this.folder}/installed\n`);
    this.portolan("computer", "pull-command", "--agent", join(this.folder, "stand-in"));
  }

  async killServer(): Promise<void> {
    this.#server?.child.kill("SIGKILL");
    this.#server = await this.startServer();
  }

  /** The agent as preboot runs it, let in. */
  async startPreboot(): Promise<HostProcess> {
    const { siteKeyFingerprint } = this.portolan("status") as { readonly siteKeyFingerprint: string };
    const agent = this.#startOnBoard("preboot", [
      ...["--environment", "preboot", "--server", "10.8.0.1", "--site-key", siteKeyFingerprint],
    ]);
    await agent.waitFor("waiting for approval", 60_000);
    this.portolan("computer", "approve", this.only().id);
    await agent.waitFor("connected as", 60_000);
    return agent;
  }

  /** The agent as an installed system runs it, with a key of its own. */
  startInstalled(name: string): HostProcess {
    this.writeSettings("pc1", { server: "10.8.0.1", stateDir: join(this.folder, name) });
    return this.#startOnBoard(name, ["--config", this.settingsPath("pc1")]);
  }

  #startOnBoard(name: string, args: readonly string[]): HostProcess {
    const board = [join(this.folder, `board-${name}`), "5f0d1c2b-0000-4000-8000-000000000001", "S1"];
    const agent = [process.execPath, "src/agent/main.ts", "run", ...args];
    return this.hosts.start("pc1", "/bin/sh", ["test/job/fake-board.sh", ...board, ...agent], {
      PATH: `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`,
    });
  }

  only(): Listed {
    const [computer] = this.portolan("computer", "list") as Listed[];
    assert.ok(computer);
    return computer;
  }

  createJob(...more: readonly string[]): ListedJob {
    writeFileSync(join(this.folder, "preseed.cfg"), answers);
    const path = this.write(
      "install.yaml",
      [
        `name: install`,
        `computers: [${this.only().id}]`,
        "tasks:",
        "  - kind: deploy-installer",
        "    installer: fake",
        "    answersFile: preseed.cfg",
        "    commandLine: hostname={{name}}",
        "    domain: example.org",
        ...more,
        "",
      ].join("\n"),
    );
    return this.portolan("job", "create", path) as ListedJob;
  }

  async untilState(id: string, state: string): Promise<ListedJob> {
    for (const deadlineMs = performance.now() + 120_000; performance.now() < deadlineMs;) {
      const job = this.portolan("job", "show", id) as ListedJob;
      if (job.runs[0]?.state === state) {
        return job;
      }
      await sleep(300);
    }
    throw new Error(`the run does not become ${state}: ${JSON.stringify(this.portolan("job", "show", id))}`);
  }

  /** The calls of kexec, once there are so many: the agent says what it is about to do. */
  async untilCalled(count: number): Promise<readonly string[]> {
    const list = (): string[] => this.read("kexec.log").trim().split("\n");
    for (const deadlineMs = performance.now() + 120_000; performance.now() < deadlineMs;) {
      if (list().length >= count) {
        break;
      }
      await sleep(100);
    }
    assert.equal(list().length, count, list().join("\n"));
    return list();
  }

  /** What the archive behind the initrd holds, as cpio reads it. */
  extractAnswers(): string {
    const loaded = readFileSync(join(this.folder, "loaded-initrd"));
    const { byteLength } = this.initrd;
    assert.deepEqual(loaded.subarray(0, byteLength), this.initrd, "the initrd is as it was");
    const archive = loaded.subarray(Math.ceil(byteLength / 4) * 4);
    return execFileSync("cpio", ["-i", "--quiet", "--to-stdout", "preseed.cfg"], {
      input: archive,
      encoding: "utf8",
    });
  }
}

async function prepare(t: TestContext): Promise<InstallerSite> {
  const site = new InstallerSite(t, ["pc1"]);
  await site.begin();
  return site;
}

test(
  "deploy-installer (fake kexec and board): answers of this computer behind the initrd, a killed server, and the new agent comes in by itself",
  { skip, timeout: 300_000 },
  async (t) => {
    const site = await prepare(t);
    const [added] = site.portolan("installer", "list") as Installer[];
    assert.equal(added?.kernelVersion, "6.1.0-fake");
    const agent = await site.startPreboot();
    const { id } = site.createJob();
    await site.untilState(id, "installing");
    await agent.waitFor("starting the installer", 60_000);
    const calls = await site.untilCalled(2);
    const { name, macs } = site.only();
    assert.match(
      calls[0] ?? "",
      new RegExp(`^--kexec-file-syscall --load .*--command-line=auto=true hostname=${name}$`),
    );
    assert.equal(calls[1], "--exec");
    const { siteKeyFingerprint } = site.portolan("status") as { readonly siteKeyFingerprint: string };
    const text = site.extractAnswers();
    assert.match(
      text,
      new RegExp(`get_hostname string ${name} ${name.toLowerCase()}\n.*get_domain string example.org\n`),
    );
    assert.match(text, new RegExp(`string 10\\.8\\.0\\.1 ${siteKeyFingerprint} ${macs[0]} 10\\.8\\.0\\.2\n`));
    assert.match(
      text,
      /sh -c 'f=\$\(mktemp\) && curl [^']*https:\/\/10\.8\.0\.1:8443\/agent\/install\.sh [^']*'\n$/,
    );

    for (const told of [["job", "show", id], ["audit"], ["job", "list"], ["job", "history", name]]) {
      assert.ok(!JSON.stringify(site.portolan(...told)).includes(secret), told.join(" "));
    }
    await site.killServer();
    const [, last = ""] = /in-target (sh -c '.*')\n$/.exec(text) ?? [];
    site.hosts.run("pc1", "sh", ["-c", last]);
    assert.equal(
      site.read("installed"),
      `install --site-key=${siteKeyFingerprint} --server=10.8.0.1\n`,
      "the last command of the answers fetches the agent and installs it",
    );
    const first = site.startInstalled("new-system");
    await first.waitFor("connected as", 60_000);
    const done = await site.waitForJob(id, 180_000);
    assert.equal(done.state, "done", JSON.stringify(done));
    assert.equal(site.read("kexec.log").trim().split("\n").length, 2, "nothing was started twice");
    first.child.kill("SIGKILL");
    const second = site.startInstalled("somebody-else");
    await second.waitFor("waiting for approval", 60_000);
  },
);

test(
  "deploy-installer (fake kexec and board): a kernel without the newer call is loaded the older way; one that does not start says why",
  { skip, timeout: 300_000 },
  async (t) => {
    const site = await prepare(t);
    writeFileSync(join(site.folder, "refuses-files"), "");
    writeFileSync(join(site.folder, "refuses-exec"), "");
    await site.startPreboot();
    const { id } = site.createJob();
    const failed = await site.waitForJob(id, 180_000);
    assert.match(
      failed.runs[0]?.reason ?? "",
      /kexec did not enter the installer: exit code 1: Nothing has been loaded!/,
    );
    const calls = site.read("kexec.log").trim().split("\n");
    assert.deepEqual(
      calls.map((call) => call.split(" ")[0]),
      ["--kexec-file-syscall", "--load", "--exec"],
    );
    // Still in preboot, and connected: the same computer gets the job again.
    rmSync(join(site.folder, "refuses-exec"));
    await sleep(3000);
    site.portolan("job", "assign", id, site.only().id);
    await site.untilState(id, "installing");
  },
);

test(
  "deploy-installer (fake kexec and board): what cannot be is refused before anything begins",
  { skip, timeout: 300_000 },
  async (t) => {
    const site = await prepare(t);
    await site.startPreboot();
    const create = (line: string): unknown => {
      const path = site.write("bad.yaml", `name: bad\ntasks: [{kind: deploy-installer, ${line}}]\n`);
      return site.portolan("job", "create", path);
    };
    assert.throws(() => create("installer: none"), /there is no installer none/);
    assert.throws(
      () => create("installer: fake, answers: '{{hostname}}'"),
      /\{\{hostname\}\} is no variable/,
    );
    assert.throws(() => create("installer: fake, answers: '{{domain}}'"), /say it with domain/);
    assert.throws(() => create("installer: fake, answersName: ../etc/passwd"), /is a file name/);
    const noKernel = ["--kernel", join(site.folder, "initrd.gz"), "--initrd", join(site.folder, "initrd.gz")];
    const adding = site.startPortolan("installer", "add", "x", ...noKernel);
    await adding.waitFor("is no Linux kernel for x86", 30_000);
    assert.throws(() => site.portolan("installer", "show", "x"), /there is no installer x/);
  },
);
