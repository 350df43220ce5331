import type { FlowPorts } from "../flow.ts";

/** Both ends included. */
export type PortSpan = { readonly from: number; readonly to: number };

/** Neighbouring ports joined: `401, 402, 500` is `401-402` and `500`. */
export function portSpans(ports: FlowPorts): PortSpan[] {
  if ("from" in ports) {
    return [ports];
  }
  const spans: { from: number; to: number }[] = [];
  for (const port of ports.toSorted((left, right) => left - right)) {
    const last = spans.at(-1);
    if (last !== undefined && port === last.to + 1) {
      last.to = port;
    } else {
      spans.push({ from: port, to: port });
    }
  }
  return spans;
}

/** `spans` with holes where `closed` is. */
export function withoutPorts(spans: readonly PortSpan[], closed: readonly PortSpan[]): PortSpan[] {
  return closed.reduce<PortSpan[]>(
    (open, hole) =>
      open.flatMap((span) =>
        hole.to < span.from || hole.from > span.to
          ? [span]
          : [
              { from: span.from, to: hole.from - 1 },
              { from: hole.to + 1, to: span.to },
            ].filter(({ from, to }) => from <= to),
      ),
    [...spans],
  );
}

/** `69`, or `1025-65535` with the device's own separator. */
export function spanText({ from, to }: PortSpan, separator = "-"): string {
  return from === to ? String(from) : `${from}${separator}${to}`;
}
