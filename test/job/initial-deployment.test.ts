import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openTerminal, type Terminal } from "#platform/linux/terminal.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const skip = networkTestObstacle("ip", "setsid", "setpriv") ?? false;

type Shown = {
  readonly problems: readonly string[];
  readonly computers: readonly { readonly state: string }[];
};

/** The agent as preboot runs it, on a terminal of its own: keys go in, the screen comes out. */
class PrebootAgent {
  readonly #terminal: Terminal;
  #screen = "";
  #hasEnded = false;

  constructor(t: TestContext, [program = "", ...args]: readonly string[]) {
    const env = { PATH: process.env["PATH"] ?? "" };
    this.#terminal = openTerminal(
      // The shell tells its number, which the agent takes over.
      {
        ...{ program: "/bin/sh", args: ["-c", 'echo "process $$"; exec "$@"', "sh", program, ...args] },
        ...{ cwd: process.cwd(), env, size: { columns: 80, rows: 25 } },
      },
      {
        output: (bytes) => {
          this.#screen += Buffer.from(bytes).toString("utf8");
        },
        end: () => {
          this.#hasEnded = true;
        },
      },
    );
    t.after(() => this.end());
  }

  screen(): string {
    return this.#screen;
  }

  press(keys: string): void {
    this.#terminal.write(Buffer.from(keys));
  }

  async waitFor(text: string, timeoutMs = 180_000): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!this.#screen.includes(text)) {
      assert.ok(!this.#hasEnded, `it ended before "${text}":\n${this.#screen}`);
      assert.ok(performance.now() < deadlineMs, `"${text}" did not appear:\n${this.#screen}`);
      await sleep(100);
    }
  }

  /** As a power cut does. */
  async end(): Promise<void> {
    const processId = Number(/process ([0-9]+)/.exec(this.#screen)?.[1]);
    if (!this.#hasEnded && processId > 1) {
      process.kill(processId, "SIGKILL");
    }
    while (!this.#hasEnded) {
      await sleep(20);
    }
  }
}

class PrebootSite extends JobSite {
  startPreboot(t: TestContext, host: string): PrebootAgent {
    const { siteKeyFingerprint } = this.portolan("status") as { readonly siteKeyFingerprint: string };
    return new PrebootAgent(t, [
      ...["ip", "netns", "exec", this.hosts.namespace(host), "setpriv", "--pdeathsig", "KILL"],
      ...[process.execPath, "--disable-warning=ExperimentalWarning", "src/agent/main.ts", "run"],
      ...["--environment", "preboot", "--server", "10.8.0.1", "--site-key", siteKeyFingerprint],
    ]);
  }

  /** A restarted preboot has a new key, so it is let in each time. */
  async letIn(agent: PrebootAgent): Promise<void> {
    await agent.waitFor("waiting for approval");
    const computers = this.portolan("computer", "list") as { readonly id: string }[];
    this.portolan("computer", "approve", ...computers.map(({ id }) => id));
    await agent.waitFor("connected as");
  }

  createTouch(name: string): string {
    const text = [
      `name: ${name}`,
      "tasks:",
      "  - kind: run-script",
      "    environment: preboot",
      `    script: echo done >> ${this.folder}/${name}`,
      "",
    ].join("\n");
    return (this.portolan("job", "create", this.write(`${name}.yaml`, text)) as ListedJob).id;
  }

  set(...flags: readonly string[]): Shown {
    return this.portolan("initial-deployment", "set", ...flags) as Shown;
  }
}

test(
  "Initial Deployment: a key chooses a job, time chooses the default, a known computer is asked again",
  { skip, timeout: 900_000 },
  async (t) => {
    const site = new PrebootSite(t, ["pc1", "pc2"]);
    await site.startServer();
    const chosen = site.createTouch("chosen");
    const taken = site.createTouch("taken");
    const shown = site.set(
      "--action",
      "menu",
      "--jobs",
      "taken,chosen",
      "--default",
      "taken",
      "--timeout",
      "0s",
    );
    assert.deepEqual(shown.problems, []);

    const pc1 = site.startPreboot(t, "pc1");
    await pc1.waitFor("waiting for approval");
    assert.doesNotMatch(pc1.screen(), /What shall/, "nothing is offered to who is not let in");
    await site.letIn(pc1);
    await pc1.waitFor("It waits for you.");
    assert.match(pc1.screen(), /> 1 {2}taken/);
    const shownNow = site.portolan("initial-deployment", "show") as Shown;
    assert.deepEqual(
      shownNow.computers.map(({ state }) => state),
      ["menu"],
    );
    pc1.press("\u001b[B\r");
    await pc1.waitFor("It does the job chosen.");
    const done = await site.waitForJob(chosen, 180_000);
    assert.equal(done.state, "done");
    assert.equal(site.read("chosen"), "done\n");
    const id = site.idOf("10.8.0.2");
    const events = JSON.stringify(site.portolan("computer", "history", id));
    assert.match(events, /does the job chosen \(chosen at the computer\)/);

    site.set("--timeout", "2s");
    const pc2 = site.startPreboot(t, "pc2");
    await site.letIn(pc2);
    await pc2.waitFor("nobody chose, so it takes: taken");
    assert.equal((await site.waitForJob(taken, 180_000)).state, "done");
    assert.equal(site.read("taken"), "done\n");

    // pc1 has a history by now: it gets nothing when it comes again, unless somebody asks.
    site.set("--action", "job", "--default", "chosen");
    await pc1.end();
    const again = site.startPreboot(t, "pc1");
    await site.letIn(again);
    assert.equal(site.read("chosen"), "done\n");
    await again.end();
    site.portolan("initial-deployment", "ask", id);
    const third = site.startPreboot(t, "pc1");
    await site.letIn(third);
    await third.waitFor("It does the job chosen.");
    assert.equal((await site.waitForJob(chosen, 180_000)).state, "done");
    assert.equal(site.read("chosen"), "done\ndone\n", "once more, and no more");
  },
);
