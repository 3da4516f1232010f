import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, lstatSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { askControl, readControl } from "../../src/control/client.ts";
import { Lines, type Handle } from "../../src/control/protocol.ts";
import { openControl } from "../../src/control/server.ts";
import {
  EdgepollError,
  LockedError,
  NoNodeError,
  PermissionError,
  StateDirectoryError,
  UnavailableError,
  UsageError,
} from "../../src/core/errors.ts";
import type { Log } from "../../src/core/ports.ts";
import { createTempDir } from "../support/temp-dir.ts";

interface Bench {
  readonly path: string;
  readonly logged: object[];
  readonly close: () => Promise<void>;
}

const echo: Handle = (verb, args) => Promise.resolve({ verb, args });

async function open(context: TestContext, handle = echo, path?: string): Promise<Bench> {
  const at = path ?? join(createTempDir(context), "run", "c.sock");
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const control = await openControl({ path: at, stateDir: "/var/lib/plant a", handle, log });
  context.after(() => control.close());
  return { path: at, logged, close: () => control.close() };
}

/** Connects and sends; gives the socket and all that comes until it closes. */
function talk(path: string, text: string): { socket: Socket; said: Promise<string> } {
  const socket = connect({ path });
  let said = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => (said += part));
  socket.on("error", () => undefined);
  socket.write(text);
  return {
    socket,
    said: new Promise((resolve) =>
      socket.on("close", () => {
        resolve(said);
      }),
    ),
  };
}

const is =
  (type: new (...args: never[]) => EdgepollError, code: string, text = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof type, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };

void test("a verb and its arguments arrive, and the data comes back", async (context) => {
  const { path } = await open(context);
  const args = { gateway: ["a"], text: 'ä\n"😀', large: "x".repeat(60_000) };
  assert.deepEqual(await askControl(path, "stop", args), { verb: "stop", args });
  const answers = await Promise.all([1, 2, 3].map((n) => askControl(path, "v", { n })));
  assert.deepEqual(
    answers,
    [1, 2, 3].map((n) => ({ verb: "v", args: { n } })),
  );
});

void test("an answer of a megabyte and no data at all come back whole", async (context) => {
  const large = "x".repeat(1_000_000);
  const { path } = await open(context, (verb) => Promise.resolve(verb === "a" ? large : undefined));
  assert.equal(await askControl(path, "a", {}), large);
  assert.equal(await askControl(path, "b", {}), undefined);
});

void test("an error of edgepoll keeps its code, a bug shows neither text nor stack", async (context) => {
  const { path, logged } = await open(context, (verb) => {
    if (verb === "known") throw new UsageError("USAGE", "no gateway x");
    return Promise.reject(new TypeError("secret"));
  });
  await assert.rejects(askControl(path, "known", {}), is(EdgepollError, "USAGE", /^no gateway x$/));
  await assert.rejects(askControl(path, "bug", {}), is(EdgepollError, "INTERNAL", /^A bug/));
  const { said } = talk(path, '{"verb":"bug"}\n');
  assert.doesNotMatch(await said, /secret|\.ts/);
  assert.equal(logged.length, 2);
});

void test("the socket is for its owner alone, as is the directory made for it", async (context) => {
  const { path } = await open(context);
  assert.equal(lstatSync(path).isSocket(), true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(dirname(path)), ["c.sock"]);
});

void test("a request may come in pieces and its sender may end its side at once", async (context) => {
  const { path } = await open(context, async (verb, args) => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return { verb, args };
  });
  const { socket, said } = talk(path, '{"ver');
  await once(socket, "connect");
  await new Promise((resolve) => setImmediate(resolve));
  socket.end('b":"status"}\nrest');
  assert.equal(await said, '{"ok":true,"data":{"verb":"status","args":{}}}\n');
});

