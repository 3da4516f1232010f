/** Waiting to a fraction of a millisecond, which timers can't. */
import type { Clock } from "../core/ports.ts";

/** ms by which a timer may wake too late. */
const TIMER_ERROR = 1;

/**
 * Settles at an elapsed time, a tenth of a millisecond late at most when the machine is idle. The last
 * one or two milliseconds are turns of the event loop, which serves all others in them.
 */
export function exactWait(clock: Pick<Clock, "elapsed" | "timer">): (at: number) => Promise<void> {
  return (at) =>
    new Promise((resolve) => {
      const look = (): void => {
        const left = at - clock.elapsed();
        if (left <= 0) resolve();
        else if (left > 1 + TIMER_ERROR) clock.timer(Math.floor(left - TIMER_ERROR), look);
        else setImmediate(look);
      };
      look();
    });
}
