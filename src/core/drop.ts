/** What takes the place of spooled messages that are dropped or refused: gaps that name what is gone. */
import type { EventKind } from "./payloads.ts";
import type { Spooled } from "./records.ts";

/** Why readings were dropped, as the gaps that name them say it. */
export type DropReason = "spool_full" | "too_old" | "disk_full" | "reset";

/** Why events were dropped, in words. */
const WHY: Readonly<Record<DropReason, string>> = {
  spool_full: "the spool was full",
  too_old: "they had waited longer than mqtt.spool.maxAge",
  disk_full: "the disk had no room left",
  reset: "the gateway was reset",
};

/** What takes the place of messages, and how many readings and events are gone with them. */
export interface Replaced {
  readonly messages: readonly Spooled[];
  readonly readings: number;
  readonly events: number;
}

/** The part of a reading that names it. */
interface Named {
  readonly node: string;
  readonly gateway: string;
  readonly device: string;
  readonly interval: number;
  readonly epoch: number;
}

/** The gap that takes the place of a reading the broker refused; undefined for other messages. */
export function quarantinedGap(refused: Spooled): Spooled | undefined {
  if (!refused.topic.startsWith("readings/")) return undefined;
  const gap = gapOf(refused, "refused");
  return gap === undefined ? undefined : gapMessage(gap, "quarantined");
}

interface DroppedGap extends Named {
  readonly from: number;
  to: number;
  readonly slotFrom: number;
  slotTo: number;
  readonly reason: string;
  /** As in `Spooled`, of the last of them. */
  age?: number;
}

/** Replaces readings by gaps, one for each run of a device and reason; other gaps stay. Events leave their number behind. */
export function replaceDropped(messages: readonly Spooled[], reason: DropReason): Replaced {
  const kept: (Spooled | DroppedGap)[] = [];
  const open = new Map<string, DroppedGap>();
  let readings = 0;
  let events = 0;
  let eventsBefore = 0;
  for (const message of messages) {
    const gap = gapOf(message, reason);
    if (message.topic === "node/events") {
      const before = droppedBefore(message);
      eventsBefore += before;
      if (before === 0) events++;
    } else if (gap === undefined) {
      kept.push(message);
    } else {
      if (message.topic.startsWith("readings/")) readings++;
      const id = `${gap.device} ${String(gap.interval)} ${String(gap.epoch)} ${gap.reason}`;
      const before = open.get(id);
      if (before?.to === gap.from - 1) {
        before.to = gap.to;
        before.slotTo = gap.slotTo;
        if (gap.age !== undefined) before.age = gap.age;
      } else {
        open.set(id, gap);
        kept.push(gap);
      }
    }
  }
  const told = kept.map((one) => ("payload" in one ? one : gapMessage(one, "dropped")));
  const gone = eventsBefore + events;
  const lost = gone === 0 ? [] : [eventsMessage(messages, gone, reason)];
  return { messages: [...lost, ...told], readings, events };
}

/** The run of slots that a dropped reading, or a gap of dropped readings, stands for. */
function gapOf({ topic, payload, age }: Spooled, why: string): DroppedGap | undefined {
  const old = age === undefined ? {} : { age };
  if (topic.startsWith("readings/")) {
    // A reading, as it was spooled.
    const reading = JSON.parse(payload) as Named & { seq: number; slot: number };
    const { node, gateway, device, interval, epoch, seq, slot } = reading;
    return {
      node,
      gateway,
      device,
      interval,
      epoch,
      from: seq,
      to: seq,
      slotFrom: slot,
      slotTo: slot,
      reason: why,
      ...old,
    };
  }
  if (!topic.startsWith("gaps/")) return undefined;
  // A gap, as it was spooled.
  const gap = JSON.parse(payload) as DroppedGap & { outcome: string };
  if (gap.outcome !== "dropped") return undefined;
  const { node, gateway, device, interval, epoch, from, to, slotFrom, slotTo, reason } = gap;
  return { node, gateway, device, interval, epoch, from, to, slotFrom, slotTo, reason, ...old };
}

function gapMessage(gap: DroppedGap, outcome: string): Spooled {
  const { node, gateway, device, interval, epoch, from, to, slotFrom, slotTo, reason, age } = gap;
  const payload = {
    ...{ node, gateway, device, interval, epoch, from, to, slotFrom, slotTo },
    ...{ outcome, reason },
  };
  const topic = `gaps/${gateway}`;
  const message = { topic, retain: false, interval: 0, slot: slotTo };
  const text = JSON.stringify(payload);
  return { ...message, payload: text, ...(age === undefined ? {} : { age }) };
}

/** How many events a message says were dropped, 0 for an event. */
function droppedBefore({ payload }: Spooled): number {
  // An event, as it was spooled.
  const event = JSON.parse(payload) as { kind: string; data?: { dropped?: number } };
  return event.kind === "events-dropped" ? (event.data?.dropped ?? 1) : 0;
}

function eventsMessage(messages: readonly Spooled[], dropped: number, reason: DropReason): Spooled {
  // An event, as it was spooled: events are in a stream of their own.
  const { node, at } = JSON.parse(messages[0]?.payload ?? "{}") as { node: string; at: number };
  const age = messages.at(-1)?.age;
  const text = `${String(dropped)} events were dropped: ${WHY[reason]}`;
  const kind: EventKind = "events-dropped";
  const payload = { node, at, kind, by: null, text, data: { dropped } };
  return {
    topic: "node/events",
    retain: false,
    interval: 0,
    slot: at,
    payload: JSON.stringify(payload),
    ...(age === undefined ? {} : { age }),
  };
}
