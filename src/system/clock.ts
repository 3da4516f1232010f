/** The clocks of the machine. */
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Clock } from "../core/ports.ts";

const LONGEST_TIMER = 2 ** 31 - 1;
/** Outside Linux the uptime counts whole seconds. */
const UPTIME_STEP = process.platform === "linux" ? 0 : 2000;

/** ms by which wall clock and monotonic time may part before the uptime is looked at, and the longest between two looks. */
const HINT = 50;
const LOOK_EVERY = 1000;

/** One look at both clocks, ms: `monotonic` stops while the machine sleeps, `uptime` does not. */
export interface ClockReading {
  readonly monotonic: number;
  readonly uptime: number;
}

/** The suspend of this boot before the process began, ms; a difference up to `least` is imprecision. */
export function suspendBefore(reading: ClockReading, least: number): number {
  const difference = reading.uptime - reading.monotonic;
  return difference > least ? difference : 0;
}

/** The suspend that `known` ms of suspend do not hold yet, ms; 0 up to `least`, which is imprecision. */
export function suspendSince(reading: ClockReading, known: number, least: number): number {
  const jump = reading.uptime - reading.monotonic - known;
  return jump > least ? jump : 0;
}

/**
 * The machine's clocks; elapsed times compare across the processes of one boot, within 50 ms.
 * A test gives readings of its own.
 */
export function createClock(monotonic = readMonotonic, uptimeMs = readUptime): Clock {
  // The uptime first: a process that has to wait for its turn between the two must not take that for a suspend.
  const look = (): ClockReading => {
    const uptime = uptimeMs();
    return { uptime, monotonic: monotonic() };
  };
  let suspended = suspendBefore(look(), 50 + UPTIME_STEP);
  let lastLook = monotonic();
  let lastWall = Date.now();
  /** Reading the uptime costs a file: it is read when the wall clock hints at a suspend, and each second. */
  const isDue = (): boolean => {
    const now = monotonic();
    const wall = Date.now();
    const isDue =
      Math.abs(wall - lastWall - (now - lastLook)) > HINT || now - lastLook >= LOOK_EVERY;
    if (isDue) [lastLook, lastWall] = [now, wall];
    return isDue;
  };
  return {
    wall: () => Date.now(),
    elapsed: () => monotonic() + suspended,
    noticeSuspend: () => {
      if (!isDue()) return 0;
      const jump = suspendSince(look(), suspended, 100 + UPTIME_STEP);
      suspended += jump;
      return jump;
    },
    bootId: readBootId(),
    timer: (delay, wake) => {
      // Node turns a longer delay into 1 ms; waking too early is the lesser evil.
      let handle: NodeJS.Timeout | undefined = setTimeout(wake, Math.min(delay, LONGEST_TIMER));
      return () => {
        clearTimeout(handle);
        // Whoever keeps the function that cancels does not keep the timer.
        handle = undefined;
      };
    },
  };
}

/** Where the process began on the monotonic clock, ms; that clock itself makes a bigint at each look. */
const BEGAN = Number(process.hrtime.bigint()) / 1e6 - performance.now();

function readMonotonic(): number {
  return BEGAN + performance.now();
}

function readUptime(): number {
  return uptime() * 1000;
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Elsewhere the minute of the boot is the best there is.
    return `boot-${String(Math.round((Date.now() - readUptime()) / 60_000))}`;
  }
}
