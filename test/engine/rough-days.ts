/** Days as they happen to a node, on the virtual clock: crashes, boots, suspends, a clock that is set and wanders. */
import type { Rig } from "./rig.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How the days go. */
export interface Days {
  /** ms in all, by time that passes. */
  readonly length: number;
  /** ms between two mishaps, on average. */
  readonly every: number;
  /** Parts per million by which the wall clock runs fast. */
  readonly drift: number;
  /** ms; the longest interval. */
  readonly interval: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Called after each stretch without a mishap; `passed` ms of `length` are over. */
  readonly calm?: (passed: number) => void;
}

/** What happened, and how often. */
export type Mishaps = Record<(typeof KINDS)[number], number> & {
  /** Boots after which the clock was behind the ledger, so that nobody knows how long the machine was off, and for how long it was, ms. */
  behind: number;
  unknowable: number;
  /** ms by which the clock was set shortly before boots: no slot was recorded in between, and it passes for time. */
  unrecorded: number;
};

const KINDS = ["crash", "boot", "restart", "suspend", "step", "stall", "outage"] as const;

/** Longest time that passes at once, ms: a clock that wanders must be seen to do so. */
const STRETCH = 10 * MINUTE;

/** Lets the days pass; a process runs before and after. */
export async function passDays(rig: Rig, days: Days): Promise<Mishaps> {
  const { length, every, interval, random, calm } = days;
  const mishaps: Mishaps = {
    ...{ crash: 0, boot: 0, restart: 0, suspend: 0, step: 0, stall: 0, outage: 0 },
    ...{ behind: 0, unknowable: 0, unrecorded: 0 },
  };
  const began = rig.clock.elapsed();
  const passed = () => rig.clock.elapsed() - began;
  const offset = () => rig.clock.wall() - rig.clock.elapsed();
  let undisturbedSince = 0;
  let unrecorded = 0;
  for (let next = random() * 2 * every; passed() < length; next += random() * 2 * every) {
    while (passed() < Math.min(next, length)) {
      const stretch = Math.max(1, Math.min(STRETCH, next - passed(), length - passed()));
      await rig.clock.advance(stretch);
      rig.clock.stepWall((stretch * days.drift) / 1e6);
      calm?.(passed());
    }
    if (passed() >= length) break;
    const kind = KINDS[Math.floor(random() * KINDS.length)] ?? "step";
    mishaps[kind]++;
    // After a step the next slot is up to two intervals away; what it records is the new time.
    if (passed() - undisturbedSince > 3 * interval) unrecorded = 0;
    if (kind === "boot" && unrecorded > 0) {
      mishaps.behind++;
      mishaps.unrecorded += unrecorded;
    }
    const [before, from] = [offset(), passed()];
    await happen(rig, kind, random, mishaps);
    // An epoch that a boot began and that had no slot yet knows nothing of what happens to it.
    if (unrecorded > 0) mishaps.unknowable += passed() - from;
    unrecorded += Math.abs(offset() - before);
    undisturbedSince = passed();
  }
  return mishaps;
}

/** One mishap, up to an hour of it. */
async function happen(
  rig: Rig,
  kind: (typeof KINDS)[number],
  random: () => number,
  mishaps: Mishaps,
): Promise<void> {
  const { clock, broker } = rig;
  const length = Math.ceil(random() ** 3 * 60 * MINUTE);
  switch (kind) {
    case "crash":
      rig.crash({ inFlightKept: random() < 0.5 });
      await clock.advance(length);
      return rig.start();
    case "boot":
      rig.crash({ powerCut: true, inFlightKept: random() < 0.5 });
      await clock.advance(length);
      rig.reboot();
      if (random() < 0.3) {
        // A board without a battery.
        clock.stepWall(-2 * length - MINUTE);
        mishaps.behind++;
        mishaps.unknowable += length;
      }
      return rig.start();
    case "restart":
      await rig.stop();
      await clock.advance(length);
      return rig.start();
    case "suspend":
      clock.suspend(length + SECOND);
      return clock.advance(1);
    case "step":
      clock.stepWall(random() < 0.5 ? length : -length);
      return;
    case "stall":
      return clock.stall(length / 20);
    case "outage":
      broker.away();
      await clock.advance(length);
      broker.back();
      return clock.settle();
  }
}
