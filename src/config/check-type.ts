/** Rules between the type of a point and its other keys. */
import type { PointType } from "../core/model.ts";
import { isScaled, TYPES, type TypeRow } from "../core/types.ts";
import type { DraftPoint } from "./check-point.ts";
import type { Judge } from "./mistakes.ts";
import type { Path } from "./places.ts";

/** Checks what of a point depends on its type. */
export function checkType(point: DraftPoint, type: PointType, path: Path, judge: Judge): void {
  checkPart(point, type, path, judge);
  checkArithmetic(point, type, path, judge);
  checkRange(point, path, judge);
  checkInvalid(point, type, path, judge);
  checkLabels(point, type, path, judge);
}

/** A raw value as its type has it. Throws what `BigInt` does for one that was not checked. */
export function rawOf(written: number | string, type: PointType): number | bigint {
  return TYPES[type].kind === "long" ? BigInt(written) : Number(written);
}

/** Keys that say which part of the registers is meant. */
function checkPart(point: DraftPoint, type: PointType, path: Path, judge: Judge): void {
  const { complain, has } = judge;
  const { kind, registers } = TYPES[type];
  if (point.bit !== undefined && kind !== "truth") {
    complain([...path, "bit"], `is only for bool, not ${type}`, "key");
  }
  if (point.byte !== undefined && type !== "int8" && type !== "uint8") {
    complain([...path, "byte"], `is only for int8 and uint8, not ${type}`, "key");
  }
  if (registers === "length") {
    if (!has([...path, "length"])) {
      complain(path, `has no length, which type ${type} needs: the registers it spans, 1 to 125`);
    }
  } else if (point.length !== undefined) {
    complain([...path, "length"], `is only for string and raw, not ${type}`, "key");
  }
}

/** Keys that calculate or compare are for numbers. */
function checkArithmetic(point: DraftPoint, type: PointType, path: Path, judge: Judge): void {
  const { kind } = TYPES[type];
  const why =
    kind === "truth" || kind === "text"
      ? `is for numbers, not for ${type}`
      : judge.has([...path, "enum"])
        ? "is for numbers; with enum the value is a label"
        : undefined;
  if (why !== undefined) {
    for (const key of ["scale", "scaleRegister", "offset", "decimals", "min", "max"] as const) {
      if (point[key] !== undefined) judge.complain([...path, key], why, "key");
    }
  } else if (point.decimals !== undefined && kind === "long" && !isScaled(scalingOf(point))) {
    const text = `needs a scale or an offset: without them type ${type} is text, to the last digit`;
    judge.complain([...path, "decimals"], text, "key");
  }
}

function scalingOf({ scale, offset, scaleRegister }: DraftPoint) {
  return {
    ...(scale === undefined ? {} : { scale }),
    ...(offset === undefined ? {} : { offset }),
    ...(scaleRegister === undefined ? {} : { scaleRegister }),
  };
}

function checkRange({ min, max }: DraftPoint, path: Path, { complain }: Judge): void {
  if (min === undefined || max === undefined || min <= max) return;
  complain([...path, "min"], `must not be above max, which is ${String(max)}`);
}

function checkInvalid(point: DraftPoint, type: PointType, path: Path, judge: Judge): void {
  const row = TYPES[type];
  if (point.invalid === undefined) return;
  if (row.kind === "truth" || row.kind === "text") {
    judge.complain([...path, "invalid"], `is for numbers, not for ${type}`, "key");
    return;
  }
  point.invalid.forEach((written, index) => {
    if (written === undefined || row.kind === "real" || holds(row, String(written))) return;
    const text = `must be a raw value of ${type}: a whole number from ${limitsOf(row)}`;
    judge.complain([...path, "invalid", index], text);
  });
}

function checkLabels({ enum: labels }: DraftPoint, type: PointType, path: Path, judge: Judge) {
  if (labels === undefined) return;
  const row = TYPES[type];
  if (row.kind !== "integer" && row.kind !== "long") {
    judge.complain([...path, "enum"], `is for whole numbers, not for ${type}`, "key");
    return;
  }
  const seen = new Map<string, string>();
  for (const [digits, label] of Object.entries(labels)) {
    if (!holds(row, digits)) {
      const text = `must be a whole number from ${limitsOf(row)}, which ${type} can hold`;
      judge.complain([...path, "enum", digits], text, "key");
    }
    if (label === undefined) continue;
    const first = seen.get(label);
    if (first === undefined) seen.set(label, digits);
    else judge.complain([...path, "enum", digits], `must differ from the label of ${first}`);
  }
}

type WholeRow = Extract<TypeRow, { kind: "integer" | "long" }>;

/** Whether a type can hold the number that is written. */
function holds({ least, most }: WholeRow, written: string): boolean {
  if (!/^-?\d+$/.test(written)) return false;
  const raw = BigInt(written);
  return raw >= least && raw <= most;
}

function limitsOf({ least, most }: WholeRow): string {
  return `${String(least)} to ${String(most)}`;
}
