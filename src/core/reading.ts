/** The reading of one device from one poll, and the outcome of the poll. */
import type { Doubt, Value } from "./decode.ts";
import type { PolledOutcome } from "./outcome.ts";
import type { PlannedRequest } from "./plan.ts";
import type { Answer } from "./ports.ts";

/** Why a planned request was not sent in a poll. */
export type NotAsked = "stopped" | "deadline" | "connect_failed" | "timeout" | "breaker_open";

/** Those that say nothing of the device. */
const NOT_THE_DEVICE: readonly (Answer | NotAsked)[] = ["stopped", "deadline", "breaker_open"];

/** Why a point has no value. */
export type Reason =
  | NotAsked
  | "bad_frame"
  | "exception"
  | "not_a_number"
  | "invalid"
  | "not_supported";

/** Why a point has no value, with the code of the device's exception if it was one. */
export interface Fault {
  readonly reason: Reason;
  readonly exception?: number;
}

/** What came of one planned request in a poll. */
export interface RequestResult {
  readonly request: PlannedRequest;
  /** The answer to the last attempt, or why there was no attempt. */
  readonly last: Answer | NotAsked;
  /** Answers to the attempts before the last, in the order sent. */
  readonly earlier: readonly Answer[];
}

/** How far the values of a reading can be relied on. */
export type Quality = "good" | "uncertain" | "bad";

/** The values of one device from one poll, keys in the order of the payload. */
export interface Reading {
  readonly node: string;
  readonly gateway: string;
  readonly device: string;
  /** ms. */
  readonly interval: number;
  readonly epoch: number;
  readonly seq: number;
  /** Nominal due time, epoch ms. */
  readonly slot: number;
  /** When the last answer was complete, or when it was known that none came; epoch ms. */
  readonly ts: number;
  /** First byte of the slot's first request after the due time, ms; null when nothing was sent. */
  readonly late: number | null;
  /** Sum of the device's answer times, ms; null without an answer. */
  readonly rtt: number | null;
  readonly quality: Quality;
  /** The one reason that holds for all points; then there are no values and no errors. */
  readonly reason?: Reason;
  readonly exception?: number;
  /** By point id. */
  readonly values: Readonly<Record<string, Value>>;
  /** By point id. */
  readonly uncertain?: Readonly<Record<string, Doubt>>;
  /** By point id. */
  readonly errors?: Readonly<Record<string, Fault>>;
  /** Claimed while the wall clock could not be relied on. */
  readonly clock?: "unsure";
}

/** What a reading is made from. */
export interface ReadingInput extends Pick<
  Reading,
  "node" | "gateway" | "device" | "interval" | "epoch" | "seq" | "slot"
> {
  /** One for each planned request of the device. */
  readonly results: readonly RequestResult[];
  /** As in the reading, not yet rounded. */
  readonly late: number | null;
  /** Elapsed time at which the device's last request was settled. */
  readonly settledAt: number;
  /** Wall time minus elapsed time. */
  readonly wallOffset: number;
  readonly clockUnsure: boolean;
}

/** What the points of a device came to. */
type Content = Pick<
  Reading,
  "quality" | "reason" | "exception" | "values" | "uncertain" | "errors"
>;

/** Makes the reading of one device. */
export function readingOf(input: ReadingInput): Reading {
  const { late, clockUnsure, wallOffset } = input;
  const { known, rtt } = timesOf(input);
  return Object.assign(
    {
      node: input.node,
      gateway: input.gateway,
      device: input.device,
      interval: input.interval,
      epoch: input.epoch,
      seq: input.seq,
      slot: input.slot,
      ts: Math.round(known + wallOffset),
      late: late === null ? null : oneDecimal(late),
      rtt,
    },
    contentOf(input.results),
    clockUnsure ? UNSURE : undefined,
  );
}

const UNSURE = { clock: "unsure" } as const;

