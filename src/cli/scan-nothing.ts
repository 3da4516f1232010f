/** What a scan says of units that gave no good answer, and where none did. */
import { isLine, type Connection } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import type { Scan } from "../core/scan.ts";
import { count } from "./counts.ts";
import { COMMON, emptyScanCauses, otherFraming } from "./likely-causes.ts";

/** What was asked, and in which words. */
export interface Tried {
  readonly connection: Connection;
  /** The connection as it was given. */
  readonly typed: string;
  /** In the order in which they were asked. */
  readonly unitIds: readonly number[];
  /** Options that were given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** A line for each unit for which something came that was no answer, or came too late; `timeout` in ms. */
export function doubts(
  { garbled, slow }: Scan,
  connection: Connection,
  unitIds: readonly number[],
  timeout: number,
): string[] {
  return [
    ...garbled.map(({ unitId, connection: url, detail }) => {
      const text = `unit ${String(unitId)} at ${url}: something came that is no answer (${detail})`;
      const late = lateUnit(detail, unitIds);
      if (late !== undefined) {
        return `${text}; most likely unit ${String(late)}, asked before, answers late: a longer --timeout tells`;
      }
      return isLine(connection) && otherFraming(connection, detail) === undefined
        ? `${text}; two devices with one id, noise, or other settings`
        : text;
    }),
    ...slow.map(({ unitId, connection: url }) => {
      const text = `unit ${String(unitId)} at ${url}: an answer came after more than ${String(timeout)} ms`;
      return `${text}, too late to be used; a longer --timeout finds it`;
    }),
  ];
}

/** The unit asked before whose answer came in place of another's; undefined when it is none. */
function lateUnit(detail: string, unitIds: readonly number[]): number | undefined {
  const [, stray, asked] = /^unit id (\d+) instead of (\d+)/.exec(detail) ?? [];
  const before = unitIds.slice(0, Math.max(0, unitIds.indexOf(Number(asked))));
  return before.find((unitId) => unitId === Number(stray));
}

/** What is said where no unit answers, with the next command. */
export function nothingText(found: Scan, tried: Tried, caller: string): string {
  const { asked, complete, garbled, slow } = found;
  const { connection, unitIds } = tried;
  const isLate =
    slow.length > 0 || garbled.some(({ detail }) => lateUnit(detail, unitIds) !== undefined);
  const framing = garbled
    .map(({ detail }) => otherFraming(connection, detail))
    .find((scheme) => scheme !== undefined);
  const parts = [
    `No unit answers at ${connection.url}: ${count(asked, "request")} went out`,
    complete ? "" : " so far",
    isLate ? ", and answers came too late to be used" : "",
    framing === undefined ? "" : `, and what came is as on ${framing}://`,
    isLate || framing !== undefined ? "" : `. Likely ${emptyScanCauses(connection)}`,
  ];
  return `${parts.join("")}. Next: ${caller} scan ${nextScan(tried, framing, isLate)}`;
}

/** The scan that finds more, of the same units. */
function nextScan(
  { connection, typed, values }: Tried,
  framing: string | undefined,
  isLate: boolean,
): string {
  const given = values.get("units");
  const units = given === undefined ? [] : ["--units", given.join(",")];
  const words = (url: string, ...more: string[]) => [shellWord(url), ...units, ...more].join(" ");
  if (framing !== undefined) return words(`${framing}${typed.slice(connection.kind.length)}`);
  return connection.kind === "serial" && !isLate && !values.has("baud")
    ? words(`serial://${connection.path}`, COMMON)
    : words(typed, "--timeout 3000");
}