void test("what is no request is refused in words, and a request over 64 KiB too", async (context) => {
  const { path } = await open(context);
  for (const line of [
    "\n",
    "[]\n",
    '{"verb":1}\n',
    '{"verb":"v","args":[]}\n',
    "x".repeat(65_537),
  ]) {
    const { ok, error } = JSON.parse(await talk(path, line).said) as {
      ok: boolean;
      error: { code: string };
    };
    assert.deepEqual([ok, error.code], [false, "USAGE"]);
  }
});

void test("a client that goes while it is served does no harm", async (context) => {
  let go = (): void => undefined;
  let began = (): void => undefined;
  const reached = new Promise<void>((resolve) => (began = resolve));
  const { path } = await open(context, async (verb) => {
    if (verb !== "slow") return verb;
    began();
    await new Promise<void>((resolve) => (go = resolve));
    return "x".repeat(1_000_000);
  });
  const { socket, said } = talk(path, '{"verb":"slow"}\n');
  await reached;
  socket.destroy();
  await said;
  go();
  assert.equal(await askControl(path, "again", {}), "again");
});

void test("no more than sixteen connections are served at once", async (context) => {
  const { path } = await open(context);
  const held = Array.from({ length: 16 }, () => talk(path, ""));
  await Promise.all(held.map(({ socket }) => once(socket, "connect")));
  await assert.rejects(askControl(path, "v", {}), is(UnavailableError, "NODE_UNRESPONSIVE"));
  const [first] = held;
  first?.socket.destroy();
  await first?.said;
  let answer: unknown;
  while (answer === undefined) answer = await askControl(path, "v", {}).catch(() => undefined);
  for (const { socket } of held) socket.destroy();
});

void test("where nothing listens there is no node", async (context) => {
  const directory = createTempDir(context);
  const path = join(directory, "c.sock");
  await assert.rejects(askControl(path, "v", {}), is(NoNodeError, "NODE_ABSENT", /edgepoll start/));
  await leaveStale(path);
  await assert.rejects(askControl(path, "v", {}), is(NoNodeError, "NODE_ABSENT"));
});

void test("a node that says nothing is unresponsive after the time-out, one that closes at once", async (context) => {
  const path = join(createTempDir(context), "c.sock");
  const sockets: Socket[] = [];
  let hangUp = false;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    if (hangUp) socket.end('{"ok":true');
  });
  await once(server.listen(path), "listening");
  const silent = is(UnavailableError, "NODE_UNRESPONSIVE", /not answer in 30 ms/);
  await assert.rejects(askControl(path, "v", {}, 30), silent);
  hangUp = true;
  const closed = is(UnavailableError, "NODE_UNRESPONSIVE", /without an answer/);
  await assert.rejects(askControl(path, "v", {}), closed);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

void test("a stale socket is replaced, a live one and a file are not", async (context) => {
  const directory = createTempDir(context);
  const path = join(directory, "c.sock");
  await leaveStale(path);
  const { close } = await open(context, echo, path);
  await assert.rejects(open(context, echo, path), is(LockedError, "ALREADY_RUNNING"));
  assert.deepEqual(await askControl(path, "v", {}), { verb: "v", args: {} });
  await close();
  writeFileSync(path, "mine");
  await assert.rejects(open(context, echo, path), is(StateDirectoryError, "STATE_DIRECTORY"));
});

void test("a close removes the socket, drops who is idle and lets an answer out", async (context) => {
  let go = (): void => undefined;
  let began = (): void => undefined;
  const reached = new Promise<void>((resolve) => (began = resolve));
  const { path, close } = await open(context, async () => {
    began();
    await new Promise<void>((resolve) => (go = resolve));
    return "bye";
  });
  const idle = talk(path, "");
  await once(idle.socket, "connect");
  const asked = askControl(path, "stop", {});
  await reached;
  const closing = close();
  assert.equal(existsSync(path), false);
  assert.equal(await idle.said, "");
  go();
  assert.equal(await asked, "bye");
  await closing;
});

void test("a close waits no more than a second for a command that does not end", async (context) => {
  let began = (): void => undefined;
  const reached = new Promise<void>((resolve) => (began = resolve));
  const { path, close } = await open(context, () => {
    began();
    return new Promise(() => undefined);
  });
  const asked = assert.rejects(
    askControl(path, "v", {}),
    is(UnavailableError, "NODE_UNRESPONSIVE"),
  );
  await reached;
  await close();
  await asked;
});

