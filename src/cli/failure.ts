/** What is said when a command fails. */
import { EdgepollError, messageOf } from "../core/errors.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { printable, printableLines } from "./printable.ts";

/** What to write to standard error; a stack only for a bug, and only when `debug` asks for it. */
export function failureText(error: unknown, debug: boolean): string {
  if (exitCodeOf(error) === EXIT.bug) return bugText(error, debug);
  // The mistakes of a configuration come with their lines, each with its place in front.
  const mistakes = error instanceof EdgepollError && error.code === "CONFIG_INVALID";
  const text = printableLines(messageOf(error));
  return mistakes ? text : `edgepoll: ${text}`;
}

function bugText(error: unknown, debug: boolean): string {
  const stack = error instanceof Error && debug ? error.stack : undefined;
  if (stack !== undefined) return printableLines(stack);
  return (
    `edgepoll: a bug: ${printable(messageOf(error))}. Please report it, with what the same command ` +
    "prints with EDGEPOLL_DEBUG=1 set"
  );
}
