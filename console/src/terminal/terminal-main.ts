import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import type { RemoteNewsMessage } from "#api/remote-api.ts";
import { readProof } from "../api/proof.ts";
import { text } from "../text/text.ts";
import "./terminal.css";

/**
 * A terminal of one computer, in a page of its own: xterm writes style elements, which no other page of the console may
 * have. Bytes of the computer reach nothing but the terminal.
 */
function openTerminal(computerId: string, proof: string): void {
  const state = document.querySelector("#state");
  const place = document.querySelector<HTMLElement>("#terminal");
  if (state === null || place === null) {
    return;
  }
  const say = (words: string): void => {
    state.textContent = words;
  };
  const terminal = new Terminal({
    convertEol: false,
    cursorBlink: true,
    fontSize: 14,
    screenReaderMode: true,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  fit.fit();
  say(text.terminal.connecting);
  const { cols, rows } = terminal;
  const query = `columns=${cols}&rows=${rows}`;
  const socket = new WebSocket(
    `wss://${location.host}/api/v1/computers/${encodeURIComponent(computerId)}/terminal?${query}`,
    ["portolan.v1", `portolan.proof.${proof}`],
  );
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== "string") {
      terminal.write(new Uint8Array(data));
      return;
    }
    const news = JSON.parse(data) as RemoteNewsMessage;
    if (news.type === "opened") {
      say(text.terminal.opened(computerId, news.isRecorded, news.canType));
      terminal.focus();
    } else if (news.type === "exited") {
      say(text.terminal.exited(news.exitCode));
    } else if (news.type === "closed" || news.type === "error") {
      say(news.reason);
    }
  });
  socket.addEventListener("close", () => {
    terminal.options.disableStdin = true;
    if (state.textContent === text.terminal.connecting) {
      say(text.terminal.refused);
    }
  });
  const encoder = new TextEncoder();
  terminal.onData((typed) => socket.readyState === WebSocket.OPEN && socket.send(encoder.encode(typed)));
  window.addEventListener("resize", () => {
    fit.fit();
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ type: "resize", columns: terminal.cols, rows: terminal.rows }));
    }
  });
}

const proof = readProof();
const computerId = new URLSearchParams(location.search).get("computer");
if (proof === null) {
  location.assign("/login");
} else if (computerId !== null) {
  openTerminal(computerId, proof);
}
