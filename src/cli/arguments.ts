/** Reads the command line. All values stay text: an id such as `02` is not the number 2. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { similar } from "../config/similar.ts";
import { isId } from "../core/command.ts";
import { UsageError } from "../core/errors.ts";
import type { Command, Given, Option } from "./command.ts";
import { printable } from "./printable.ts";
import { shellWord } from "../core/shell.ts";

/** What the command line asks for. */
export type Asked =
  | { readonly kind: "version" }
  | { readonly kind: "help"; readonly command?: Command }
  | { readonly kind: "run"; readonly command: Command; readonly given: Given };

type Token = ReturnType<typeof tokensOf>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

/** A negative number is a value, not an option; it is hidden behind what no argument can have. */
const NEGATIVE = /^-\.?\d/;
const HIDDEN = "\0";
const HELP: Option = { name: "help", about: "" };
const VERSION: Option = { name: "version", about: "" };
const SHORT: Readonly<Record<string, string>> = { h: "help", v: "version" };

/** Reads the arguments after the script. Throws `UsageError` with one line and the next command. */
export function readArguments(
  argv: readonly string[],
  commands: readonly Command[],
  caller: string,
): Asked {
  const tokens = tokensOf(
    argv,
    commands.flatMap(({ options }) => options),
  );
  const words = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const options = tokens.flatMap((token) => (token.kind === "option" ? [token] : []));
  const [name, ...rest] = words;
  const command = name === undefined ? undefined : commandOf(name, commands, caller);
  const asks = (wanted: string) => options.some((token) => nameOf(token) === wanted);
  if (asks("help")) return { kind: "help", ...(command === undefined ? {} : { command }) };
  if (command === undefined && asks("version")) return { kind: "version" };
  if (command === undefined) {
    refuseOptions(options, caller);
    const names = commands.map((known) => known.name).join(", ");
    throw wrong(`A command is missing; there are ${names}`, `${caller} --help`);
  }
  const help = `${caller} ${command.name} --help`;
  const given = givenOf(command, options, help);
  const [argument, ...more] = argumentsOf(command, rest, help);
  return { kind: "run", command, given: { ...given, argument, more } };
}

/** An error of usage: what is wrong, and what to try next. */
export function wrong(text: string, next: string): UsageError {
  return new UsageError("USAGE", `${text}${text.endsWith("?") ? "" : "."} Next: ${next}`);
}

function tokensOf(argv: readonly string[], options: readonly Option[]) {
  const types = [...options, HELP, VERSION].map(({ name, value }) => {
    return [name, { type: value === undefined ? "boolean" : "string" }] as const;
  });
  const { tokens } = parseArgs({
    args: argv.map((word) => word.replace(NEGATIVE, `${HIDDEN}$&`)),
    options: Object.fromEntries(types),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return tokens.map((token) => {
    const value = "value" in token ? token.value?.replace(HIDDEN, "") : undefined;
    return value === undefined ? token : { ...token, value };
  });
}

function nameOf({ name, rawName }: OptionToken): string {
  return rawName === `-${name}` ? (SHORT[name] ?? name) : name;
}

function commandOf(name: string, commands: readonly Command[], caller: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const names = commands.map((command) => command.name);
  const text = `There is no command "${printable(name)}"`;
  throw wrong(withGuess(text, name, names), `${caller} --help`);
}

/** Options without a command: the first that is there is the mistake. */
function refuseOptions(options: readonly OptionToken[], caller: string): void {
  const [first] = options;
  if (first === undefined) return;
  const text = `There is no option ${printable(first.rawName)} without a command`;
  throw wrong(text, `${caller} --help`);
}

function givenOf(command: Command, tokens: readonly OptionToken[], help: string) {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    const option = optionOf(command, token, help);
    const value = checkedValue(option, token, help);
    const already = values.get(option.name) ?? [];
    if (!option.many && (flags.has(option.name) || already.length > 0)) {
      throw wrong(`${token.rawName} is given twice`, help);
    }
    if (value === undefined) flags.add(option.name);
    else values.set(option.name, [...already, ...(option.many ? splitList(value) : [value])]);
  }
  return { flags, values };
}

function optionOf(command: Command, token: OptionToken, help: string): Option {
  const name = nameOf(token);
  const found = command.options.find((option) => option.name === name);
  if (found !== undefined) return found;
  const names = command.options.map((option) => `--${option.name}`);
  const text = `${command.name} has no option ${printable(token.rawName)}`;
  throw wrong(withGuess(text, token.rawName, names), help);
}

/** The value of an option, undefined for a flag. */
function checkedValue(option: Option, token: OptionToken, help: string): string | undefined {
  const { value, rawName, inlineValue } = token;
  if (option.value === undefined) {
    if (value === undefined) return undefined;
    throw wrong(`${rawName} takes no value`, help);
  }
  // What begins with a dash is the next option, unless it is tied to this one.
  const missing = value === undefined || value === "" || (!inlineValue && value.startsWith("-"));
  if (missing) throw wrong(`${rawName} needs a value: ${rawName} ${option.value}`, help);
  if (option.many && splitList(value).includes("")) {
    throw wrong(`${rawName} has an empty entry in "${printable(value)}"`, help);
  }
  return value;
}

function splitList(value: string): string[] {
  return value.split(",").map((entry) => entry.trim());
}

/** The arguments, once it is sure that the command takes so many. */
function argumentsOf(command: Command, words: readonly string[], help: string): readonly string[] {
  const taken = command.argument === undefined ? 0 : command.more === undefined ? 1 : Infinity;
  const surplus = words[taken];
  if (surplus === undefined) return words;
  const guess = meantBy(command, surplus);
  throw wrong(`${command.name} does not take the argument "${printable(surplus)}"${guess}`, help);
}

/** What an argument that is not taken was meant to be. */
function meantBy({ name, options }: Command, word: string): string {
  const takes = (wanted: string) => options.some((option) => option.name === wanted);
  if (takes("config") && (/\.ya?ml$/i.test(word) || existsSync(word))) {
    return `; did you mean "${name} --config ${printable(shellWord(word))}"?`;
  }
  return takes("gateway") && isId(word) ? `; did you mean "${name} --gateway ${word}"?` : "";
}

function withGuess(text: string, word: string, known: readonly string[]): string {
  const guess = similar(word, known);
  return guess === undefined ? text : `${text}; did you mean ${guess}?`;
}
