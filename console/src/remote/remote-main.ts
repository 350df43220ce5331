import { readProof } from "../api/proof.ts";
import { text } from "../text/text.ts";
import "./remote.css";
import { readRemoteWindow } from "./remote-window.ts";

/**
 * A computer's terminal or desktop, in a page of its own: what draws them writes style elements, which no other page of
 * the console may have, and is loaded by nobody who does not look at one.
 */
async function main(): Promise<void> {
  const proof = readProof();
  const given = new URLSearchParams(location.search);
  const computerId = given.get("computer");
  if (proof === null) {
    location.assign("/login");
    return;
  }
  const remote = computerId === null ? null : readRemoteWindow(computerId, proof);
  if (remote === null) {
    return;
  }
  if (given.get("show") === "desktop") {
    document.title = `${text.computer.desktop} – Portolan`;
    const { openDesktop } = await import("./desktop-window.ts");
    openDesktop(remote, given.get("view") === "1");
  } else {
    document.title = `${text.computer.terminal} – Portolan`;
    const { openTerminal } = await import("./terminal-window.ts");
    openTerminal(remote);
  }
}

await main();
