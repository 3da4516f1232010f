/** A number with its word: `1 gateway`, `2 gateways`. */
export function count(number: number, word: string): string {
  return `${String(number)} ${word}${number === 1 ? "" : "s"}`;
}
