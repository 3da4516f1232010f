/** Options that several commands share: which node, which gateways, which form. */
import { isId } from "../core/command.ts";
import { wrong } from "./arguments.ts";
import { valueOf, type Given, type Option } from "./command.ts";
import { printable } from "./printable.ts";
import { shellWord } from "../core/shell.ts";

/** The configuration file. */
export const CONFIG: Option = { name: "config", value: "FILE", about: "Configuration file" };

/** The state directory, by which a node is found. */
export const STATE_DIR: Option = {
  name: "state-dir",
  value: "DIRECTORY",
  about: "State directory; default: as the configuration says",
};

/** Gateways by id. */
export const GATEWAYS: Option = {
  name: "gateway",
  value: "ID",
  many: true,
  about: "Only this gateway; repeat it or write a,b for several",
};

/** Output for programs. */
export const JSON_FLAG: Option = { name: "json", about: "Print JSON" };

/** Where to look for configuration and state. */
export function whereOf(given: Given): { config?: string; stateDir?: string } {
  const config = valueOf(given, "config");
  const stateDir = valueOf(given, "state-dir");
  return {
    ...(config === undefined ? {} : { config }),
    ...(stateDir === undefined ? {} : { stateDir }),
  };
}

/** The same options again, for a line to paste: begins with a space, or is empty. */
export function sameNode(given: Given): string {
  return sameFile(given) + again(given, STATE_DIR);
}

/** The same configuration again, for a line to paste: begins with a space, or is empty. */
export function sameFile(given: Given): string {
  return again(given, CONFIG);
}

/** The same for a line that starts the node: a state directory alone does not say which configuration. */
export function toStart(sameNode: string): string {
  const isMissing = sameNode !== "" && !/ --config\b/.test(sameNode);
  return isMissing ? ` --config FILE${sameNode}` : sameNode;
}

function again(given: Given, { name }: Option): string {
  const value = valueOf(given, name);
  return value === undefined ? "" : ` --${name} ${shellWord(value)}`;
}

/** The gateways asked for, undefined for all. Throws `UsageError` on what can't be an id. */
export function gatewaysOf(given: Given, caller: string): readonly string[] | undefined {
  const ids = given.values.get("gateway");
  const odd = ids?.find((id) => !isId(id));
  if (odd === undefined) return ids === undefined ? undefined : [...new Set(ids)];
  throw wrong(
    `"${printable(odd)}" can't be the id of a gateway`,
    `${caller} status${sameNode(given)}`,
  );
}
