/** Whose turn it is among the streams of the spool, and what of them is in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ShortMemory } from "../../src/engine/short-memory.ts";
import type { Stream } from "../../src/engine/stream.ts";
import { Streams } from "../../src/engine/streams.ts";

/** Streams with something to hand out, queued in this order. */
function queued(streams: Streams, names: readonly string[]): Stream[] {
  return names.map((name) => {
    const stream = streams.of(name);
    stream.confirm(stream.number());
    streams.queue(stream);
    return stream;
  });
}

test("streams have their turns in the order in which they were queued, each one turn however often it is queued", () => {
  const streams = new Streams();
  const [a] = queued(streams, ["a", "b", "c"]);
  assert.ok(a);
  streams.queue(a);
  const turns = ["a", "b", "c", undefined].map(() => streams.next(new Map())?.name);
  assert.deepEqual(turns, ["a", "b", "c", undefined]);
});

test("a stream that is passed over keeps its turn, one that is taken out has none until it is queued again", () => {
  const streams = new Streams();
  const [a, b] = queued(streams, ["a", "b"]);
  assert.ok(a && b);
  assert.equal(streams.next(new Map([["a", 1]])), b);
  assert.equal(streams.next(new Map([["a", 1]])), undefined);
  streams.unqueue(a);
  assert.equal(streams.next(new Map()), undefined);
  streams.queue(a);
  assert.equal(streams.next(new Map()), a);
});

test("the short memory holds what was added until it is deleted, by its number", () => {
  const memory = new ShortMemory<{ number: number }>();
  const [one, two] = [{ number: 1 }, { number: 2 }];
  memory.add(one);
  memory.add(two);
  assert.deepEqual([memory.get(1), memory.get(2), memory.get(3)], [one, two, undefined]);
  assert.deepEqual([memory.delete(1), memory.delete(1)], [true, false]);
  assert.deepEqual([memory.get(1), memory.get(2), memory.size], [undefined, two, 1]);
});
