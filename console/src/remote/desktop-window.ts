import RFB from "@novnc/novnc";
import { text } from "../text/text.ts";
import type { RemoteWindow } from "./remote-window.ts";
import { RfbChannel } from "./rfb-channel.ts";

/** The desktop of one computer. */
export function openDesktop({ place, say, setName, connect }: RemoteWindow, isViewOnly: boolean): void {
  const show = (computerName: string, canType: boolean): void => {
    const desktop = new RFB(place, new RfbChannel(socket), { shared: true });
    desktop.viewOnly = !canType;
    desktop.scaleViewport = true;
    desktop.background = "#0b151d";
    desktop.addEventListener("connect", () => say(text.desktop.opened(computerName, canType)));
    desktop.focus();
  };
  const socket = connect(isViewOnly ? "desktop?view=1" : "desktop", {
    connecting: text.desktop.connecting,
    refused: text.desktop.refused,
    onNews: (news) => {
      if (news.type === "opened") {
        setName(news.computerName);
        show(news.computerName, news.canType);
      }
    },
  });
}
