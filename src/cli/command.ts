/** What a command of the command line is, and what it is given. */
import type { Output } from "./output.ts";
import type { Paint } from "./paint.ts";

/** An option of a command; without `value` it is a flag. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** What stands for its value in the help. */
  readonly value?: string;
  /** Whether it may be given more than once, and as a list with commas. */
  readonly many?: true;
  readonly about: string;
}

/** What was written on the command line after the name of the command, as text. */
export interface Given {
  readonly argument: string | undefined;
  /** The arguments behind the first. */
  readonly more: readonly string[];
  readonly flags: ReadonlySet<string>;
  /** Values by name of the option, in the order in which they were written. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** What a command works with. */
export interface Context {
  readonly out: Output;
  readonly paint: Paint;
  /** How this process was called, such as `edgepoll` or `node bin/edgepoll.js`; works when pasted. */
  readonly caller: string;
}

/** A command of the command line. */
export interface Command {
  readonly name: string;
  /** What stands for its argument in the help; it may always be left out. */
  readonly argument?: string;
  /** What stands in the help for the arguments behind the first, where it takes such. */
  readonly more?: string;
  readonly about: string;
  readonly options: readonly Option[];
  /** Command lines for the help, without the program. */
  readonly examples?: readonly string[];
  /** Does it and gives back the exit code; throws what goes wrong. */
  run(given: Given, context: Context): Promise<number>;
}

/** The value of an option that is given at most once. */
export function valueOf(given: Given, name: string): string | undefined {
  return given.values.get(name)?.[0];
}
