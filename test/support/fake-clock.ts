/** A clock that moves only when a test says so. */
import type { Clock } from "../../src/core/ports.ts";

/** Turns of the event loop after each timer, so that promises and callbacks behind it come to rest. */
const TURNS = 3;
const LEAST_SUSPEND = 100;

/** A clock with separate hands for the wall, for time that runs and for time the machine sleeps. */
export interface FakeClock extends Clock {
  /** Lets `ms` pass; fires the timers due in it at their time, in order, with rest between them. */
  advance(ms: number): Promise<void>;
  /** Lets `ms` pass while nothing runs; then fires what came due meanwhile, late. */
  stall(ms: number): Promise<void>;
  /** Moves the wall clock alone; timers and elapsed time do not notice. */
  stepWall(ms: number): void;
  /** The machine sleeps: the wall moves, timers stand still, elapsed grows at the next `noticeSuspend`. */
  suspend(ms: number): void;
  /** Timers that are armed. */
  pendingTimers(): number;
  /** Lets promises and callbacks come to rest; no time passes. */
  settle(): Promise<void>;
}

/** How a fake clock begins. */
export interface FakeClockStart {
  readonly wall?: number;
  readonly elapsed?: number;
  readonly bootId?: string;
  /** ms by which a timer fires too late, negative: too early (Node: up to 1 ms); default 0. */
  readonly jitter?: () => number;
  /** Whether something works that takes real time, such as a disk: no time passes until it rests. */
  readonly isBusy?: () => boolean;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  wake: (() => void) | undefined;
}

/** A clock at rest; wall and elapsed begin far apart so that mixing them up shows. */
export function createFakeClock(start: FakeClockStart = {}): FakeClock {
  const timers = new TimerHeap();
  const jitter = start.jitter ?? ((): number => 0);
  const isBusy = start.isBusy ?? ((): boolean => false);
  let monotonic = start.elapsed ?? 1_000_000;
  let wallOffset = (start.wall ?? 1_795_400_000_000) - monotonic;
  let noticed = 0;
  let unnoticed = 0;
  let order = 0;
  let armed = 0;
  let moving = false;

  async function settle(): Promise<void> {
    do {
      for (let turn = 0; turn < TURNS; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    } while (isBusy());
  }

  async function fireUntil(end: number): Promise<void> {
    if (moving) throw new Error("the fake clock is moving already; await advance or stall");
    moving = true;
    try {
      await settle();
      for (let next = timers.first(); next && next.due <= end; next = timers.first()) {
        timers.removeFirst();
        const wake = next.wake;
        if (!wake) continue;
        next.wake = undefined;
        armed -= 1;
        monotonic = Math.max(monotonic, next.due);
        wake();
        await settle();
      }
      monotonic = Math.max(monotonic, end);
    } finally {
      moving = false;
    }
  }

  return {
    bootId: start.bootId ?? "boot-1",
    wall: () => monotonic + wallOffset,
    elapsed: () => monotonic + noticed,
    noticeSuspend: () => {
      if (unnoticed <= LEAST_SUSPEND) return 0;
      const jump = unnoticed;
      noticed += jump;
      unnoticed = 0;
      return jump;
    },
    timer: (delay, wake) => {
      // Like Node: whole ms, at least 1, and 1 for what does not fit.
      const whole = delay >= 1 && delay <= 2 ** 31 - 1 ? Math.trunc(delay) : 1;
      const timer: Timer = { due: monotonic + whole + jitter(), order, wake };
      order += 1;
      armed += 1;
      timers.add(timer);
      return () => {
        if (timer.wake) armed -= 1;
        timer.wake = undefined;
      };
    },
    advance: (ms) => fireUntil(monotonic + ms),
    stall: (ms) => {
      monotonic += ms;
      return fireUntil(monotonic);
    },
    stepWall: (ms) => {
      wallOffset += ms;
    },
    suspend: (ms) => {
      wallOffset += ms;
      unnoticed += ms;
    },
    pendingTimers: () => armed,
    settle,
  };
}

/** Timers by due time, those of equal time in the order they were armed. */
class TimerHeap {
  readonly #heap: Timer[] = [];

  first(): Timer | undefined {
    return this.#heap[0];
  }

  add(timer: Timer): void {
    let hole = this.#heap.length;
    while (hole > 0) {
      const parent = this.#heap[(hole - 1) >> 1];
      if (!parent || !isBefore(timer, parent)) break;
      this.#heap[hole] = parent;
      hole = (hole - 1) >> 1;
    }
    this.#heap[hole] = timer;
  }

  removeFirst(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    let hole = 0;
    for (;;) {
      const child = this.#smallerChild(hole);
      const timer = this.#heap[child];
      if (!timer || !isBefore(timer, last)) break;
      this.#heap[hole] = timer;
      hole = child;
    }
    this.#heap[hole] = last;
  }

  #smallerChild(parent: number): number {
    const left = this.#heap[2 * parent + 1];
    const right = this.#heap[2 * parent + 2];
    return left && right && isBefore(right, left) ? 2 * parent + 2 : 2 * parent + 1;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due === b.due ? a.order < b.order : a.due < b.due;
}
