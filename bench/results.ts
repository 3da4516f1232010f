/** The results of the bench, as they stand in the JSON. */
import type { Machine } from "./machine.ts";
import type { Profile } from "./profile.ts";
import type { Row } from "./row.ts";
import type { StartUps } from "./start-up.ts";

/** All that one call of the bench measured. */
export interface Results {
  /** When it began, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  /** Null when it was not asked for. */
  readonly startUps: StartUps | null;
  /** Taken by a call of its own; absent until there was one. */
  readonly profile?: Profile | undefined;
}

/** As text, with a line for each run. */
export function resultsText({ rows, ...rest }: Results): string {
  const lines = rows.map((row) => JSON.stringify(row));
  return `${JSON.stringify(rest).slice(0, -1)},"rows":[\n${lines.join(",\n")}\n]}\n`;
}
