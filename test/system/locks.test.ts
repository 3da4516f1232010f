import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { platform } from "node:os";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { askHolder, takeLock } from "../../src/system/locks.ts";

const options = { skip: platform() !== "linux" };
const holder = { pid: 4121, node: "plant-a", stateDir: "/var/lib/x", control: "/run/x.sock" };
const stateName = (): string => `state:/${randomUUID()}`;

function start(context: TestContext, name: string): ChildProcess {
  const path = fileURLToPath(new URL("./lock-child.ts", import.meta.url));
  const child = fork(path, [name], { execArgv: ["--import", "ts-blank-space/register"] });
  context.after(() => child.kill("SIGKILL"));
  return child;
}

async function next(child: ChildProcess): Promise<unknown> {
  const [message]: unknown[] = await once(child, "message");
  return message;
}

void test("of twelve processes that start together one gets the lock", options, async (context) => {
  const name = stateName();
  const children = Array.from({ length: 12 }, () => start(context, name));
  await Promise.all(children.map(next));
  const answers = children.map(next);
  for (const child of children) child.send("go");
  const got = await Promise.all(answers);
  assert.equal(got.filter((answer) => answer === "held").length, 1);
  const winner = children[got.indexOf("held")];
  assert.equal((await askHolder(name))?.pid, winner?.pid);
  for (const answer of got) {
    if (answer !== "held") assert.match(String(answer), new RegExp(`pid ${String(winner?.pid)}`));
  }
});

void test("after a kill of its holder a lock is free at once", options, async (context) => {
  const name = stateName();
  const child = start(context, name);
  await next(child);
  const held = next(child);
  child.send("go");
  assert.equal(await held, "held");
  await assert.rejects(takeLock(name, holder), { code: "ALREADY_RUNNING" });
  child.kill("SIGKILL");
  await once(child, "exit");
  const lock = await takeLock(name, holder);
  await lock.release();
});

void test("the holder says who it is, until it releases the lock", options, async () => {
  const name = stateName();
  assert.equal(await askHolder(name), undefined);
  const lock = await takeLock(name, holder);
  assert.equal(lock.effective, true);
  assert.deepEqual(await askHolder(name), holder);
  await lock.release();
  assert.equal(await askHolder(name), undefined);
});

void test("a refusal names pid, what is held and the next command", options, async () => {
  const endpoint = `endpoint:${randomUUID()}.example:502`;
  const lock = await takeLock(endpoint, { ...holder, node: "plant\u001b[2J" });
  await assert.rejects(takeLock(endpoint, holder), (error: Error) => {
    assert.match(
      error.message,
      /edgepoll plant\\u001b\[2J \(pid 4121\) polls .*example:502 already/,
    );
    assert.match(error.message, /edgepoll stop --node --state-dir \/var\/lib\/x/);
    return "code" in error && error.code === "ENDPOINT_HELD";
  });
  const other = await takeLock(endpoint.replace(/2$/, "3"), holder);
  await Promise.all([lock.release(), other.release()]);
});

void test(
  "the next commands of a refusal may be pasted whatever the directory is called",
  options,
  async () => {
    const stateDir = `/tmp/my plant's $x ${randomUUID()}`;
    const quoted = `--state-dir '${stateDir.replace("'", "'\\''")}' `;
    for (const name of [`state:${stateDir}`, `endpoint:${randomUUID()}.example:502`]) {
      const lock = await takeLock(name, { ...holder, stateDir });
      await assert.rejects(takeLock(name, holder), ({ message }: Error) => {
        assert.ok(message.includes(`edgepoll status ${quoted}shows it`), message);
        assert.ok(message.includes(`edgepoll stop --node ${quoted}ends it`), message);
        return true;
      });
      await lock.release();
    }
  },
);
