/**
 * One option with its whole value: pieces of a long option are already joined (RFC 3396), options found in the
 * `sname` and `file` fields are already merged (option 52), pad (0), end (255) and 52 itself are gone.
 */
export type DhcpOption = { readonly code: number; readonly bytes: Uint8Array };

/** Options in first-seen order; a decoded list holds each code at most once. */
export type DhcpOptions = readonly DhcpOption[];

/** The value of option `code`, or `undefined`. */
export function findOption(options: DhcpOptions, code: number): Uint8Array | undefined {
  return options.find((option) => option.code === code)?.bytes;
}

/** `options` with `added` in place of the option of the same code, or at the end. */
export function setOption(options: DhcpOptions, added: DhcpOption): DhcpOptions {
  if (options.every((option) => option.code !== added.code)) {
    return [...options, added];
  }
  return options.map((option) => (option.code === added.code ? added : option));
}

/** `options` without `code`. */
export function removeOption(options: DhcpOptions, code: number): DhcpOptions {
  return options.filter((option) => option.code !== code);
}
