/** Waiting, with an end. */
import type { Clock } from "../core/ports.ts";

/** Waits for work, but not longer than `most` ms. */
export async function within(clock: Clock, most: number, work: Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.timer(most, resolve);
    void work.finally(() => {
      cancel();
      resolve();
    });
  });
}
