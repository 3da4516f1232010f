/** What is said when a command fails. */
import { Refused } from "../core/command.ts";
import { EdgepollError, messageOf } from "../core/errors.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { toStart } from "./node-options.ts";
import { printable, printableLines } from "./printable.ts";

/** Commands that messages name: they are said in the words this process was called by. */
const NAMED = new RegExp(
  String.raw`(?<!\bnode )\bedgepoll (?<command>` +
    "start|stop|enable|status|events|validate|audit|reload|spool|reset|backup|restore|read|write|scan|" +
    String.raw`check|config|simulate)\b(?<rest>.*)`,
  "g",
);
/** Those of them that are for a node or its directory, and take the options that name it. */
const OF_NODE =
  /^(start|stop|enable|status|events|validate|audit|reload|spool|reset|backup|restore)$/;

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
  const text = asCalled(printableLines(messageOf(error)), program, optionsOf(called));
  return text.replaceAll("edgepoll …", called.join(" "));
}

/** A text with its commands in the words of this command line: how the program was called, and the options that name the node. */
export function asCalled(text: string, program: string, sameNode: string): string {
  return text.replaceAll(NAMED, (_, command: string, rest: string) => {
    const isNamed = /--(state-dir|config)\b/.test(rest);
    const same = command === "start" ? toStart(sameNode) : sameNode;
    const options = OF_NODE.test(command) && !isNamed ? same : "";
    return `${program} ${command}${options}${asCalled(rest, program, sameNode)}`;
  });
}

/** The words of a command line that name a node, as they were given. */
function optionsOf(called: readonly string[]): string {
  const words = called.flatMap((word, i) => {
    if (/^--(state-dir|config)=/.test(word)) return [word];
    const value = called[i + 1];
    return /^--(state-dir|config)$/.test(word) && value !== undefined ? [word, value] : [];
  });
  return words.map((word) => ` ${word}`).join("");
}

function bugText(error: unknown, debug: boolean): string {
  const stack = error instanceof Error && debug ? error.stack : undefined;
  if (stack !== undefined) return printableLines(stack);
  return (
    `a bug: ${printable(messageOf(error))}. Please report it, with what the same command ` +
    "prints with EDGEPOLL_DEBUG=1 set"
  );
}
