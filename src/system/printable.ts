/** Makes text from outside safe to show. */

/** C0 and C1 control characters, DEL, line separators and the marks that turn the direction of text. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** The text with each character that could move a cursor or hide text written as `\uXXXX`. */
export function printable(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
