/** What is said when a command fails. */
import { EdgepollError, messageOf } from "../core/errors.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { printable, printableLines } from "./printable.ts";

/** Commands that messages name: they are said in the words this process was called by. */
const NAMED = /\bedgepoll (?=(start|stop|status|check|events|read|config|simulate|validate)\b)/g;

/**
 * What to write to standard error, with the error's code; a stack only for a bug, and only when `debug`
 * asks for it. `called` is the command line as it was given, the program first.
 */
export function failureText(
  error: unknown,
  debug: boolean,
  called: readonly string[] = ["edgepoll"],
): string {
  if (exitCodeOf(error) === EXIT.bug) return bugText(error, debug);
  // The mistakes of a configuration come with their lines, each with its place in front.
  const mistakes = error instanceof EdgepollError && error.code === "CONFIG_INVALID";
  const [program = "edgepoll"] = called;
  const text = printableLines(messageOf(error))
    .replaceAll(NAMED, `${program} `)
    .replaceAll("edgepoll …", called.join(" "));
  const code = error instanceof EdgepollError && error.code !== "USAGE" ? ` (${error.code})` : "";
  return mistakes ? text : `edgepoll: ${text}${code}`;
}

function bugText(error: unknown, debug: boolean): string {
  const stack = error instanceof Error && debug ? error.stack : undefined;
  if (stack !== undefined) return printableLines(stack);
  return (
    `edgepoll: a bug: ${printable(messageOf(error))}. Please report it, with what the same command ` +
    "prints with EDGEPOLL_DEBUG=1 set"
  );
}
