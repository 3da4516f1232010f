/** Fault scripts of the simulator, as a file. */
import { z } from "zod";
import type { FaultScript, LineFault } from "../core/fault.ts";
import type { Draft } from "./draft.ts";
import { FAULT_KINDS, kindOf, STEP_KEYS, type FaultKind, type StepKey } from "./fault-kinds.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";
import { readSettings } from "./read-settings.ts";
import { duration, flag, integer, listOf, oneOf, section } from "./schema-kinds.ts";

const HEX = "must be bytes in hexadecimal, such as 00ff; in quotes when they are digits only";
const ms = () => integer(0, 3_600_000, " (ms)");

const stepSchema = section({
  kind: oneOf(FAULT_KINDS).describe("What goes wrong."),
  requests: integer(1, 1_000_000_000).optional().describe("It lasts for so many requests."),
  for: duration("10ms", "7d").optional().describe("It lasts for so long."),
  ms: ms().optional().describe("Time from the request, ms."),
  jitter: ms().optional().describe("With delay: up to so many ms more, by chance."),
  code: integer(1, 255).optional().describe("Code of an exception."),
  at: oneOf(["before", "middle", "after"]).optional().describe("Where of the answer it ends."),
  length: integer(0, 65_535).optional().describe("What the header says."),
  hex: z
    .string({ error: HEX })
    .regex(/^([0-9a-f]{2}){1,512}$/i, { error: HEX })
    .optional()
    .describe("Bytes."),
});

const scriptSchema = section({
  unit: integer(0, 255).optional().describe("Unit it holds for; default: all others."),
  registers: section({
    table: oneOf(["coil", "discrete", "holding", "input"]).describe("Table they are in."),
    address: integer(0, 65_535).describe("0-based address of the first."),
    count: integer(1, 65_536).prefault(1).describe("How many."),
  })
    .optional()
    .describe("It holds for requests that touch these only."),
  repeat: flag().prefault(false).describe("Whether it begins again after the last step."),
  steps: listOf(stepSchema).describe("What happens one after the other; then all is normal."),
});

const fileSchema = section({ scripts: listOf(scriptSchema).describe("Scripts, all at once.") });

type Script = Draft<z.output<typeof scriptSchema>>;

/** Ids of the units that are served; undefined: any. */
type Served = readonly number[] | undefined;

/** Reads a script for units over TCP. Throws `FILE_FAILED`, or `CONFIG_INVALID` with every mistake. */
export function readTcpFaults(path: string, served?: Served): readonly FaultScript[] {
  // The rules have seen to it that every step has the keys of its kind.
  return read(path, "tcp", served) as readonly FaultScript[];
}

/** As `readTcpFaults`, for units on a serial line. */
export function readLineFaults(path: string, served?: Served): readonly FaultScript<LineFault>[] {
  // As above.
  return read(path, "line", served) as readonly FaultScript<LineFault>[];
}

function read(path: string, transport: "tcp" | "line", served: Served): readonly unknown[] {
  return readSettings(path, fileSchema, ({ scripts = [] }, judge) => {
    const seen = new Map<string, number>();
    scripts.forEach((script, i) => {
      if (script === undefined) return;
      const place = JSON.stringify([script.unit, script.registers]);
      const first = seen.get(place);
      if (first !== undefined) {
        const text = `is for the same requests as script ${String(first + 1)} of the list`;
        judge.complain(["scripts", i], text);
      }
      seen.set(place, first ?? i);
      checkUnit(script, ["scripts", i], served, judge);
      checkSteps(script, ["scripts", i], transport, judge);
    });
  }).scripts;
}

function checkUnit({ unit }: Script, path: Path, served: Served, judge: Judge): void {
  if (unit === undefined || served?.includes(unit) !== false) return;
  const text = `${String(unit)} is not served, only ${served.join(", ")}; --unit names those that are`;
  judge.complain([...path, "unit"], text);
}

function checkSteps(script: Script, path: Path, transport: "tcp" | "line", judge: Judge): void {
  const { steps = [], repeat, unit, registers } = script;
  const isSpecial = unit !== undefined || registers !== undefined;
  steps.forEach((step, i) => {
    const kind = step?.kind;
    if (step === undefined || kind === undefined) return;
    const place = [...path, "steps", i];
    const fault = kindFault(kind, transport, isSpecial);
    if (fault !== undefined) judge.complain([...place, "kind"], fault);
    checkKeys(kind, place, judge);
    const isEndless = !judge.has([...place, "requests"]) && !judge.has([...place, "for"]);
    if (isEndless && (i < steps.length - 1 || repeat === true)) {
      judge.complain(
        place,
        "lasts for ever, so that nothing comes after it; give it requests or for",
      );
    }
  });
}

/** What is wrong with a kind at its place. */
function kindFault(
  kind: FaultKind,
  transport: "tcp" | "line",
  isSpecial: boolean,
): string | undefined {
  const { on, ofPort } = kindOf(kind);
  if (on !== undefined && on !== transport) {
    return transport === "line"
      ? `${kind} is of Modbus/TCP, which a serial line knows nothing of`
      : `${kind} is of serial lines; --serial makes one`;
  }
  if (ofPort !== true || !isSpecial) return undefined;
  return `${kind} is of a whole port; it belongs in a script without unit and registers`;
}

/** Each kind has keys of its own. */
function checkKeys(kind: FaultKind, path: Path, judge: Judge): void {
  const { needs = [], takes = [], ofPort } = kindOf(kind);
  const own: readonly StepKey[] = [...needs, ...takes];
  for (const key of STEP_KEYS) {
    const isThere = judge.has([...path, key]);
    if (isThere && !own.includes(key)) {
      const has = own.length === 0 ? "no key of its own" : own.join(" and ");
      judge.complain([...path, key], `does not belong to ${kind}, which has ${has}`, "key");
    } else if (!isThere && needs.some((needed) => needed === key)) {
      judge.complain(path, `has no ${key}, which ${kind} needs`);
    }
  }
  const counts = judge.has([...path, "requests"]);
  if (counts && judge.has([...path, "for"])) {
    judge.complain([...path, "for"], "must not stand beside requests: one of them ends it", "key");
  } else if (counts && ofPort === true && kind !== "one-connection" && kind !== "close-idle") {
    const text = `never ends under ${kind}, which lets none in; give it a time with for`;
    judge.complain([...path, "requests"], text, "key");
  }
}
