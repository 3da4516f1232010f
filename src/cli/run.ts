/** From arguments to an exit code. */
import { readArguments } from "./arguments.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { check } from "./check.ts";
import type { Command, Context } from "./command.ts";
import { config } from "./config.ts";
import { enable } from "./enable.ts";
import { events } from "./events.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { failureJson, failureText } from "./failure.ts";
import { shellWord } from "../core/shell.ts";
import { read } from "./read.ts";
import { reset } from "./reset.ts";
import { reload } from "./reload.ts";
import { restore } from "./restore.ts";
import { scan } from "./scan.ts";
import { simulate } from "./simulate.ts";
import { spool } from "./spool.ts";
import { start } from "./start.ts";
import { status } from "./status.ts";
import { stop } from "./stop.ts";
import { validate } from "./validate.ts";
import { write } from "./write.ts";

/** The commands of this version, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  start,
  stop,
  enable,
  status,
  validate,
  audit,
  reload,
  check,
  config,
  read,
  write,
  scan,
  events,
  spool,
  reset,
  backup,
  restore,
  simulate,
];

/** Does what the arguments say; gives back the exit code and never rejects. */
export async function run(
  argv: readonly string[],
  context: Context,
  debug: boolean,
): Promise<number> {
  try {
    const asked = readArguments(argv, COMMANDS, context.caller);
    if (asked.kind === "run") return await asked.command.run(asked.given, context);
    const { printHelp, printVersion } = await import("./help.ts");
    const { version } = await import("../app/version.ts");
    if (asked.kind === "version") printVersion(version());
    else printHelp(COMMANDS, version(), asked.command);
    return 0;
  } catch (error) {
    const called = [context.caller, ...argv.map(shellWord)];
    if (wantsJson(argv)) context.out.line(failureJson(error, debug, called));
    else context.out.note(failureText(error, debug, called));
    return exitCodeOf(error);
  }
}

/** Whether a program reads the answer; also true when the command line is otherwise wrong. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}
