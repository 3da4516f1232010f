/** The slave's log: what arrived when, seen from outside the poller. */
import { readFileSync } from "node:fs";

/** Numbers a request has in the file: device, number of its poll, time, whether it is answered. */
export const LOG_COLUMNS = 4;

/** A request as it arrived. */
export interface LoggedRequest {
  readonly device: number;
  /** Number of the poll at its device, from 1, when the request begins one; else 0. */
  readonly serial: number;
  /** CLOCK_MONOTONIC, in ms. */
  readonly at: number;
  readonly answered: boolean;
}

/** Reads what `slave.ts` wrote. */
export function readRequestLog(file: string): LoggedRequest[] {
  const bytes = readFileSync(file);
  const columns = new Float64Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: columns.length / LOG_COLUMNS }, (_, row) => {
    const [device = 0, serial = 0, at = 0, answered = 0] = columns.subarray(
      row * LOG_COLUMNS,
      (row + 1) * LOG_COLUMNS,
    );
    return { device, serial, at, answered: answered === 1 };
  });
}
