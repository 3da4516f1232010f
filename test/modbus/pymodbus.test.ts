import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openLink, startPython, TIMEOUT, wordsOf } from "./rig.ts";

const PROGRAM = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));

test("a slave from another code base is read in all four tables", async (t) => {
  const { link } = openLink(t, await startPython(t, [PROGRAM]));
  const read = (table: "coil" | "discrete" | "holding" | "input", address: number, count: number) =>
    link.read({ unitId: 7, table, address, count }, TIMEOUT);
  assert.deepEqual(wordsOf(await read("coil", 5, 9)), [0, 1, 0, 1, 0, 1, 0, 1, 0]);
  assert.deepEqual(wordsOf(await read("discrete", 5, 9)), [0, 1, 0, 0, 1, 0, 0, 1, 0]);
  assert.deepEqual(wordsOf(await read("holding", 0, 3)), [1000, 1001, 1002]);
  assert.deepEqual(
    wordsOf(await read("input", 75, 125)),
    Array.from({ length: 125 }, (_, n) => 2075 + n),
  );
  const outside = await read("holding", 199, 2);
  assert.ok(!outside.ok && outside.reason === "exception");
  assert.equal(outside.exception, 2);
  assert.deepEqual(wordsOf(await read("holding", 199, 1)), [1199]);
});
