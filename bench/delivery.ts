/** What the subscriber received, held against what the slave answered. */
import type { LoggedRequest } from "./request-log.ts";
import type { Span } from "./slots.ts";
import type { Message } from "./witness.ts";
import { gatewayOf } from "./workloads.ts";

/** A reading of either poller, as far as the bench looks at it. */
export interface Reading {
  readonly gateway: string;
  readonly values: Readonly<Record<string, number>>;
  /** Of edgepoll only. */
  readonly epoch?: number;
  readonly seq?: number;
  readonly slot?: number;
  readonly late?: number | null;
}

/** A poll that the slave saw, and the readings that hold its number. */
export interface SeenPoll extends LoggedRequest {
  readonly readings: readonly { readonly at: number; readonly reading: Reading }[];
}

/** How the answers of the slave arrived. */
export interface Delivery {
  readonly messages: number;
  /** Answered polls that no message told of, and messages beyond the first. */
  readonly lost: number;
  readonly twice: number;
  /** Readings without values: the poll failed. */
  readonly bad: number;
  /** From the request at the slave to the message at the subscriber, in ms. */
  readonly endToEnd: readonly number[];
}

/** Brings requests and messages together by the number of the poll, which the answer carried as its first value. */
export function matched(
  requests: readonly LoggedRequest[],
  messages: readonly Message[],
): SeenPoll[] {
  const known = new Map<string, { at: number; reading: Reading }[]>();
  for (const { at, reading } of readingsIn(messages)) {
    const serial = reading.values["p0"];
    if (serial === undefined) continue;
    const key = `${reading.gateway} ${String(serial)}`;
    const list = known.get(key);
    if (list === undefined) known.set(key, [{ at, reading }]);
    else list.push({ at, reading });
  }
  return requests
    .filter(({ serial }) => serial > 0)
    .map((request) => {
      const key = `${gatewayOf(request.device)} ${String(request.serial)}`;
      return { ...request, readings: known.get(key) ?? [] };
    });
}

/** Readings among the messages, with the time they arrived. */
export function readingsIn(messages: readonly Message[]): { at: number; reading: Reading }[] {
  return (
    messages
      .filter(({ topic }) => topic.startsWith("polling/readings/"))
      // Both pollers publish JSON of this form.
      .map(({ at, payload }) => ({ at, reading: JSON.parse(payload) as Reading }))
  );
}

/**
 * The delivery of the polls that the slave saw in a span. `offset`: the wall clock less the monotonic one, in ms.
 */
export function deliveryOf(
  polls: readonly SeenPoll[],
  messages: readonly Message[],
  span: Span,
  offset: number,
): Delivery {
  const answered = polls.filter((poll) => poll.answered && within(poll.at, span));
  const arrived = readingsIn(messages).filter(({ at }) => within(at - offset, span));
  return {
    messages: arrived.length,
    lost: answered.filter(({ readings }) => readings.length === 0).length,
    twice: answered.reduce((sum, { readings }) => sum + Math.max(0, readings.length - 1), 0),
    bad: arrived.filter(({ reading }) => reading.values["p0"] === undefined).length,
    endToEnd: answered.flatMap(({ at, readings: [first] }) =>
      first === undefined ? [] : [first.at - offset - at],
    ),
  };
}

/** Whether a time lies in a span. */
export function within(time: number, { from, to }: Span): boolean {
  return time >= from && time < to;
}
