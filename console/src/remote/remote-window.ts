import type { RemoteNewsMessage } from "#api/remote-api.ts";

/** What a window of one computer is made with: its place in the page, its words, and the right to open it. */
export type RemoteWindow = {
  readonly place: HTMLElement;
  /** Says above it how things are. */
  readonly say: (words: string) => void;
  /** Puts the computer's name before the page's title, by which browsers list their windows. */
  readonly setName: (computerName: string) => void;
  /**
   * Connects to the computer. Says why it was closed; before any news has come, the server refused and `refused` is said.
   */
  readonly connect: (path: string, given: ConnectOptions) => WebSocket;
};

type ConnectOptions = {
  readonly connecting: string;
  readonly refused: string;
  /** The session is open, or its shell has ended; the rest is said by the window. */
  readonly onNews: (news: RemoteNewsMessage) => void;
};

/** The window of this page's address. Bytes of the computer reach nothing but what draws them in `place`. */
export function readRemoteWindow(computerId: string, proof: string): RemoteWindow | null {
  const state = document.querySelector("#state");
  const place = document.querySelector<HTMLElement>("#remote");
  if (state === null || place === null) {
    return null;
  }
  const say = (words: string): void => {
    state.textContent = words;
  };
  const setName = (computerName: string): void => {
    document.title = `${computerName} – ${document.title}`;
  };
  const connect = (path: string, { connecting, refused, onNews }: ConnectOptions): WebSocket => {
    let hasNews = false;
    let hasFailed = false;
    say(connecting);
    const socket = new WebSocket(
      `wss://${location.host}/api/v1/computers/${encodeURIComponent(computerId)}/${path}`,
      ["portolan.v1", `portolan.proof.${proof}`],
    );
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== "string") {
        return;
      }
      hasNews = true;
      const news = JSON.parse(data) as RemoteNewsMessage;
      if (news.type === "error") {
        hasFailed = true;
        say(news.reason);
      } else if (news.type === "closed") {
        // That it has ended follows from why, and does not replace it.
        if (!hasFailed) {
          say(news.reason);
        }
      } else {
        onNews(news);
      }
    });
    socket.addEventListener("close", () => {
      if (!hasNews) {
        say(refused);
      }
    });
    return socket;
  };
  return { place, say, setName, connect };
}
