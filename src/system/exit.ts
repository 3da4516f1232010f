/** The last resort of an end that does not come to an end. */

/** Ends the process at once; nothing is closed. */
export function exitNow(code: number): never {
  process.exit(code);
}
