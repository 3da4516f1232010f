/** The audit trail: who did what when. On disk, and published through the spool. */
import { messageOf } from "../core/errors.ts";
import type { AuditEvent } from "../core/payloads.ts";
import type { Clock, Log, Store, Write } from "../core/ports.ts";
import { below, keys } from "../core/records.ts";
import type { Committer } from "./committer.ts";
import type { Spool } from "./spool.ts";

/** Events that are taken at once, and each second on top of that; a flapping line must not fill the disk. */
const BURST = 200;
const PER_SECOND = 1;

/** Events that wait for a store that can't be written; the log has them all. */
const MOST_UNWRITTEN = 1000;

/** What the journal works with. */
export interface JournalWorld {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly committer: Committer;
  readonly spool: Spool;
  readonly spooled: () => void;
  /** Told of each event before it gets its wall time; what it gives back is written with the event. */
  readonly stamping?: () => readonly Write[];
}

/** An event without what the journal adds. */
export type Happening = Omit<AuditEvent, "node" | "at" | "by"> & { readonly by?: string };

/** Which part of the audit trail is asked for. */
export interface AuditQuery {
  /** Wall time in ms. */
  readonly since: number;
  readonly gateway?: string;
  readonly limit: number;
}

/** Writes the audit trail. */
export class Journal {
  readonly #world: JournalWorld;
  #number = 0;
  /** Events that came while the store could not be written. */
  #unwritten = 0;
  #credit = BURST;
  #creditAt: number;
  #suppressed = 0;

  constructor(world: JournalWorld) {
    this.#world = world;
    this.#creditAt = world.clock.elapsed();
  }

  /** Puts an event on the audit trail; settles when it is on disk, never rejects. */
  async note(happening: Happening): Promise<void> {
    if (!this.#mayNote()) {
      this.#suppressed++;
      return;
    }
    if (this.#suppressed > 0) {
      const text = `${String(this.#suppressed)} events were left out, they came too fast`;
      this.#suppressed = 0;
      await this.#write({ kind: "events-left-out", text });
    }
    await this.#write(happening);
  }

  async #write({ kind, gateway, device, by, text, data }: Happening): Promise<void> {
    const { node, clock, log, committer, spool, spooled } = this.#world;
    const at = Math.round(clock.wall());
    const event: AuditEvent = {
      ...{ node, at, kind },
      ...(gateway === undefined ? {} : { gateway }),
      ...(device === undefined ? {} : { device }),
      ...{ by: by ?? null, text },
      ...(data === undefined ? {} : { data }),
    };
    log.info({ kind, gateway, device, by }, text);
    const payload = JSON.stringify(event);
    const topic = "node/events";
    const appended = spool.append("$node", [
      { topic, retain: false, interval: 0, slot: at, payload },
    ]);
    const write = { key: keys.audit(at, this.#number++), value: payload };
    const writes = [write, ...(this.#world.stamping?.() ?? []), ...appended.writes];
    try {
      await committer.commit(writes);
      this.#unwritten = 0;
    } catch (error) {
      log.error(
        { kind, error: messageOf(error) },
        "an event can't be written to the audit trail yet",
      );
      if (this.#unwritten++ < MOST_UNWRITTEN) committer.later(writes);
    }
    // Published even if it could not be kept: the store is what the event may be about.
    appended.confirm();
    spooled();
  }

  #mayNote(): boolean {
    const now = this.#world.clock.elapsed();
    this.#credit = Math.min(BURST, this.#credit + ((now - this.#creditAt) / 1000) * PER_SECOND);
    this.#creditAt = now;
    if (this.#credit < 1) return false;
    this.#credit--;
    return true;
  }
}

/** Reads the audit trail, oldest first: the last `limit` events. */
export async function readAudit(store: Store, query: AuditQuery): Promise<AuditEvent[]> {
  const { to } = below(keys.audits);
  const from = keys.audit(Math.max(0, Math.floor(query.since)), 0);
  const found: AuditEvent[] = [];
  let before = to;
  while (found.length < query.limit) {
    const entries = await store.range({ from, to: before, limit: 500, reverse: true });
    for (const { value } of entries) {
      // As written by the journal: the store has checked its checksum.
      const event = JSON.parse(value) as AuditEvent;
      if (query.gateway === undefined || event.gateway === query.gateway) found.push(event);
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < 500) break;
    before = last.key;
  }
  return found.slice(0, query.limit).reverse();
}
