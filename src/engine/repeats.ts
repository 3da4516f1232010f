/** Which request of a poll is sent once more, because its device asked for time. */
import type { RequestResult } from "../core/reading.ts";
import { repeatAt } from "../core/repeat.ts";
import type { DeviceResult } from "./poll-task.ts";

/** A result that calls for a repeat of its request, at elapsed time `at`. */
export interface Repeat {
  readonly result: RequestResult;
  /** Of its device among those asked. */
  readonly index: number;
  readonly at: number;
}

/** The result whose request is repeated first; a repeat must fit before elapsed time `latest`. */
export function firstRepeat(
  asked: readonly DeviceResult[],
  retriesOf: (device: string) => number,
  latest: number,
): Repeat | undefined {
  let first: Repeat | undefined;
  for (const [index, { device, results }] of asked.entries()) {
    for (const result of results) {
      const { last, earlier } = result;
      const left = retriesOf(device.id) - earlier.length;
      const at = typeof last === "string" ? undefined : repeatAt(last, left, latest);
      if (at !== undefined && at < (first?.at ?? Infinity)) first = { result, index, at };
    }
  }
  return first;
}
