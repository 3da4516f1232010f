/** What waits in the spool and what the broker refused, for those who look. */
import type { DropReason } from "../core/drop.ts";
import type { Entry } from "../core/ports.ts";
import { decodeSpooled, numberOf, streamOf, type Spooled } from "../core/records.ts";
import { decodeRefused } from "../core/refused.ts";
import type { Spool } from "./spool.ts";

/** What waits of one stream. */
export interface SpoolRow {
  /** Null for the events of the node. */
  readonly gateway: string | null;
  readonly messages: number;
  readonly bytes: number;
  /** Nominal time of the oldest message, null when nothing waits. */
  readonly oldest: number | null;
  /** Readings and events that were dropped, ever, by reason. */
  readonly dropped: Partial<Record<DropReason, number>>;
  /** Wall time of the last drop, null without one. */
  readonly lastDrop: number | null;
}

/** What waits. */
export interface SpoolReport {
  readonly messages: number;
  readonly bytes: number;
  readonly quarantined: number;
  readonly streams: readonly SpoolRow[];
}

/** Draws the report; streams by name, that of the events first. */
export async function reportSpool(spool: Spool): Promise<SpoolReport> {
  const waiting = new Map(spool.streams.map((stream) => [stream.name, stream]));
  const names = [...new Set([...waiting.keys(), ...spool.gone.streams])].sort();
  const streams: SpoolRow[] = [];
  for (const name of names) {
    const gone = spool.gone.of(name);
    streams.push({
      gateway: gatewayOf(name),
      messages: waiting.get(name)?.messages ?? 0,
      bytes: waiting.get(name)?.bytes ?? 0,
      oldest: await spool.oldestOf(name),
      dropped: gone?.by ?? {},
      lastDrop: gone?.last ?? null,
    });
  }
  return { ...spool.waiting, quarantined: spool.quarantined, streams };
}

/** A record of the spool as a line of JSON; the payload stands in it byte for byte. */
export function spoolLine({ key, value }: Entry): string {
  return lineOf(key, {}, decodeSpooled(value));
}

/** A record of the quarantine likewise, with when and why it was refused. */
export function refusedLine({ key, value }: Entry): string {
  const { at, reason, spooled } = decodeRefused(value);
  return lineOf(key, { at, reason }, spooled);
}

function lineOf(key: string, why: object, { topic, retain, slot, payload }: Spooled): string {
  const gateway = gatewayOf(streamOf(key));
  const facts = JSON.stringify({
    ...{ topic, gateway, number: numberOf(key), slot, retain },
    ...why,
  });
  return `${facts.slice(0, -1)},"payload":${payload === "" ? '""' : payload}}`;
}

function gatewayOf(stream: string): string | null {
  return stream === "$node" ? null : stream;
}
