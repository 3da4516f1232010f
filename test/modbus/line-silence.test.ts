/** When a request may leave on a line without ids: never before its silence is over, and not later than need be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Line } from "../../src/modbus/line.ts";
import type { Wire } from "../../src/modbus/wire.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const SILENCE = 2;
/** ms that the driver takes to clear its buffers. */
const CLEARING = 0.3;

/** What happens while a line is waited for, in order, with its time. */
type Seen = readonly [what: "clear" | "ready", at: number];

/** Waits once for a line that has just heard something; `during` is called with each wait and gives the ms by which it is late. */
async function silence(
  during: (line: Line, wait: number) => number = () => 0,
): Promise<readonly Seen[]> {
  const clock = createFakeClock();
  const began = clock.elapsed();
  let passed = 0;
  let waits = 0;
  const seen: Seen[] = [];
  const own = { ...clock, elapsed: () => began + passed };
  const line = new Line(own, {
    ...{ silence: SILENCE, character: 0.5, maxAnswerTime: undefined },
    ...{ dropsInDoubt: false, isSilent: true },
    waitUntil: (at) => {
      passed = at - began + during(line, waits++);
      return Promise.resolve();
    },
  });
  const clear = (): Promise<void> => {
    passed += CLEARING;
    seen.push(["clear", passed]);
    return Promise.resolve();
  };
  line.hear(Buffer.of(1), true);
  // Of a wire nothing else is used.
  await line.silent({ clear } as unknown as Wire, () => true);
  seen.push(["ready", passed]);
  return seen;
}

test("what came is cleared while it is waited, and the request leaves with the end of the silence", async () => {
  const [[clear, at] = [], ...rest] = await silence();
  assert.equal(clear, "clear");
  assert.ok(Number(at) < SILENCE, `cleared after ${String(at)} ms`);
  assert.deepEqual(rest, [["ready", SILENCE]]);
});

test("a process that was held up clears again, for it has not heard everything", async () => {
  const seen = await silence((_, wait) => (wait === 1 ? 40 : 0));
  assert.deepEqual(
    seen.map(([what]) => what),
    ["clear", "clear", "ready"],
  );
  // It was held up before it could clear: once is enough.
  const early = await silence((_, wait) => (wait === 0 ? 40 : 0));
  assert.deepEqual(
    early.map(([what]) => what),
    ["clear", "ready"],
  );
});

test("a byte that comes while it is waited begins the silence anew", async () => {
  const seen = await silence((line, wait) => {
    if (wait === 1) line.hear(Buffer.of(2), false);
    return 0;
  });
  const ready = seen.at(-1)?.[1] ?? 0;
  assert.ok(ready >= 2 * SILENCE - 0.5, `ready after ${String(ready)} ms`);
  assert.equal(seen.filter(([what]) => what === "clear").length, 2);
});
