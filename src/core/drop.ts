/** What takes the place of spooled messages that are dropped or refused: gaps that name what is gone. */
import type { EventKind } from "./payloads.ts";
import type { Spooled } from "./records.ts";

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
  const gap = gapOf(refused);
  return gap === undefined ? undefined : gapMessage(gap, "quarantined", "refused");
}

interface DroppedGap extends Named {
  readonly from: number;
  to: number;
  readonly slotFrom: number;
  slotTo: number;
}

/** Replaces readings by gaps, one for each run of a device; other gaps stay. Events leave their number behind. */
export function replaceDropped(messages: readonly Spooled[]): Replaced {
  const kept: (Spooled | DroppedGap)[] = [];
  const open = new Map<string, DroppedGap>();
  let readings = 0;
  let events = 0;
  for (const message of messages) {
    const gap = gapOf(message);
    if (message.topic === "node/events") {
      events += eventsIn(message);
    } else if (gap === undefined) {
      kept.push(message);
    } else {
      if (message.topic.startsWith("readings/")) readings++;
      const id = `${gap.device} ${String(gap.interval)} ${String(gap.epoch)}`;
      const before = open.get(id);
      if (before?.to === gap.from - 1) {
        before.to = gap.to;
        before.slotTo = gap.slotTo;
      } else {
        open.set(id, gap);
        kept.push(gap);
      }
    }
  }
  const told = kept.map((one) =>
    "payload" in one ? one : gapMessage(one, "dropped", "spool_full"),
  );
  const lost = events === 0 ? [] : [eventsMessage(messages[0], events)];
  return { messages: [...lost, ...told], readings, events };
}

/** The run of slots that a dropped reading, or a gap of dropped readings, stands for. */
function gapOf({ topic, payload }: Spooled): DroppedGap | undefined {
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
    };
  }
  if (!topic.startsWith("gaps/")) return undefined;
  // A gap, as it was spooled.
  const gap = JSON.parse(payload) as DroppedGap & { outcome: string };
  if (gap.outcome !== "dropped") return undefined;
  const { node, gateway, device, interval, epoch, from, to, slotFrom, slotTo } = gap;
  return { node, gateway, device, interval, epoch, from, to, slotFrom, slotTo };
}

function gapMessage(gap: DroppedGap, outcome: string, reason: string): Spooled {
  const { node, gateway, device, interval, epoch, from, to, slotFrom, slotTo } = gap;
  const payload = {
    ...{ node, gateway, device, interval, epoch, from, to, slotFrom, slotTo },
    ...{ outcome, reason },
  };
  const topic = `gaps/${gateway}`;
  return { topic, retain: false, interval: 0, slot: slotTo, payload: JSON.stringify(payload) };
}

function eventsIn({ payload }: Spooled): number {
  // An event, as it was spooled.
  const event = JSON.parse(payload) as { kind: string; data?: { dropped?: number } };
  return event.kind === "events-dropped" ? (event.data?.dropped ?? 1) : 1;
}

function eventsMessage(first: Spooled | undefined, dropped: number): Spooled {
  // An event, as it was spooled: events are in a stream of their own.
  const { node, at } = JSON.parse(first?.payload ?? "{}") as { node: string; at: number };
  const text = `${String(dropped)} events were dropped: the spool was full`;
  const kind: EventKind = "events-dropped";
  const payload = { node, at, kind, by: null, text, data: { dropped } };
  return {
    topic: "node/events",
    retain: false,
    interval: 0,
    slot: at,
    payload: JSON.stringify(payload),
  };
}
