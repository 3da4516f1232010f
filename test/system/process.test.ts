import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { version } from "../../src/system/facts.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { watchLoop } from "../../src/system/loop-delay.ts";

/** What a process of its own prints, by lines; the test runner has signals and errors of its own. */
async function run(module: string, script: string): Promise<string[]> {
  const path = new URL(`../../src/system/${module}`, import.meta.url).href;
  const text = script.replace("MODULE", JSON.stringify(path));
  const args = ["--import", "ts-blank-space/register", "--input-type=module", "-e", text];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  return stdout.trim().split("\n");
}

void test("the first signal stops, each further one forces, and none after the end", async () => {
  const script = `
    import { once } from "node:events";
    import { onStopSignals } from MODULE;
    const end = onStopSignals((s) => console.log("stop", s), (s) => console.log("force", s));
    const alive = setInterval(() => undefined, 1000);
    for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"]) {
      const came = once(process, signal);
      process.kill(process.pid, signal);
      await came;
    }
    end();
    console.log(process.listenerCount("SIGTERM"), process.listenerCount("SIGINT"));
    clearInterval(alive);`;
  assert.deepEqual(await run("signals.ts", script), [
    "stop SIGTERM",
    "force SIGINT",
    "force SIGTERM",
    "0 0",
  ]);
});

void test("exceptions and rejections nobody caught reach the handler", async () => {
  const script = `
    import { onUncaught } from MODULE;
    onUncaught((error) => console.log(error.message));
    Promise.reject(new Error("rejected"));
    setImmediate(() => { throw new Error("thrown"); });`;
  assert.deepEqual((await run("uncaught.ts", script)).sort(), ["rejected", "thrown"]);
});

void test("the timers that fire tell how late the event loop is, and the next look starts anew", async () => {
  const machine = createFakeClock();
  const { clock, delay } = watchLoop(machine);
  assert.deepEqual(delay(), { p50: 0, p99: 0 });
  const cancel = clock.timer(5, () => assert.fail("it was cancelled"));
  cancel();
  let woken = 0;
  clock.timer(10, () => woken++);
  await machine.stall(150);
  assert.equal(woken, 1);
  const { p50, p99 } = delay();
  assert.ok(p50 >= 139 && p50 <= 141 && p99 >= p50, JSON.stringify({ p50, p99 }));
  assert.deepEqual(delay(), { p50: 0, p99: 0 });
});

void test("the version is that of the package", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  assert.match(text, new RegExp(`"version": "${version()}"`));
});
