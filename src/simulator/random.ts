/** Chance that comes out the same for the same seed. */
import type { Random } from "../core/ports.ts";

/** A number in [0, 1) from a text: FNV-1a, 32 bits. */
export function shareOf(seed: string): number {
  return hashOf(seed) / 2 ** 32;
}

/** Numbers in [0, 1), one after the other; the generator is Mulberry32. */
export function randomOf(seed: string): Random {
  let state = hashOf(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hashOf(seed: string): number {
  let hash = 0x811c9dc5;
  for (const char of seed) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
