/** What the caller of the API did or asked for cannot be. Routes throw it; `status` is the HTTP status. */
export class ApiError extends Error {
  readonly status: 400 | 401 | 403 | 404 | 409 | 422 | 429 | 502 | 503;
  readonly code: string;
  /** When it is worth another try; `null`: not by waiting. */
  readonly retryAfterMs: number | null;

  constructor(status: ApiError["status"], code: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
