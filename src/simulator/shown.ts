/** What the points of a profile show: electrical values that fit each other, and likely ones besides. */
import type { Point } from "../core/model.ts";
import { meaningOf, phasesOf } from "./meaning.ts";
import { shareOf } from "./random.ts";
import { Supply } from "./supply.ts";
import { valueOf, type Wave } from "./wave.ts";

/** A value in engineering units, a state or a text. */
export type Shown = number | boolean | string;

/** The value of a point, `seconds` after the beginning. */
export type Shower = (point: Point, seconds: number) => Shown;

const TEMPERATURE: Wave = { mean: 21, sines: [{ amplitude: 2, period: 3600 }] };
const PERCENT: Wave = { mean: 2, sines: [{ amplitude: 0.7, period: 600 }] };
const ANYTHING: Wave = {
  mean: 50,
  sines: [
    { amplitude: 30, period: 1200 },
    { amplitude: 1, period: 5.3 },
  ],
};
/** Seconds for which a state or a label stays. */
const STAYS = 60;

/** Chooses what the points of a device show; devices of different seeds show different values. */
export function shower(points: readonly Point[], seed: string): Shower {
  const supply = new Supply(seed, phasesOf(points));
  return (point, seconds) => {
    const meaning = meaningOf(point);
    if (meaning !== undefined && point.enum === undefined && isNumber(point)) {
      const { quantity, phase, factor } = meaning;
      return within(point, supply.valueOf(quantity, phase, seconds) * factor);
    }
    return other(point, shareOf(`${seed} ${point.id}`), seconds);
  };
}

function isNumber({ type }: Point): boolean {
  return type !== "bool" && type !== "string" && type !== "raw";
}

function other(point: Point, share: number, seconds: number): Shown {
  const { type, unit, length = 1, scale = 1, offset = 0 } = point;
  const turn = Math.floor(seconds / STAYS + 10 * share);
  if (type === "bool") return turn % 2 === 1;
  if (type === "string") return "edgepoll".slice(0, 2 * length);
  if (type === "raw") return "00".repeat(2 * length);
  const labels = Object.keys(point.enum ?? {});
  // The label stands for the raw value itself.
  if (labels.length > 0) return Number(labels[turn % labels.length]) * scale + offset;
  const wave = unit === "°C" ? TEMPERATURE : unit === "%" ? PERCENT : ANYTHING;
  return within(point, valueOf(wave, share, seconds));
}

/** A plausible value, where the point says what that is. */
function within({ min = -Infinity, max = Infinity }: Point, value: number): number {
  return Math.min(Math.max(value, min), max);
}
