/** Gateways that can be planned but not polled: their transports are not in this version yet. */
import type { Connection } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { parseConnection } from "./connection.ts";
import { mistakeAt } from "./mistakes.ts";
import type { Path } from "./places.ts";
import type { Settings } from "./schema.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** What to do instead, by what is spoken. */
const INSTEAD: Readonly<Record<Exclude<Connection["kind"], "tcp" | "simulator">, string>> = {
  serial: "reach the line through a converter that speaks Modbus TCP (tcp://)",
  "rtu+tcp": "switch the converter to Modbus TCP (tcp://)",
  tls: "wait for the version that has it",
};

/** A fault for each gateway of the file at `name` that would be polled and can't be. `start` refuses them. */
export function unpolledGateways(name: string, file: YamlFile, { gateways }: Settings): Fault[] {
  const plan = `edgepoll check --plan ${shellWord(name)}`;
  return gateways.flatMap(({ connection, enabled }, index) => {
    const kind = kindOf(connection);
    if (!enabled || kind === undefined || kind === "tcp" || kind === "simulator") return [];
    const text =
      `is ${kind}://, which this version checks and plans (${plan}) but does not poll: ` +
      `start refuses it. Set enabled: false to start the others, or ${INSTEAD[kind]}`;
    return [mistakeAt(file, ["gateways", index, "connection"], text)];
  });
}

/** Whether a key is one that the plan counts, although nothing is polled with it yet. */
export function isPlanned({ gateways }: Settings, [section, index, key]: Path): boolean {
  if (section !== "gateways" || key !== "maxAnswerTime") return false;
  const kind = kindOf(gateways[Number(index)]?.connection ?? "");
  return kind === "serial" || kind === "rtu+tcp";
}

function kindOf(text: string): Connection["kind"] | undefined {
  const parsed = parseConnection(text);
  return "connection" in parsed ? parsed.connection.kind : undefined;
}
