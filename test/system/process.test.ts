import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { version } from "../../src/system/facts.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { watchLoop } from "../../src/system/loop-delay.ts";
import { createTempDir } from "../support/temp-dir.ts";

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
    import { Hangups, onSignals } from MODULE;
    const end = onSignals({
      stop: (s) => console.log("stop", s),
      force: (s) => console.log("force", s),
      reload: () => console.log("reload"),
    }, new Hangups());
    const alive = setInterval(() => undefined, 1000);
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGTERM"]) {
      const came = once(process, signal);
      process.kill(process.pid, signal);
      await came;
    }
    end();
    console.log(...["SIGTERM", "SIGINT", "SIGHUP"].map((s) => process.listenerCount(s)));
    clearInterval(alive);`;
  assert.deepEqual(await run("signals.ts", script), [
    "stop SIGTERM",
    "force SIGINT",
    "force SIGTERM",
    "0 0 0",
  ]);
});

void test("SIGHUP reloads, also one that came before there was anything to reload", async () => {
  const script = `
    import { once } from "node:events";
    import { Hangups, onSignals } from MODULE;
    const alive = setInterval(() => undefined, 1000);
    const hangup = async () => {
      const came = once(process, "SIGHUP");
      process.kill(process.pid, "SIGHUP");
      await came;
    };
    const hangups = new Hangups();
    await hangup();
    await hangup();
    console.log("before");
    const tell = (what) => () => console.log(what);
    const end = onSignals({ stop: tell("stop"), force: tell("force"), reload: tell("reload") }, hangups);
    console.log("after");
    await hangup();
    end();
    clearInterval(alive);`;
  assert.deepEqual(await run("signals.ts", script), ["before", "reload", "after", "reload"]);
});

void test("the SIGHUP of a terminal that is closed stops", async (t) => {
  const module = new URL("../../src/system/signals.ts", import.meta.url).href;
  const script = `
    import { Hangups, onSignals } from ${JSON.stringify(module)};
    const say = (what) => (signal) => console.error(what, signal ?? "");
    const alive = setInterval(() => undefined, 1000);
    const stop = (signal) => {
      say("stop")(signal);
      clearInterval(alive);
    };
    onSignals({ stop, force: say("force"), reload: say("reload") }, new Hangups());
    process.kill(process.pid, "SIGHUP");
    process.once("SIGHUP", say("ready"));`;
  const words = ["--import", "ts-blank-space/register", join(createTempDir(t), "child.mjs")];
  writeFileSync(words[2] ?? "", script);
  const child = `EXEC:${[process.execPath, ...words].join(" ")},pty,setsid,ctty`;
  // Its stderr is that of the process; the terminal goes with socat.
  const socat = spawn("socat", ["-", child], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => socat.kill("SIGKILL"));
  let said = "";
  for await (const text of socat.stderr.setEncoding("utf8")) {
    said += String(text);
    if (said.includes("ready")) socat.kill("SIGKILL");
    if (said.includes("stop")) break;
  }
  assert.match(said, /^reload *\nready.*\nstop SIGHUP\n/);
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
