/** A command line again, with what was wrong put right. */
import { shellWord } from "../core/shell.ts";
import type { Given } from "./command.ts";

/** The command with another first argument, and all else as it was given. */
export function sameLine(
  words: readonly string[],
  { more, flags, values }: Given,
  argument: string,
): string {
  const options = [...values].flatMap(([name, all]) =>
    all.map((value) => `--${name} ${shellWord(value)}`),
  );
  const rest = [argument, ...more].map(shellWord);
  return [...words, ...rest, ...options, ...[...flags].map((name) => `--${name}`)].join(" ");
}
