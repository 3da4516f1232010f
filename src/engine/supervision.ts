/** Watches that every schedule that is meant to run moves on; one that does not is restarted, counted and told. */
import { scheduleName } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import { LOOK_EVERY } from "../core/supervision.ts";
import type { Finding } from "../core/validation.ts";
import type { Gateways } from "./gateways.ts";
import type { Journal } from "./journal.ts";
import type { Schedule } from "./schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** ms for which a schedule that was restarted stays a finding. */
const HELD = 3_600_000;
/** Schedules named in one event, and findings told. */
const MOST_NAMED = 100;

/** What the watch works with. */
export interface SupervisionWorld {
  readonly clock: Clock;
  readonly gateways: Gateways;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
}

interface Stall {
  readonly at: number;
  readonly finding: Finding;
}

/** See the head of this file. */
export class Supervision {
  readonly #world: SupervisionWorld;
  /** The last stall of each schedule, by its id. */
  readonly #stalls = new Map<string, Stall>();
  #restarts = 0;
  #lookedAt = 0;
  #cancel: (() => void) | undefined;

  constructor(world: SupervisionWorld) {
    this.#world = world;
  }

  /** Schedules restarted since the start. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Schedules that were restarted within the last hour. */
  get findings(): readonly Finding[] {
    const since = this.#world.clock.elapsed() - HELD;
    for (const [id, { at }] of this.#stalls) if (at <= since) this.#stalls.delete(id);
    return [...this.#stalls.values()].slice(0, MOST_NAMED).map(({ finding }) => finding);
  }

  /** Begins to look. */
  open(): void {
    this.#lookedAt = this.#world.clock.elapsed();
    this.#arm();
  }

  /** Looks no more. */
  close(): void {
    this.#cancel?.();
  }

  #arm(): void {
    this.#cancel = this.#world.clock.timer(LOOK_EVERY, () => {
      this.#arm();
      this.#look();
    });
  }

  #look(): void {
    const { clock, gateways, scheduler } = this.#world;
    const passed = clock.elapsed() - this.#lookedAt;
    this.#lookedAt += passed;
    const stalled: Schedule[] = [];
    for (const { schedules } of gateways.all) {
      for (const schedule of schedules) if (isStalled(schedule, passed)) stalled.push(schedule);
    }
    if (stalled.length === 0) return;
    this.#restarts += stalled.length;
    this.#tell(stalled);
    for (const schedule of stalled) {
      this.#find(schedule);
      scheduler.restart(schedule);
    }
  }

  #find({ id, gateway, interval, watch, account }: Schedule): void {
    const text =
      `${scheduleName(id)} began no slot for ${String(Math.round(watch.still / 1000))} s though it is meant to run, and no reason ` +
      `was on record (seq ${String(account.last)} was the last): a bug in edgepoll. It was restarted`;
    const next = `edgepoll events --gateway ${gateway.id} --since 1h`;
    const finding: Finding = { kind: "stalled", gateway: gateway.id, interval, text, next };
    this.#stalls.delete(id);
    this.#stalls.set(id, { at: this.#world.clock.elapsed(), finding });
    watch.reset();
  }

  #tell(stalled: readonly Schedule[]): void {
    const named = stalled.slice(0, MOST_NAMED);
    const [first] = named;
    const others = stalled.length > 1 ? ` and ${String(stalled.length - 1)} more` : "";
    const text = `${scheduleName(first?.id ?? "")}${others} began no slot for three intervals, and no reason was on record: restarted`;
    const schedules = named.map(({ gateway, interval }) => ({ gateway: gateway.id, interval }));
    const gateway = stalled.length === 1 ? first?.gateway.id : undefined;
    void this.#world.journal.note({
      kind: "schedules-restarted",
      ...(gateway === undefined ? {} : { gateway }),
      text,
      data: { schedules },
    });
  }
}

function isStalled({ running, account, interval, watch }: Schedule, passed: number): boolean {
  if (!running) {
    watch.reset();
    return false;
  }
  watch.look(account.epoch, account.last, passed);
  return watch.isStalled(interval);
}
