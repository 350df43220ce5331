/** Link types this program understands; the whole list is at https://www.tcpdump.org/linktypes.html */
export const linkTypes = { ethernet: 1, raw: 101, linuxCooked: 113, linuxCooked2: 276 } as const;

/** One captured frame, from either file format. */
export type CapturedFrame = {
  /** Microseconds since 1970, the nanoseconds cut off. */
  readonly atUs: bigint;
  readonly linkType: number;
  /** Size on the wire; more than `bytes` holds when the capture was cut. */
  readonly originalBytes: number;
  /** View into the file. */
  readonly bytes: Uint8Array;
};
