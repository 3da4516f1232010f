/** What is said when a command fails. */
import { Refused } from "../core/command.ts";
import { EdgepollError, messageOf } from "../core/errors.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { printable, printableLines } from "./printable.ts";

/** Commands that messages name: they are said in the words this process was called by. */
const NAMED =
  /(?<!\bnode )\bedgepoll (?=(start|stop|enable|status|check|events|read|write|scan|config|simulate|validate|audit|spool|reset|backup|restore)\b)/g;

/**
 * What to write to standard error, with the error's code; a stack only for a bug, and only when `debug`
 * asks for it. `called` is the command line as it was given, the program first.
 */
export function failureText(
  error: unknown,
  debug: boolean,
  called: readonly string[] = ["edgepoll"],
): string {
  const text = messageFor(error, debug, called);
  if (exitCodeOf(error) === EXIT.bug) return text.includes("\n") ? text : `edgepoll: ${text}`;
  // The mistakes of a configuration come with their lines, each with its place in front.
  if (error instanceof EdgepollError && error.code === "CONFIG_INVALID") return text;
  const code = error instanceof EdgepollError && error.code !== "USAGE" ? ` (${error.code})` : "";
  return `edgepoll: ${text}${code}`;
}

/** The same for a program: the `error` of a reply (code and message) as JSON. */
export function failureJson(error: unknown, debug: boolean, called: readonly string[]): string {
  const isKnown = error instanceof EdgepollError || error instanceof Refused;
  const code = isKnown ? error.code : "INTERNAL";
  return JSON.stringify({ error: { code, message: messageFor(error, debug, called) } });
}

function messageFor(error: unknown, debug: boolean, called: readonly string[]): string {
  if (exitCodeOf(error) === EXIT.bug) return bugText(error, debug);
  const [program = "edgepoll"] = called;
  return printableLines(messageOf(error))
    .replaceAll(NAMED, `${program} `)
    .replaceAll("edgepoll …", called.join(" "));
}

function bugText(error: unknown, debug: boolean): string {
  const stack = error instanceof Error && debug ? error.stack : undefined;
  if (stack !== undefined) return printableLines(stack);
  return (
    `a bug: ${printable(messageOf(error))}. Please report it, with what the same command ` +
    "prints with EDGEPOLL_DEBUG=1 set"
  );
}
