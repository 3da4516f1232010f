/** What the points of a profile are about, as far as their names and units tell. */
import type { Point } from "../core/model.ts";
import type { Quantity } from "./supply.ts";

/** An electrical quantity, of a phase or of all, and how many of the point's units one of its own is. */
export interface Meaning {
  readonly quantity: Quantity;
  /** 1 to 3; undefined for all together. */
  readonly phase: number | undefined;
  readonly factor: number;
}

const PREFIXES: Readonly<Record<string, number>> = { m: 1000, k: 1e-3, M: 1e-6, G: 1e-9 };
const ELECTRICAL = /^([mkMG]?)(varh|var|Wh|W|VAh|VA|V|A|Hz)$/i;

/** What a point shows of a supply; undefined when it is about something else. */
export function meaningOf({ id, unit = "" }: Pick<Point, "id" | "unit">): Meaning | undefined {
  const phase = phaseOf(id);
  const [, prefix = "", base = ""] = ELECTRICAL.exec(unit) ?? [];
  const quantity = base === "" ? unitless(id, unit) : electrical(base.toLowerCase(), id);
  if (quantity === undefined) return undefined;
  return { quantity, phase, factor: prefix === "" ? 1 : (PREFIXES[prefix] ?? 1) };
}

/** How many phases the points of a profile are about. */
export function phasesOf(points: readonly Pick<Point, "id" | "unit">[]): 1 | 3 {
  return points.some(({ id }) => (phaseOf(id) ?? 1) > 1) ? 3 : 1;
}

/** `voltage-l2`, `l2-voltage` and `voltage_l2` are about phase 2; `voltage-l1-l2` lies between two. */
function phaseOf(id: string): number | undefined {
  const found = [...id.matchAll(/(?:^|[-_])(?:l|phase-?)([123])(?![0-9a-z])/g)];
  return found.length === 1 ? Number(found[0]?.[1]) : undefined;
}

function electrical(base: string, id: string): Quantity | undefined {
  const isBetween = /l[123][-_]?l[123]|line/.test(id);
  switch (base) {
    case "v":
      return isBetween ? "line-voltage" : "voltage";
    case "a":
      return "current";
    case "w":
      return "power";
    case "va":
      return "apparent-power";
    case "var":
      return "reactive-power";
    case "hz":
      return "frequency";
    case "wh":
      return `energy-${directionOf(id)}`;
    case "vah":
      return "apparent-energy";
    default:
      return `reactive-${directionOf(id)}`;
  }
}

function directionOf(id: string): "import" | "export" | "total" {
  if (/export|deliver|out|fed|feed/.test(id)) return "export";
  return /total|sum/.test(id) ? "total" : "import";
}

function unitless(id: string, unit: string): Quantity | undefined {
  if (unit === "" && /power-?factor|cos-?phi|^pf($|-)/.test(id)) return "power-factor";
  return unit === "°" && id.includes("angle") ? "phase-angle" : undefined;
}
