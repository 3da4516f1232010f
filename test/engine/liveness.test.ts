/** When a sign of life is given: at a pass of the scheduler, and while no store call hangs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../src/core/ports.ts";
import { Liveness } from "../../src/engine/liveness.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { Rig } from "./rig.ts";

const EVERYTHING = { from: "", to: "\xff" };

/** Signs given in so many ms. */
async function signsIn(rig: Rig, ms: number): Promise<number> {
  const before = rig.signs;
  await rig.clock.advance(ms);
  return rig.signs - before;
}

test("each pass of the scheduler is one, also when nothing is due, and none without", async () => {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [60_000] } }] });
  await rig.start();
  await rig.engine.ask("stop", "*", "test");
  assert.ok((await signsIn(rig, 30_000)) >= 29);
  const stalled = rig.signs;
  await rig.clock.stall(20_000);
  assert.equal(rig.signs, stalled + 1, "one pass when it goes on");
  await rig.stop();
  assert.equal(await signsIn(rig, 30_000), 0);
});

test("none while a store call has been unanswered for 20 s; an error is an answer", async () => {
  const clock = createFakeClock();
  let signs = 0;
  const liveness = new Liveness(clock, () => (signs += 1));
  let answer: (how: "well" | "badly") => void = () => undefined;
  const disk = createMemoryStore([{ key: "a", value: "b" }]);
  const hung = <T>(call: () => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      answer = (how) => {
        if (how === "well") resolve(call());
        else reject(new Error("as told"));
      };
    });
  const slow: Store = {
    compact: () => disk.compact({ from: "", to: "" }),
    close: () => disk.close(),
    write: (batch, sync) => hung(() => disk.write(batch, sync)),
    get: (key) => hung(() => disk.get(key)),
    range: (range) => hung(() => disk.range(range)),
    scan: async function* (range) {
      yield* [await hung(() => disk.range(range))];
    },
  };
  const store = liveness.watched(slow);
  const signsAfter = async (ms: number) => {
    await clock.advance(ms);
    const before = signs;
    liveness.passed();
    return signs - before;
  };
  const calls: Record<string, () => Promise<unknown>> = {
    write: () => store.write([], true),
    get: () => store.get("a"),
    range: () => store.range(EVERYTHING),
    scan: () => store.scan(EVERYTHING).next(),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const how of ["well", "badly"] as const) {
      const answered = call().catch(() => undefined);
      assert.equal(await signsAfter(19_999), 1, name);
      assert.equal(await signsAfter(1), 0, name);
      assert.equal(await signsAfter(3_600_000), 0, name);
      answer(how);
      await answered;
      assert.equal(await signsAfter(0), 1, `${name}, answered ${how}`);
    }
  }
});

test("a call that is answered does not speak for another one that hangs", async () => {
  const clock = createFakeClock();
  let signs = 0;
  const liveness = new Liveness(clock, () => (signs += 1));
  const answers: (() => void)[] = [];
  const disk = createMemoryStore([]);
  disk.get = () => new Promise((resolve) => answers.push(resolve.bind(undefined, undefined)));
  const store = liveness.watched(disk);
  const answered = async (call: Promise<unknown>, n: number) => {
    answers[n]?.();
    await call;
  };
  const signAfter = async (ms: number) => {
    await clock.advance(ms);
    const before = signs;
    liveness.passed();
    return signs > before;
  };
  const oldest = store.get("a");
  await clock.advance(10_000);
  const middle = store.get("b");
  const newest = store.get("c");
  await answered(newest, 2);
  assert.equal(await signAfter(10_000), false, "the oldest hangs");
  await answered(oldest, 0);
  assert.equal(await signAfter(9_999), true, "the other has time left");
  assert.equal(await signAfter(1), false, "and hangs as well");
  await answered(middle, 1);
  assert.equal(await signAfter(0), true);
});

test("whoever takes pages may take his time, and a compaction its own", async () => {
  const clock = createFakeClock();
  let signs = 0;
  const liveness = new Liveness(clock, () => (signs += 1));
  const disk = createMemoryStore([{ key: "a", value: "b" }]);
  const never = () => new Promise<never>(() => undefined);
  disk.compact = never;
  const store = liveness.watched(disk);
  void store.compact(EVERYTHING);
  for await (const page of store.scan(EVERYTHING)) {
    await clock.advance(60_000);
    liveness.passed();
    assert.equal(page.length, 1);
  }
  assert.equal(signs, 1);
});
