import assert from "node:assert/strict";
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
