/** Levenshtein distance, for suggesting the nearest valid word. Inputs are short: keys and command names. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** Candidates near enough to what was typed to be meant, the nearest first. */
export function nearestWords(typed: string, candidates: readonly string[]): string[] {
  const distanceMax = Math.max(2, Math.ceil(typed.length / 3));
  return candidates
    .map((word) => ({ word, distance: editDistance(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ distance }) => distance <= distanceMax)
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ word }) => word);
}

/** The candidate nearest to what was typed, or `null` when none is near enough to be meant. */
export function nearestWord(typed: string, candidates: readonly string[]): string | null {
  return nearestWords(typed, candidates)[0] ?? null;
}
