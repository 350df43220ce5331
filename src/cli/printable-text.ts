/**
 * Text from a machine, made safe for a terminal: control characters, bidirectional overrides and line breaks are
 * shown as escapes, so that a computer's name cannot move the cursor or hide what follows.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
