/** How late the event loop is. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** ms between two samples. */
const RESOLUTION = 20;

/** Lateness of the event loop, ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
}

/** A running watch on the event loop. */
export interface LoopWatch {
  /** The lateness since the last call. */
  read(): LoopDelay;
  stop(): void;
}

/** Begins to watch the event loop; does not keep the process alive. */
export function watchLoop(): LoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  // The histogram holds the whole time between two samples, in ns.
  const lateness = (percentile: number): number =>
    Math.max(0, histogram.percentile(percentile) / 1e6 - RESOLUTION);
  return {
    read: () => {
      const delay = { p50: lateness(50), p99: lateness(99) };
      histogram.reset();
      return delay;
    },
    stop: () => {
      histogram.disable();
    },
  };
}