void test("another user's node is a matter of permission, with the line that works", async (context) => {
  if (process.getuid?.() !== 0) {
    context.skip("only root can act as another user");
    return;
  }
  const { path } = await open(context);
  chmodSync(dirname(dirname(path)), 0o755);
  for (const mode of [0o755, 0o700]) {
    chmodSync(dirname(path), mode);
    const file = fileURLToPath(new URL("./other-user.ts", import.meta.url));
    const child = fork(file, [path], { execArgv: ["--import", "ts-blank-space/register"] });
    const [answer]: unknown[] = await once(child, "message");
    const { name, text } = answer as { name: string; text: string };
    assert.equal(name, PermissionError.name);
    assert.match(text, /Ask with: sudo edgepoll/);
  }
});

/** Leaves a socket file behind as a killed process does. */
async function leaveStale(path: string): Promise<void> {
  const file = fileURLToPath(new URL("./stale-child.ts", import.meta.url));
  const child = fork(file, [path], { execArgv: ["--import", "ts-blank-space/register"] });
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(existsSync(path), true);
}

/** So many lines of 10 kB, and then what `end` does. */
async function* linesThen(count: number, end: () => void): AsyncGenerator<string> {
  for (let n = 0; n < count; n++) yield await Promise.resolve(`${String(n)} ${"x".repeat(10_000)}`);
  end();
}

test("an answer of many lines comes in order, at the pace of its reader", async (context) => {
  let made = 0;
  async function* counted(): AsyncGenerator<string> {
    for await (const line of linesThen(2000, () => undefined)) {
      made++;
      yield line;
    }
  }
  const { path } = await open(context, () => Promise.resolve(new Lines({ a: 1 }, counted())));
  const seen: number[] = [];
  let ahead = 0;
  const data = await readControl(path, "all", {}, async (line) => {
    seen.push(parseInt(line, 10));
    ahead = Math.max(ahead, made - seen.length);
    if (seen.length % 100 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  });
  assert.deepEqual(data, { a: 1 });
  assert.deepEqual(
    seen,
    Array.from({ length: 2000 }, (_, n) => n),
  );
  assert.ok(ahead < 1900, `${String(ahead)} lines waited in memory`);
});

test("an answer of many lines tells what goes wrong in it, and ends when its reader goes or the node ends", async (context) => {
  const fails = () => {
    throw new UsageError("USAGE", "no more");
  };
  const first = await open(context, () => Promise.resolve(new Lines(1, linesThen(3, fails))));
  const lines: string[] = [];
  await readControl(first.path, "all", {}, (line) => Promise.resolve(void lines.push(line)));
  assert.equal(lines.length, 4);
  assert.deepEqual(JSON.parse(lines[3] ?? ""), {
    ok: false,
    error: { code: "USAGE", message: "no more" },
  });
  const ends = () => {
    assert.fail("read to its end");
  };
  const endless = await open(context, () => Promise.resolve(new Lines(1, linesThen(1e9, ends))));
  const gone = readControl(endless.path, "all", {}, () => Promise.reject(new Error("enough")));
  await assert.rejects(gone, /enough/);
  let closing: Promise<void> | undefined;
  const cut = readControl(endless.path, "all", {}, () => {
    closing ??= endless.close();
    return Promise.resolve();
  });
  // Cut off in the middle: the caller misses the last line.
  await cut.catch(() => undefined);
  await closing;
});

test("no node and a verb that is refused are told as with one answer", async (context) => {
  const directory = createTempDir(context);
  const nobody = () => Promise.resolve();
  await assert.rejects(readControl(join(directory, "s"), "x", {}, nobody), NoNodeError);
  const refuses = () => Promise.reject(new UsageError("USAGE", "not that"));
  const { path } = await open(context, refuses);
  await assert.rejects(readControl(path, "x", {}, nobody), /not that/);
});
