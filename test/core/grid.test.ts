import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  advance,
  countDue,
  graceOf,
  layGrid,
  nextEpoch,
  phaseOf,
  STEP_LIMIT,
  stepLimitOf,
  type Grid,
} from "../../src/core/grid.ts";

/** Times of day with a fraction, as clocks give them. */
const WALL = 1_795_400_000_000;
/** Wall times of this size are coarser than this, ms. */
const FUZZ = 0.01;

const place = fc
  .record({
    interval: fc.constantFrom(10, 100, 500, 1000, 1500, 10_000, 60_000, 86_400_000),
    share: fc.double({ min: 0, max: 0.999, noNaN: true }),
    seq: fc.integer({ min: 1, max: 1e6 }),
    elapsed: fc.double({ min: 0, max: 1e9, noNaN: true }),
    fraction: fc.double({ min: 0, max: 1e6, noNaN: true }),
  })
  .map(({ interval, share, seq, elapsed, fraction }) => {
    const phase = Math.floor((share * interval) / 10) * 10;
    const offset = WALL + fraction - elapsed;
    return { grid: layGrid({ interval, phase, seq }, elapsed, offset), elapsed, offset };
  });
/** By how much the wall clock has moved against elapsed time. */
const moved = fc.oneof(
  fc.constant(0),
  fc.double({ min: -STEP_LIMIT, max: STEP_LIMIT, noNaN: true }),
  fc.double({ min: -1e8, max: 1e8, noNaN: true }),
  fc.constantFrom(3_600_000, -3_600_000, 2000, -2000, 2001, -2001),
);

function steps(grid: Grid, count: number, offset: number): Grid[] {
  const grids = [grid];
  for (let i = 0; i < count; i++) {
    const last = grids.at(-1);
    if (last !== undefined) grids.push(advance(last, 1, offset).grid);
  }
  return grids;
}

test("a grid begins with the first slot on the phase that is not before the moment asked for", () => {
  fc.assert(
    fc.property(place, ({ grid, elapsed, offset }) => {
      assert.ok(grid.due >= elapsed - FUZZ && grid.due < elapsed + grid.interval + FUZZ);
      assert.equal(grid.slot % grid.interval, grid.phase);
      assert.ok(Math.abs(grid.slot - grid.due - offset) < FUZZ);
    }),
  );
});

test("slots always lie on the phase, their seq rises by one, and they are never closer than 0.999 intervals", () => {
  fc.assert(
    fc.property(place, moved, ({ grid, offset }, move) => {
      const grids = steps(grid, 20, offset + move);
      grids.slice(1).forEach((next, i) => {
        const before = grids[i] ?? grid;
        assert.equal(next.seq, before.seq + 1);
        assert.equal(next.slot % next.interval, next.phase);
        assert.ok(next.due - before.due >= before.interval * 0.999 - FUZZ);
        assert.ok(next.due - before.due <= before.interval * 2 + FUZZ);
      });
    }),
  );
});

test("to move a grid on at once is the same as slot by slot", () => {
  fc.assert(
    fc.property(place, moved, fc.integer({ min: 0, max: 60 }), ({ grid, offset }, move, count) => {
      const once = advance(grid, count, offset + move).grid;
      const byOne = steps(grid, count, offset + move).at(-1);
      assert.equal(once.seq, byOne?.seq);
      assert.equal(once.slot, byOne?.slot);
      // Each step may leave a difference below the coarseness of the wall clock as it is.
      assert.ok(Math.abs(once.due - (byOne?.due ?? 0)) <= 1 + FUZZ);
    }),
  );
});

test("a difference of up to 2 s is drawn in by at most a thousandth a slot, and no event is due", () => {
  const small = fc.double({ min: -STEP_LIMIT, max: STEP_LIMIT, noNaN: true });
  fc.assert(
    fc.property(place, small, ({ grid, offset }, move) => {
      fc.pre(Math.abs(move) < STEP_LIMIT - FUZZ);
      const { grid: next, step } = advance(grid, 1, offset + move);
      assert.equal(step, undefined);
      assert.equal(next.slot, grid.slot + grid.interval);
      assert.ok(Math.abs(next.due - grid.due - grid.interval) <= grid.interval / 1000 + FUZZ);
      const drift = Math.abs(offset + move - (next.slot - next.due));
      assert.ok(drift <= Math.abs(move) + FUZZ);
    }),
  );
});

