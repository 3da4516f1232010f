/** Suspends and steps of the wall clock, put on the audit trail: one event for the node. */
import { count } from "../core/count.ts";
import { durationText } from "../core/interval-text.ts";
import { STEP_LIMIT, stepLimitOf, type Step } from "../core/grid.ts";
import { scheduleId, scheduleName } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { Journal } from "./journal.ts";
import type { Schedule } from "./schedule.ts";

/** ms in which the steps that schedules notice by themselves are gathered. */
const GATHER = 2000;
/** Schedules named in one event; the others are counted. */
const MOST_NAMED = 20;

/** The first slot of a schedule that follows the clock as it was set. */
interface FirstAfter {
  readonly gateway: string;
  readonly interval: number;
  readonly epoch: number;
  readonly seq: number;
}

/** Notes what happens to the clocks. */
export class ClockNotes {
  readonly #clock: Clock;
  readonly #journal: Journal;
  /** Wall clock minus elapsed time at the last look. */
  #offset: number | undefined;
  /** Seq after the last step that was told, by schedule. */
  readonly #told = new Map<string, number>();
  /** Steps that only schedules have noticed, told together. */
  #noticed: FirstAfter[] = [];
  #size = 0;
  #open = false;

  constructor(clock: Clock, journal: Journal) {
    this.#clock = clock;
    this.#journal = journal;
  }

  /** Tells what was noticed when the schedules were taken up; from now on steps are told as they come. */
  open(): void {
    this.#open = true;
    if (this.#noticed.length > 0) this.#tellNoticed();
  }

  /** Compares the clocks, before a schedule goes by them: `offset` is wall clock minus elapsed time. */
  look = (offset: number, schedules: ReadonlySet<Schedule>): void => {
    const size = offset - (this.#offset ?? offset);
    this.#offset = offset;
    if (Math.abs(size) <= STEP_LIMIT) return;
    const moved = [...schedules].filter(({ interval }) => Math.abs(size) > stepLimitOf(interval));
    const firsts = moved.map((schedule) => firstAfter(schedule, schedule.next.seq + 1));
    for (const { gateway, interval, seq } of firsts)
      this.#told.set(scheduleId(gateway, interval), seq);
    this.#tell(size, firsts);
  };

  /** A schedule lengthened an interval to follow the wall clock. Told unless a look saw that clock being set. */
  stepped = (schedule: Schedule, { size, seq }: Step): void => {
    if (this.#told.get(schedule.id) === seq) return;
    if (this.#open && this.#noticed.length === 0) this.#clock.timer(GATHER, this.#tellNoticed);
    this.#size = size;
    this.#noticed.push(firstAfter(schedule, seq));
  };

  /** The machine slept. */
  suspended = (length: number): void => {
    const text = `the machine was suspended for ${String(Math.round(length / 1000))} s`;
    const data = { length: Math.round(length) };
    void this.#journal.note({ kind: "suspended", text, data });
  };

  #tellNoticed = (): void => {
    this.#tell(this.#size, this.#noticed);
    this.#noticed = [];
  };

  #tell(precise: number, firsts: readonly FirstAfter[]): void {
    const size = Math.round(precise);
    const schedules = firsts.slice(0, MOST_NAMED);
    const more = firsts.length - schedules.length;
    const way = size > 0 ? "forward" : "back";
    const length = durationText(Math.round(Math.abs(size) / 100) * 100);
    const text = `the wall clock was set ${way} by ${length}${fromText(firsts)}`;
    void this.#journal.note({ kind: "clock-step", text, data: { size, schedules, more } });
  }
}

function firstAfter({ gateway, interval, account }: Schedule, seq: number): FirstAfter {
  return { gateway: gateway.id, interval, epoch: account.epoch, seq };
}

function fromText([first, ...others]: readonly FirstAfter[]): string {
  if (first === undefined) return "";
  const rest = others.length === 0 ? "" : `, and ${count(others.length, "more schedule")} likewise`;
  const name = scheduleName(scheduleId(first.gateway, first.interval));
  return `; no slot is left out or polled twice, one interval is longer (the one before seq ${String(first.seq)} of ${name}${rest})`;
}
