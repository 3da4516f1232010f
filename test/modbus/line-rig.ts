/** A link to a line, whose silences are over at once: what the tests wait for are events. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { SerialConnection } from "../../src/core/model.ts";
import type { Clock } from "../../src/core/ports.ts";
import type { ConnectingLink } from "../../src/modbus/connecting-link.ts";
import type { WaitUntil } from "../../src/modbus/line.ts";
import { openSerialLink } from "../../src/modbus/serial-link.ts";
import { createClock } from "../../src/system/clock.ts";
import { exactWait } from "../../src/system/exact-wait.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { MAX_BACKOFF } from "./rig.ts";

/** A link under test; closed when the test ends. */
export interface LineRig {
  readonly clock: FakeClock;
  readonly link: ConnectingLink;
}

/** What a link to a line is given besides its place. */
export interface Waiting {
  /** Moved by `clock` and, when the link waits for a silence, by itself. */
  readonly own: Clock;
  readonly waitUntil: WaitUntil;
}

/** A clock that jumps to where the link wants to wait to. */
export function waitingOn(clock: FakeClock): Waiting {
  let ahead = 0;
  const elapsed = (): number => clock.elapsed() + ahead;
  return {
    own: { ...clock, elapsed },
    waitUntil: (at) => {
      ahead += Math.max(0, at - elapsed());
      return Promise.resolve();
    },
  };
}

/** A line as it is configured. */
export function serialAt(path: string): SerialConnection {
  const settings = { baud: 19_200, parity: "even", stopBits: 1 } as const;
  return { kind: "serial", url: `serial://${path}`, path, ...settings };
}

/** A link to a serial line, on a clock that moves only when told to. */
export function openLine(t: TestContext, path: string): LineRig {
  const clock = createFakeClock();
  const { own, waitUntil } = waitingOn(clock);
  const link = openSerialLink({
    ...{ connection: serialAt(path), clock: own, waitUntil, maxAnswerTime: undefined },
    ...{ isSilent: true, maxBackoff: MAX_BACKOFF, random: () => 0 },
  });
  t.after(async () => {
    await link.close();
    assert.equal(clock.pendingTimers(), 0, "a timer was left");
  });
  return { clock, link };
}

/** The same on the machine's clock, where what the other side sends has to come before anything else happens. */
export function openLiveLine(
  t: TestContext,
  path: string,
  maxAnswerTime: number,
  isSilent = true,
): ConnectingLink {
  const clock = createClock();
  const link = openSerialLink({
    ...{ connection: serialAt(path), clock, waitUntil: exactWait(clock), maxAnswerTime },
    isSilent,
    ...{ maxBackoff: 0, random: () => 0 },
  });
  t.after(() => link.close());
  return link;
}
