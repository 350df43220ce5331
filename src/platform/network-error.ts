export type NetworkErrorCode =
  | "port-in-use"
  | "no-privilege"
  | "no-such-interface"
  | "address-not-available"
  | "not-supported"
  /** A send the socket's grant does not cover. */
  | "not-granted"
  | "send-queue-full"
  | "system-call-failed";

/** The operating system refused a socket. The message names the socket and the way out. */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode;

  constructor(code: NetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NetworkError";
    this.code = code;
  }
}
