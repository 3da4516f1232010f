/** How the process treats memory. */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import type { Clock } from "../core/ports.ts";

/** Bytes of both halves of a young generation that is large enough. */
const YOUNG = 16e6;
/** ms until the first look at it, and between two: while it is too small, and then. */
const LOOK_FIRST = 5000;
const LOOK_SOON = 250;
const LOOK_AGAIN = 10_000;

/**
 * Lets the heap grow by a third before it is collected in full; V8 itself waits for three times what
 * lives, which for 500 gateways is 30 MB more and for a small board's memory too much. For a process
 * that lives long; the returned function ends the watch over the young generation.
 */
export function keepHeapSmall(clock: Pick<Clock, "timer">): () => void {
  setFlagsFromString("--heap-growing-percent=30");
  // What a start makes is there to stay.
  growYoungBy(1);
  // In a young generation that is small, as V8 leaves it after a start that took long or after an idle hour,
  // what is in flight passes for old, and fills the heap for the next full collection. One larger than needed
  // only costs memory: it is no quicker.
  const look = (): void => {
    const isLarge = youngBytes() >= YOUNG;
    growYoungBy(isLarge ? 1 : 2);
    cancel = clock.timer(isLarge ? LOOK_AGAIN : LOOK_SOON, look);
  };
  let cancel = clock.timer(LOOK_FIRST, look);
  return () => {
    cancel();
  };
}

/** By what V8 multiplies the young generation when much of it survives. */
function growYoungBy(factor: 1 | 2): void {
  setFlagsFromString(`--semi-space-growth-factor=${String(factor)}`);
}

function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return young?.space_size ?? 0;
}
