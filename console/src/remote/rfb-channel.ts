/**
 * The binary messages of a WebSocket, as the channel that noVNC expects: text messages on it are ours. It stands when noVNC
 * gets it, so nothing is told of its opening.
 */
export class RfbChannel {
  readonly #socket: WebSocket;
  binaryType = "arraybuffer";
  readonly protocol = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageEvent<ArrayBuffer>) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data !== "string") {
        this.onmessage?.(event as MessageEvent<ArrayBuffer>);
      }
    });
    socket.addEventListener("close", (event) => this.onclose?.(event));
    socket.addEventListener("error", (event) => this.onerror?.(event));
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes);
  }

  close(): void {
    this.#socket.close();
  }
}
