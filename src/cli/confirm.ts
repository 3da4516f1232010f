/** Consent to what destroys: `--yes`, or an answer at a terminal. */
import { createInterface } from "node:readline/promises";
import { UsageError } from "../core/errors.ts";
import type { Given, Option } from "./command.ts";

/** The option. */
export const YES: Option = { name: "yes", about: "Do it without asking" };

/** The terminal that is asked at. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Whether somebody consents to `deed`, which says what would be done as in "drop all readings". Throws
 * `UsageError` where nobody can be asked; `again` is the command line that does it, `question` what is asked at a terminal.
 */
export async function confirm(
  given: Given,
  deed: string,
  again: string,
  question = `This would ${deed}. Do it?`,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<boolean> {
  if (given.flags.has("yes")) return true;
  if (input.isTTY !== true || output.isTTY !== true || given.flags.has("json")) {
    throw new UsageError("USAGE", `Nothing was done. To ${deed}: ${again}`);
  }
  const lines = createInterface({ input, output });
  try {
    const answer = await lines.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    // Ctrl-C and Ctrl-D are no consent, and no mistake either.
    if (error instanceof Error && error.name === "AbortError") return false;
    throw error;
  } finally {
    lines.close();
  }
}
