/** When neighbouring points share a request. */
import type { MergeLimits } from "../core/model.ts";

/** The limits when nothing is configured (Modbus Application Protocol 6.1 and 6.3). */
const MERGE: MergeLimits = { maxGap: 8, maxRegisters: 125, maxBits: 2000 };

/** A part of the configuration that may say some of the limits. */
export interface Limiting {
  readonly merge?: { readonly [K in keyof MergeLimits]?: number | undefined } | undefined;
}

/** Each limit from the first that says it, such as device, profile and gateway; else that of Modbus. */
export function mergeOf(...parts: readonly (Limiting | undefined)[]): MergeLimits {
  const limit = (key: keyof MergeLimits) =>
    parts.map((part) => part?.merge?.[key]).find((value) => value !== undefined) ?? MERGE[key];
  return {
    maxGap: limit("maxGap"),
    maxRegisters: limit("maxRegisters"),
    maxBits: limit("maxBits"),
  };
}
