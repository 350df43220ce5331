import RFB from "@novnc/novnc";
import type { RemoteNewsMessage } from "#api/remote-api.ts";
import { readProof } from "../api/proof.ts";
import { text } from "../text/text.ts";
import "./desktop.css";
import { RfbChannel } from "./rfb-channel.ts";

/** The desktop of one computer, in a page of its own: what draws it is loaded by nobody who does not look at one. */
function openDesktop(computerId: string, proof: string, isViewOnly: boolean): void {
  const state = document.querySelector("#state");
  const place = document.querySelector<HTMLElement>("#desktop");
  if (state === null || place === null) {
    return;
  }
  const say = (words: string): void => {
    state.textContent = words;
  };
  say(text.desktop.connecting);
  const query = isViewOnly ? "?view=1" : "";
  const socket = new WebSocket(
    `wss://${location.host}/api/v1/computers/${encodeURIComponent(computerId)}/desktop${query}`,
    ["portolan.v1", `portolan.proof.${proof}`],
  );
  socket.binaryType = "arraybuffer";
  const show = (canType: boolean): void => {
    const desktop = new RFB(place, new RfbChannel(socket), { shared: true });
    desktop.viewOnly = !canType;
    desktop.scaleViewport = true;
    desktop.addEventListener("connect", () => say(text.desktop.opened(computerId, canType)));
    desktop.focus();
  };
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== "string") {
      return;
    }
    const news = JSON.parse(data) as RemoteNewsMessage;
    if (news.type === "opened") {
      show(news.canType);
    } else if (news.type === "closed" || news.type === "error") {
      say(news.reason);
    }
  });
  socket.addEventListener("close", () => {
    if (state.textContent === text.desktop.connecting) {
      say(text.desktop.refused);
    }
  });
}

const proof = readProof();
const given = new URLSearchParams(location.search);
const computerId = given.get("computer");
if (proof === null) {
  location.assign("/login");
} else if (computerId !== null) {
  openDesktop(computerId, proof, given.get("view") === "1");
}