test("a clock that wanders makes no step of a slot, however long the interval, and leaves none out", () => {
  for (const ppm of [-90, -20, 20, 50, 90]) {
    for (const interval of [3_600_000, 86_400_000, 7 * 86_400_000, 366 * 86_400_000]) {
      let grid = layGrid({ interval, phase: 0, seq: 1 }, 0, WALL);
      const [first, began] = [grid.slot, grid.due];
      const offsetAt = (elapsed: number) => WALL + ((elapsed - began) * ppm) / 1e6;
      for (let n = 1; n <= 30; n++) {
        const next = advance(grid, 1, offsetAt(grid.due));
        assert.equal(next.step, undefined, `${String(ppm)} ppm, ${String(interval)} ms`);
        grid = next.grid;
        assert.equal(grid.slot, first + n * interval);
      }
      const apart = Math.abs(grid.due + offsetAt(grid.due) - grid.slot);
      assert.ok(apart <= 1.01e-4 * interval, `${String(apart)} ms off after 30 slots`);
    }
  }
});

test("a larger one lengthens one interval to less than two, and is told with its size and the seq after it", () => {
  const large = fc.oneof(
    fc.double({ min: STEP_LIMIT + 1, max: 1e8, noNaN: true }),
    fc.double({ min: -1e8, max: -STEP_LIMIT - 1, noNaN: true }),
  );
  fc.assert(
    fc.property(place, large, ({ grid, offset }, move) => {
      fc.pre(Math.abs(move) > stepLimitOf(grid.interval));
      const { grid: next, step } = advance(grid, 1, offset + move);
      assert.ok(step !== undefined);
      assert.equal(step.seq, grid.seq + 1);
      assert.ok(Math.abs(step.size - move) < FUZZ);
      const length = next.due - grid.due;
      assert.ok(length >= grid.interval - FUZZ && length < 2 * grid.interval + FUZZ);
      assert.ok(Math.abs(next.slot - next.due - offset - move) < FUZZ);
      assert.equal(advance(next, 1, offset + move).step, undefined);
    }),
  );
});

test("another phase lengthens one interval as well, without an event", () => {
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 99 }), ({ grid, offset }, shift) => {
      const phase = (grid.phase + shift * 10) % grid.interval;
      fc.pre(phase !== grid.phase);
      const { grid: next, step } = advance({ ...grid, phase }, 1, offset);
      assert.equal(step, undefined);
      assert.equal(next.slot % grid.interval, phase);
      const length = next.due - grid.due;
      assert.ok(length >= grid.interval - FUZZ && length < 2 * grid.interval + FUZZ);
    }),
  );
});

test("slots that are due are counted as one by one", () => {
  fc.assert(
    fc.property(place, moved, fc.double({ min: -2, max: 40, noNaN: true }), (found, move, many) => {
      const { grid, offset } = found;
      const until = grid.due + many * grid.interval;
      let count = 0;
      for (let g = grid; g.due <= until; g = advance(grid, count, offset + move).grid) count++;
      assert.equal(countDue(grid, until, offset + move), count);
    }),
  );
});

test("the phase of a gateway is FNV-1a of its id modulo the interval, rounded down to 10 ms", () => {
  // Vectors of FNV-1a (32 bit) as its authors publish them.
  const vectors = { "": 0x811c9dc5, a: 0xe40c292c, b: 0xe70c2de5, foobar: 0xbf9cf968 };
  for (const [id, hash] of Object.entries(vectors)) {
    assert.equal(phaseOf(id, 2 ** 32), Math.floor(hash / 10) * 10);
    assert.equal(phaseOf(id, 10_000), Math.floor((hash % 10_000) / 10) * 10);
  }
});

test("an epoch is the wall clock in seconds, and always rises", () => {
  assert.equal(nextEpoch(undefined, WALL + 999), 1_795_400_000);
  assert.equal(nextEpoch(1_795_399_999, WALL), 1_795_400_000);
  assert.equal(nextEpoch(1_795_400_000, WALL), 1_795_400_001);
  assert.equal(nextEpoch(1_795_500_000, WALL), 1_795_500_001);
});

test("a slot may start late by half its interval, and by 5 s at most", () => {
  assert.equal(graceOf(10), 5);
  assert.equal(graceOf(10_000), 5000);
  assert.equal(graceOf(86_400_000), 5000);
});
