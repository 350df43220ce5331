import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { text } from "../text/text.ts";
import type { RemoteWindow } from "./remote-window.ts";

/** A terminal of one computer. */
export function openTerminal({ place, say, setName, connect }: RemoteWindow): void {
  const terminal = new Terminal({
    convertEol: false,
    cursorBlink: true,
    fontSize: 14,
    theme: { background: "#0b151d", foreground: "#e1e9ee" },
    screenReaderMode: true,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  fit.fit();
  const { cols, rows } = terminal;
  const socket = connect(`terminal?columns=${cols}&rows=${rows}`, {
    connecting: text.terminal.connecting,
    refused: text.terminal.refused,
    onNews: (news) => {
      if (news.type === "opened") {
        setName(news.computerName);
        say(text.terminal.opened(news.computerName, news.isRecorded, news.canType));
        terminal.focus();
      } else if (news.type === "exited") {
        say(text.terminal.exited(news.exitCode));
      }
    },
  });
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== "string") {
      terminal.write(new Uint8Array(data));
    }
  });
  socket.addEventListener("close", () => {
    terminal.options.disableStdin = true;
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
