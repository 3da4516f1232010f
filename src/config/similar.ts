/** What a mistyped word was meant to be. */

/** Longer words are not compared: the work grows with the product of both lengths. */
const LONGEST = 64;

/** Single-character insertions, deletions and replacements that turn `a` into `b`. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The nearest of `words`, undefined if none is near enough to be meant; case does not count. */
export function similar(word: string, words: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const tolerated = word.length < 4 ? 1 : word.length < 8 ? 2 : 3;
  const lengthOff = (candidate: string) => Math.abs(candidate.length - word.length);
  const [best] = words
    .map((candidate) => ({
      candidate,
      steps: distance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    // Half of the word must stay, else every short word would be near every other.
    .filter(({ candidate, steps }) => steps <= tolerated && steps * 2 <= candidate.length)
    // Of two that are as near, the one of like length: letters were swapped rather than left out.
    .sort((a, b) => a.steps - b.steps || lengthOff(a.candidate) - lengthOff(b.candidate));
  return best?.candidate;
}