/** When the last answer was complete, or no answer certain, and how long all of them took. */
function timesOf({ results, settledAt }: ReadingInput): { known: number; rtt: number | null } {
  let known = -Infinity;
  let took = 0;
  for (const result of results) {
    for (const answer of attemptsOf(result)) {
      if (!isAnswer(answer)) continue;
      const { sentAt, endedAt } = answer;
      known = Math.max(known, endedAt);
      took += endedAt - (sentAt ?? endedAt);
    }
  }
  if (known === -Infinity) return { known: settledAt, rtt: null };
  return { known, rtt: oneDecimal(took) };
}

/** The payload of a reading. */
export function readingText(reading: Reading): string {
  return JSON.stringify(reading);
}

/** Whether any of these requests was answered; exceptions 10 and 11 are a gateway's, not the device's. */
export function deviceAnswered(results: readonly RequestResult[]): boolean {
  return results.some((result) => attemptsOf(result).some(isAnswer));
}

/** Whether a device was asked at all, as its first request tells: what stopped the poll is no failure of the device. */
export function deviceAsked([first]: readonly RequestResult[]): boolean {
  return first !== undefined && !NOT_THE_DEVICE.includes(first.last);
}

/**
 * The outcome of a poll from the results of all its devices and the readings made of them:
 * good when every point was decoded, failed when no request was answered, else partial.
 */
export function outcomeOf(
  results: readonly RequestResult[],
  readings: readonly Reading[],
): PolledOutcome {
  if (!deviceAnswered(results)) return "failed";
  const whole = readings.every(({ reason, errors }) => reason === undefined && !errors);
  return whole ? "good" : "partial";
}

function attemptsOf({ last, earlier }: RequestResult): readonly Answer[] {
  if (typeof last === "string") return earlier;
  return earlier.length === 0 ? [last] : [...earlier, last];
}

/** Exceptions 10 and 11 tell that the device was not reached (Modbus Application Protocol 7). */
function isAnswer(answer: Answer): boolean {
  if (answer.ok) return true;
  return answer.reason === "exception" && answer.exception !== 10 && answer.exception !== 11;
}

function contentOf(results: readonly RequestResult[]): Content {
  const values: Record<string, Value> = {};
  const uncertain: Record<string, Doubt> = {};
  const errors: Record<string, Fault> = {};
  let [good, others] = [0, 0];
  for (const { request, last } of results) {
    for (const { point, at, decode } of request.points) {
      const found = isRead(last) ? decode(last.words, at) : faultOf(last);
      if ("reason" in found) errors[point.id] = found;
      else values[point.id] = found.value;
      if ("uncertain" in found) uncertain[point.id] = found.uncertain;
      if ("reason" in found || "uncertain" in found) others++;
      else good++;
    }
  }
  // Nearly all are: it need not be counted out.
  if (good > 0 && others === 0) return { quality: "good", values };
  return judge(values, uncertain, errors);
}

function isRead(last: Answer | NotAsked): last is Extract<Answer, { ok: true }> {
  return typeof last !== "string" && last.ok;
}

function faultOf(last: Extract<Answer, { ok: false }> | NotAsked): Fault {
  if (typeof last === "string") return { reason: last };
  const { reason, exception } = last;
  return exception === undefined ? { reason } : { reason, exception };
}

function judge(
  values: Record<string, Value>,
  uncertain: Record<string, Doubt>,
  errors: Record<string, Fault>,
): Content {
  const faults = Object.values(errors);
  const doubts = Object.keys(uncertain).length;
  const bad = Object.keys(values).length === 0;
  const [first] = faults;
  if (bad && first && faults.every((fault) => isSame(fault, first))) {
    return { quality: "bad", ...first, values };
  }
  const good = faults.length + doubts === 0;
  return {
    quality: bad ? "bad" : good ? "good" : "uncertain",
    values,
    ...(doubts > 0 ? { uncertain } : {}),
    ...(faults.length > 0 ? { errors } : {}),
  };
}

function isSame(a: Fault, b: Fault): boolean {
  return a.reason === b.reason && a.exception === b.exception;
}

function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}
