/** How late the event loop is. */
import { createHistogram } from "node:perf_hooks";
import type { Clock } from "../core/ports.ts";

/** Lateness of the event loop, ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
}

/** A clock, and how late its timers fired. */
export interface WatchedClock {
  readonly clock: Clock;
  /** The lateness since the last call; zeros when no timer fired. */
  readonly delay: () => LoopDelay;
}

/**
 * Measures the event loop by the timers that fire anyway: Node's own monitor wakes the process fifty
 * times a second, which costs more than polling ten gateways.
 */
export function watchLoop(clock: Clock): WatchedClock {
  // Microseconds, of which it takes whole ones from 1 on.
  const histogram = createHistogram();
  const late = (percentile: number): number =>
    histogram.count === 0 ? 0 : histogram.percentile(percentile) / 1000;
  const timer: Clock["timer"] = (delay, wake) => {
    const due = clock.elapsed() + delay;
    return clock.timer(delay, () => {
      histogram.record(Math.max(1, Math.round((clock.elapsed() - due) * 1000)));
      wake();
    });
  };
  return {
    clock: { ...clock, timer },
    delay: () => {
      const delay = { p50: late(50), p99: late(99) };
      histogram.reset();
      return delay;
    },
  };
}
