/** When neighbouring points share a request. */
import type { MergeLimits } from "../core/model.ts";
import { parseConnection } from "./connection.ts";

/**
 * The limits when nothing is configured (Modbus Application Protocol 6.1 and 6.3). On a serial line the
 * plan knows what a gap costs, and no gap needs a limit. What stands behind a network it can't know: 8
 * registers are what pays on a line of 9600 baud behind a converter.
 */
const LIMITS: MergeLimits = { maxGap: 2000, maxRegisters: 125, maxBits: 2000 };
const GAP_OVER_NETWORK = 8;

/** A part of the configuration that may say some of the limits. */
export interface Limiting {
  readonly merge?: { readonly [K in keyof MergeLimits]?: number | undefined } | undefined;
}

/**
 * Each limit from the first that says it, such as device, profile and gateway; else that of the
 * connection, as written, which a profile alone does not have.
 */
export function mergeOf(
  connection: string | undefined,
  ...parts: readonly (Limiting | undefined)[]
): MergeLimits {
  const fallback = limitsOf(connection);
  const limit = (key: keyof MergeLimits) =>
    parts.map((part) => part?.merge?.[key]).find((value) => value !== undefined) ?? fallback[key];
  return {
    maxGap: limit("maxGap"),
    maxRegisters: limit("maxRegisters"),
    maxBits: limit("maxBits"),
  };
}

function limitsOf(connection: string | undefined): MergeLimits {
  const parsed = parseConnection(connection ?? "");
  const isSerial = "connection" in parsed && parsed.connection.kind === "serial";
  return isSerial ? LIMITS : { ...LIMITS, maxGap: GAP_OVER_NETWORK };
}
