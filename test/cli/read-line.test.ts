/** `read` on a serial line, where answers carry no ids. */
import assert from "node:assert/strict";
import test from "node:test";
import { startLineSlave } from "../support/line-slave.ts";
import { createPlace } from "./program.ts";

test("a line that is not there is said to be so at once, and not listened to", async (t) => {
  const { run, directory } = await createPlace(t);
  const { code, stderr } = await run("read", `serial://${directory}/ttyNONE/1`, "40001");
  assert.equal(code, 69);
  assert.match(stderr, /^edgepoll: .*ttyNONE is not there: .* Next: ls -l /);
});

test("a read that was broken off leaves its answer to nobody", async (t) => {
  const { run, begin } = await createPlace(t);
  const reads = (["SIGINT", "SIGKILL"] as const).map(async (signal) => {
    const slave = await startLineSlave(t);
    const unit = `serial://${slave.path}/1`;
    // Busy with the one, the unit comes to the other later.
    await slave.script([
      { kind: "delay", ms: 2800, requests: 1 },
      { kind: "delay", ms: 1500, requests: 1 },
    ]);
    const broken = begin("read", unit, "40011");
    await slave.received(1);
    broken.signal(signal);
    await broken.ended;
    const next = await run("read", unit, "40022");
    assert.equal(next.code, 0, next.stderr);
    assert.match(next.stderr, /^listening for 4s: an answer to somebody else may still come/);
    assert.match(next.stdout, /^21 +400022 +0015 +21$/m);
    const own = slave.requests().map(({ address }) => address);
    assert.deepEqual(own, [10, 21]);
    const last = await run("read", unit, "40033");
    assert.deepEqual(
      [last.code, last.stderr],
      [0, ""],
      "nobody waits behind one that ended in order",
    );
  });
  await Promise.all(reads);
});
