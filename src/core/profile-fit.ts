/** Whether the registers of a device hold what a profile of a meter says: by voltages and the frequency of the mains. */
import { decoderOf, type Value } from "./decode.ts";
import type { Point } from "./model.ts";
import type { ReadRequest } from "./ports.ts";
import { widthOf } from "./types.ts";

/** Voltages that are looked at. */
const MOST_VOLTAGES = 3;
/** Hz that a mains has, and V of a phase that is there: from low voltage up to a transformer's side. */
const MAINS: readonly [number, number] = [45, 65];
const LIVE: readonly [number, number] = [50, 1000];

/** What of a profile is read to see whether it fits. */
export interface Trial {
  readonly profile: string;
  readonly points: readonly Point[];
  readonly requests: readonly Omit<ReadRequest, "unitId">[];
}

/** The words of a request that was answered. */
export type WordsOf = (request: Omit<ReadRequest, "unitId">) => readonly number[] | undefined;

/** How a profile is tried; undefined for one without a frequency or a voltage, of which nothing could be said. */
export function trialOf(profile: string, points: readonly Point[]): Trial | undefined {
  const plain = points.filter((point) => point.scaleRegister === undefined);
  const [frequency] = plain.filter(({ unit }) => unit === "Hz");
  const voltages = plain.filter(({ unit }) => unit === "V").slice(0, MOST_VOLTAGES);
  if (frequency === undefined || voltages.length === 0) return undefined;
  const chosen = [...voltages, frequency];
  return { profile, points: chosen, requests: requestsOf(chosen) };
}

/** Neighbours share a request; nothing between them is read, for a device may refuse it. */
function requestsOf(points: readonly Point[]): Omit<ReadRequest, "unitId">[] {
  const requests: { table: Point["table"]; address: number; count: number }[] = [];
  for (const point of [...points].sort((a, b) => a.address - b.address)) {
    const { table, address } = point;
    const last = requests.at(-1);
    const follows = last?.table === table && last.address + last.count === address;
    if (last !== undefined && follows) last.count += widthOf(point);
    else requests.push({ table, address, count: widthOf(point) });
  }
  return requests;
}

/**
 * What was seen that makes a profile fit, by point; undefined when it does not: every value has to be
 * read, the frequency to be one of a mains, and each voltage that of a phase or nothing, not all nothing.
 */
export function fitOf(
  { points, requests }: Trial,
  words: WordsOf,
): Readonly<Record<string, Value>> | undefined {
  const seen = points.map((point) => {
    const request = requests.find(
      ({ table, address, count }) =>
        table === point.table && point.address >= address && point.address < address + count,
    );
    const answer = request === undefined ? undefined : words(request);
    if (request === undefined || answer === undefined) return undefined;
    const decoded = decoderOf(point)(Uint16Array.from(answer), point.address - request.address);
    const value = "value" in decoded ? decoded.value : undefined;
    return typeof value === "number" ? { id: point.id, unit: point.unit, value } : undefined;
  });
  const values = seen.flatMap((each) => each ?? []);
  const isWhole = values.length === points.length;
  const isLikely = values.every(({ unit, value }) =>
    unit === "Hz" ? isIn(value, MAINS) : value === 0 || isIn(value, LIVE),
  );
  const isLive = values.some(({ unit, value }) => unit === "V" && value !== 0);
  if (!isWhole || !isLikely || !isLive) return undefined;
  return Object.fromEntries(values.map(({ id, value }) => [id, value]));
}

function isIn(value: number, [least, most]: readonly [number, number]): boolean {
  return value >= least && value <= most;
}
