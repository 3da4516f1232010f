import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { runApart } from "../../src/system/apart.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** A module that does this with its argument. */
function moduleThat(t: TestContext, does: string): URL {
  const file = path.join(createTempDir(t), "work.ts");
  const apart = new URL("../../src/system/apart.ts", import.meta.url).href;
  writeFileSync(file, `import { answerApart } from ${JSON.stringify(apart)};\n${does}\n`);
  return pathToFileURL(file);
}

test("the answer comes from another process, with what JSON has no word for", async (t) => {
  const module = moduleThat(
    t,
    "answerApart((argument) => ({ argument, pid: process.pid, big: 2n ** 63n, none: undefined }));",
  );
  const answer = await runApart(module, { name: "a" });
  const { pid, ...rest } = answer as { pid: number };
  assert.notEqual(pid, process.pid);
  assert.deepEqual(rest, { argument: { name: "a" }, big: 2n ** 63n, none: undefined });
});

test("a process that ends without an answer is told of, with how it ended", async (t) => {
  const module = moduleThat(t, "void answerApart; process.exit(7);");
  await assert.rejects(runApart(module, {}), /work\.ts ended with 7 and no answer/);
});

test("a process whose caller is killed meanwhile ends without a word", async (t) => {
  const wait = "await new Promise((gone) => process.once('disconnect', gone));";
  const module = moduleThat(t, `process.stdout.write("x"); ${wait} answerApart(() => ({}));`);
  const file = path.join(createTempDir(t), "caller.ts");
  const apart = new URL("../../src/system/apart.ts", import.meta.url).href;
  const call = `runApart(new URL(${JSON.stringify(module.href)}), {});`;
  writeFileSync(file, `import { runApart } from ${JSON.stringify(apart)};\n${call}\n`);
  const register = import.meta.resolve("ts-blank-space/register");
  const caller = spawn(process.execPath, ["--import", register, file], { stdio: "pipe" });
  let said = "";
  caller.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(caller.stdout, "data");
  caller.kill("SIGKILL");
  // It holds the other end of the pipe until it has ended.
  await once(caller, "close");
  assert.equal(said, "");
});
