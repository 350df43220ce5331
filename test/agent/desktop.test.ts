import assert from "node:assert/strict";
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { createFolder, until } from "./agent-site.ts";
import { prepareRemoteSite, remotePorts } from "./remote-site.ts";
import { RfbViewer } from "./rfb-viewer.ts";
import { VirtualDisplay } from "./virtual-display.ts";

const skip = networkTestObstacle("ip") ?? desktopObstacle() ?? false;

function desktopObstacle(): string | null {
  return networkTestObstacle("Xvfb", "xauth", "x11vnc", "xmessage", "xdotool", "xsetroot");
}

type Session = { readonly id: string; readonly kind: string; readonly port: number };

async function startDisplay(t: TestContext): Promise<VirtualDisplay> {
  const folder = join(createFolder(t), "display");
  mkdirSync(folder);
  return VirtualDisplay.start(t, folder);
}

/** The local port that the command line has opened for viewers. */
async function viewerPort(desktop: HostProcess): Promise<number> {
  const output = await desktop.waitFor("Ctrl-C ends it", 60_000);
  return Number(/vnc:\/\/127\.0\.0\.1:([0-9]+)/.exec(output)?.[1]);
}

test(
  "desktop: two viewers see and one moves it, on ports of their own which the plan shows while they are open",
  { skip, timeout: 300_000 },
  async (t) => {
    const display = await startDisplay(t);
    const { site, id } = await prepareRemoteSite(t, { agent: { remoteDisplay: display.name } });
    display.run("xsetroot", "-solid", "#12ab56");
    const port = await viewerPort(site.startTyping("computer", "desktop", id));
    assert.deepEqual(remotePorts(site), []);
    const viewer = new RfbViewer(site.hosts, "server", port);
    assert.equal(await viewer.pixel(600, 400), "12ab56");
    const looking = site.startTyping("computer", "desktop", id, "--view", "on");
    const onlooker = new RfbViewer(site.hosts, "server", await viewerPort(looking));
    assert.equal(await onlooker.pixel(600, 400), "12ab56");
    await looking.waitFor("looking on only");
    const sessions = site.portolan("computer", "sessions") as Session[];
    assert.deepEqual(
      sessions.map(({ kind }) => kind),
      ["desktop", "desktop"],
    );
    const open = new Set(remotePorts(site));
    assert.equal(open.size, 2);
    assert.ok(sessions.every((session) => open.has(session.port)));
    onlooker.movePointer(11, 12);
    // What it sends is in order: when the picture has come, the pointer has been thrown away.
    await onlooker.pixel(600, 400);
    assert.notEqual(display.pointer(), "11,12");
    viewer.movePointer(123, 234);
    await until(() => display.pointer() === "123,234");
    display.run("xsetroot", "-solid", "#654321");
    await until(async () => (await viewer.pixel(600, 400)) === "654321");
    await until(async () => (await onlooker.pixel(600, 400)) === "654321");
    viewer.child.kill("SIGKILL");
    site.portolan("computer", "end-session", sessions.at(-1)?.id ?? "");
    await until(() => (site.portolan("computer", "sessions") as Session[]).length === 0);
    await until(() => remotePorts(site).length === 0);
  },
);

test(
  "desktop: inside the control port, after the user allowed it, until the user ends it",
  { skip, timeout: 300_000 },
  async (t) => {
    const display = await startDisplay(t);
    const { site, id } = await prepareRemoteSite(t, {
      settings: [["remote.port", "402"]],
      agent: { remoteDisplay: display.name, remoteControl: "ask", remoteNotice: true },
    });
    display.run("xsetroot", "-solid", "#000077");
    const desktop = site.startTyping("computer", "desktop", id);
    const viewer = new RfbViewer(site.hosts, "server", await viewerPort(desktop));
    display.pressFirstButton();
    assert.equal(await viewer.pixel(600, 400), "000077");
    const [session] = site.portolan("computer", "sessions") as Session[];
    assert.equal(session?.port, 402);
    assert.deepEqual(remotePorts(site), []);
    display.pressFirstButton();
    await viewer.awaitEnd();
    await desktop.waitFor("the computer has ended the connection");
    await until(() => (site.portolan("computer", "sessions") as Session[]).length === 0);
  },
);

test("desktop: without a display it is refused, with the reason", { skip, timeout: 300_000 }, async (t) => {
  const { site, id } = await prepareRemoteSite(t, { agent: { remoteDisplay: ":9876" } });
  const desktop = site.startTyping("computer", "desktop", id);
  const viewer = new RfbViewer(site.hosts, "server", await viewerPort(desktop));
  await viewer.awaitEnd();
  await desktop.waitFor("nobody uses an X11 display on this computer");
});
