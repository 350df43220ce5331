/** What we use of noVNC, which brings no types of its own. */
declare module "@novnc/novnc" {
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: object, options?: { readonly shared?: boolean });
    viewOnly: boolean;
    scaleViewport: boolean;
    /** CSS colour around a screen of another shape. */
    background: string;
    focus(): void;
    disconnect(): void;
  }
}
