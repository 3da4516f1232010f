/** Help and version, drawn by cac. Values are not read by it: it would turn `02` into 2. */
import { cac } from "cac";
import type { Command } from "./command.ts";

/** Prints the help of a command, or that of all. */
export function printHelp(
  commands: readonly Command[],
  version: string,
  command: Command | undefined,
): void {
  const words = command === undefined ? [] : [command.name];
  cliOf(commands, version).parse(["", "", ...words, "--help"], { run: false });
}

/** Prints the version. */
export function printVersion(version: string): void {
  cliOf([], version).parse(["", "", "--version"], { run: false });
}

function cliOf(commands: readonly Command[], version: string) {
  const cli = cac("edgepoll");
  for (const { name, argument, more, about, options, examples = [] } of commands) {
    const places = [argument, more].flatMap((place) => (place === undefined ? [] : `[${place}]`));
    const words = [name, ...places].join(" ");
    const command = cli.command(words, about).usage(`${words} [options]`);
    for (const option of options) {
      const value = option.value === undefined ? "" : ` <${option.value}>`;
      command.option(`--${option.name}${value}`, option.about);
    }
    for (const example of examples) command.example(`  $ edgepoll ${example}`);
  }
  cli.help();
  cli.version(version);
  return cli;
}
