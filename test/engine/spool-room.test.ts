/** The room of what was delivered, given back to the disk. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SpoolRoom } from "../../src/engine/spool-room.ts";
import { turns } from "../../src/engine/turns.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createMemoryStore } from "../support/memory-store.ts";

const MB = 1e6;
const LOOK = 10_000;

interface Bench {
  readonly clock: FakeClock;
  readonly room: SpoolRoom;
  /** Ranges that were compacted, and warnings of the log. */
  readonly compacted: { from: string; to: string }[];
  readonly warnings: string[];
  readonly waiting: { bytes: number };
  /** What the store does when asked to compact. */
  answer: () => Promise<void>;
}

function bench(): Bench {
  const clock = createFakeClock();
  const compacted: Bench["compacted"] = [];
  const warnings: string[] = [];
  const waiting = { messages: 0, bytes: 0 };
  const silent = (): void => undefined;
  const log = {
    ...{ debug: silent, info: silent, error: silent },
    warn: (_fields: object, text: string) => warnings.push(text),
  };
  const store = createMemoryStore();
  store.compact = (range) => {
    compacted.push(range);
    return made.answer();
  };
  const room = new SpoolRoom({ clock, log, store, spool: { waiting }, inTurn: turns() });
  const made: Bench = {
    ...{ clock, room, compacted, warnings, waiting },
    answer: () => Promise.resolve(),
  };
  return made;
}

describe("the room of the spool", () => {
  it("is given back once, when nine tenths of a long outage are delivered", async () => {
    const { clock, room, compacted, waiting } = bench();
    waiting.bytes = 20 * MB;
    room.open();
    await clock.advance(LOOK);
    waiting.bytes = 40 * MB;
    await clock.advance(LOOK);
    waiting.bytes = 5 * MB;
    await clock.advance(3 * LOOK);
    assert.deepEqual(compacted, []);
    waiting.bytes = 4 * MB;
    await clock.advance(LOOK);
    assert.deepEqual(compacted, [{ from: "spool/", to: "spool0" }]);
    waiting.bytes = 0;
    await clock.advance(100 * LOOK);
    assert.equal(compacted.length, 1);
    room.close();
  });

  it("is given back again after the next outage", async () => {
    const { clock, room, compacted, waiting } = bench();
    room.open();
    for (const bytes of [20 * MB, 0, 30 * MB, 0]) {
      waiting.bytes = bytes;
      await clock.advance(2 * LOOK);
    }
    assert.equal(compacted.length, 2);
    room.close();
  });

  it("is left alone when little waited", async () => {
    const { clock, room, compacted, waiting } = bench();
    room.open();
    for (let i = 0; i < 20; i++) {
      waiting.bytes = i % 2 === 0 ? 8 * MB : 0;
      await clock.advance(LOOK);
    }
    assert.deepEqual(compacted, []);
    room.close();
  });

  it("is not asked for twice while the disk takes its time, nor after the end", async () => {
    const it = bench();
    let finish = (): void => undefined;
    it.answer = () => new Promise((resolve) => (finish = resolve));
    it.waiting.bytes = 20 * MB;
    it.room.open();
    it.waiting.bytes = 0;
    await it.clock.advance(10 * LOOK);
    assert.equal(it.compacted.length, 1);
    it.room.close();
    finish();
    await it.clock.advance(10 * LOOK);
    assert.equal(it.compacted.length, 1);
  });

  it("stays taken when the disk fails, and the log says so", async () => {
    const it = bench();
    it.answer = () => Promise.reject(new Error("no space left on device"));
    it.waiting.bytes = 20 * MB;
    it.room.open();
    it.waiting.bytes = 0;
    await it.clock.advance(10 * LOOK);
    assert.equal(it.warnings.length, 1);
    it.waiting.bytes = 20 * MB;
    await it.clock.advance(LOOK);
    it.waiting.bytes = 0;
    await it.clock.advance(LOOK);
    assert.equal(it.compacted.length, 2);
    it.room.close();
  });
});
