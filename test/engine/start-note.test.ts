import assert from "node:assert/strict";
import test from "node:test";
import { startedEvent } from "../../src/engine/start-note.ts";

const FOUND = { stopped: [], schedules: 1, known: 1, firstDue: null };
const NODE = { node: "n", version: "1.0.0" };

test("the event of a start says what was missed, that nobody stopped the one before, and which accounts changed", () => {
  const nothing = { ...FOUND, unknown: 0, missed: 0, closed: [], opened: [] };
  assert.equal(startedEvent({ ...NODE, hasDied: false }, nothing).text, "n started, version 1.0.0");
  const found = { ...FOUND, unknown: 1, missed: 12, closed: ["a@1000"], opened: ["b@60000"] };
  const { text } = startedEvent({ ...NODE, hasDied: true }, found);
  assert.equal(
    text,
    "n started, version 1.0.0; no stop is on record before it (a kill, a power cut, a restore); " +
      "1 slot unknown, 12 missed while it was away; accounts closed: a@1s; accounts opened: b@1m",
  );
});
