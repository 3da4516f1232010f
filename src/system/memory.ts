/** How the process treats memory. */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Bytes of both halves of a young generation that is large enough. */
const YOUNG = 16e6;

/**
 * Lets the heap grow by a third before it is collected in full; V8 itself waits for three times what
 * lives, which for 500 gateways is 30 MB more and for a small board's memory too much. For a process
 * that lives long; to be called when its code is loaded, before it has much of a heap.
 */
export function keepHeapSmall(): void {
  if (youngBytes() < YOUNG) {
    setFlagsFromString("--optimize-for-size");
    return;
  }
  // The flag above has the young generation shrink at each full collection as well: what is short-lived
  // then passes for old, and fills the heap for the next one. It stays as large as the start has made it.
  setFlagsFromString("--heap-growing-percent=30");
  setFlagsFromString("--semi-space-growth-factor=1");
}

function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return young?.space_size ?? 0;
}
