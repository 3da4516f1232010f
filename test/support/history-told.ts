/** What the subscriber was told: every seq once, in order, and the same each time. */
import type { History, Violation } from "./history.ts";

/** A reading or a gap, as far as the checks need it. */
export interface Message {
  readonly gateway: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** Nominal due time of `from`. */
  readonly slot: number;
  /** `good`, `partial` or `failed` of a reading, `<outcome>:<reason>` of a gap. */
  readonly outcome: string;
  /** Wall time of its arrival, ms; absent when it waits in the spool. */
  readonly at?: number;
  /** Serial numbers in the values of a reading, by function code. */
  readonly serials: ReadonlyMap<number, number>;
}

/** The subscriber's story. */
export interface Told {
  readonly violations: readonly Violation[];
  /** First deliveries, in order. */
  readonly messages: readonly Message[];
  readonly readings: number;
  readonly duplicates: number;
  /** What was delivered of a slot; undefined when nothing was. */
  outcomeOf(gateway: string, epoch: number, seq: number): string | undefined;
  /** The last seq that was delivered, 0 when none was. */
  lastOf(gateway: string, epoch: number): number;
}

/** Follows the readings and gaps of each gateway. */
export function followMessages(history: Pick<History, "messages">): Told {
  const violations: Violation[] = [];
  const texts = new Map<string, string>();
  const messages: Message[] = [];
  const outcomes = new Map<string, string>();
  const places = new Map<string, { epoch: number; seq: number }>();
  let duplicates = 0;
  let readings = 0;
  for (const { topic, payload, at } of history.messages) {
    const parsed = parse(topic, payload);
    if (parsed === undefined) continue;
    const message = at === undefined ? parsed : { ...parsed, at };
    const { gateway, epoch, from, to, outcome } = message;
    const name = `${gateway} epoch ${String(epoch)} seq ${String(from)} to ${String(to)}`;
    const object = (text: string): void => {
      violations.push({ text, gateway, epoch, from, to });
    };
    const identity = `${topic} ${String(epoch)} ${String(from)}`;
    const text = payload.replace(/,"replayed":true}$/, "}");
    const before = texts.get(identity);
    if (before !== undefined) {
      duplicates += 1;
      if (before !== text) object(`I6 ${name} came twice with other bytes`);
      continue;
    }
    texts.set(identity, text);
    messages.push(message);
    if (topic.includes("/readings/")) readings += 1;
    const place = places.get(gateway);
    const last = place?.epoch === epoch ? place.seq : 0;
    if (place !== undefined && (epoch < place.epoch || (epoch === place.epoch && from <= last))) {
      object(`I7 ${name} came after seq ${String(place.seq)}`);
    } else if (from !== last + 1) {
      object(`I3 ${name} came next after seq ${String(last)}`);
    }
    places.set(gateway, { epoch, seq: to });
    for (let seq = from; seq <= to; seq += 1) {
      const slot = keyOf(gateway, epoch, seq);
      if (outcomes.has(slot)) object(`I3 ${slot} is in two messages`);
      outcomes.set(slot, outcome);
    }
  }
  return {
    violations,
    messages,
    readings,
    duplicates,
    outcomeOf: (gateway, epoch, seq) => outcomes.get(keyOf(gateway, epoch, seq)),
    lastOf: (gateway, epoch) => {
      const place = places.get(gateway);
      return place?.epoch === epoch ? place.seq : 0;
    },
  };
}

/** Name of a slot. */
export function keyOf(gateway: string, epoch: number, seq: number): string {
  return `${gateway} epoch ${String(epoch)} seq ${String(seq)}`;
}

/** The fields of a reading or gap that are looked at. */
interface Payload {
  readonly gateway: string;
  readonly epoch: number;
  readonly seq: number;
  readonly slot: number;
  readonly from: number;
  readonly to: number;
  readonly slotFrom: number;
  readonly outcome: string;
  readonly reason?: string;
  readonly quality: string;
  readonly rtt: number | null;
  readonly values: Readonly<Record<string, unknown>>;
}

function parse(topic: string, payload: string): Message | undefined {
  const kind = /\/(readings|gaps)\//.exec(topic)?.[1];
  if (kind === undefined) return undefined;
  // A message of another shape breaks the story below.
  const fields = JSON.parse(payload) as Payload;
  const { gateway, epoch } = fields;
  if (kind === "gaps") {
    const { from, to, slotFrom: slot, outcome, reason } = fields;
    const named = `${outcome}:${String(reason)}`;
    return { gateway, epoch, from, to, slot, outcome: named, serials: new Map() };
  }
  const { seq, slot, quality, values, rtt } = fields;
  const serials = Object.entries(values).flatMap(([point, value]): [number, number][] => {
    const fc = /^serial(\d)$/.exec(point)?.[1];
    return fc === undefined ? [] : [[Number(fc), Number(value)]];
  });
  // Without any answer there is no time that it took.
  const outcome = quality === "good" ? "good" : rtt === null ? "failed" : "partial";
  return { gateway, epoch, from: seq, to: seq, slot, outcome, serials: new Map(serials) };
}
