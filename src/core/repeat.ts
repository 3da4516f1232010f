/** When a request is repeated whose device has answered that it is busy, or still at work. */
import type { Answer } from "./ports.ts";

/** Exceptions by which a device asks for time (Modbus Application Protocol 7). */
const ACKNOWLEDGE = 5;
const BUSY = 6;

/** ms that a busy device is left alone, and the least for one that is at work. */
const SHORT = 100;
/** ms that a device at work is waited for at most, before it is asked again. */
const LONG = 1000;

/**
 * The time (elapsed ms) at which to repeat, or undefined. `left` retries are left, and none may be sent
 * after `latest`. A busy device is asked again soon. One at work would only say so again: what is left of
 * the slot is shared out among the retries.
 */
export function repeatAt(answer: Answer, left: number, latest: number): number | undefined {
  if (left <= 0 || answer.ok || answer.reason !== "exception") return undefined;
  const { exception, endedAt } = answer;
  if (exception !== BUSY && exception !== ACKNOWLEDGE) return undefined;
  const share = Math.min(Math.max((latest - endedAt) / left, SHORT), LONG);
  const at = endedAt + (exception === BUSY ? SHORT : share);
  return at <= latest ? at : undefined;
}
