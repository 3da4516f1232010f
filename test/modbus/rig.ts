/** What the tests of the link share: a slave, a clock that stands still, and a watch on sockets. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import type { Answer, ReadRequest } from "../../src/core/ports.ts";
import type { ConnectingLink } from "../../src/modbus/connecting-link.ts";
import { Names } from "../../src/modbus/names.ts";
import { openTcpLink } from "../../src/modbus/tcp-link.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { startSlave, type Slave } from "../support/slave.ts";

/** Time-out of the tests' reads, of a clock that only moves when told to. */
export const TIMEOUT = 300;
/** Where Debian puts its Python, the one that finds Debian's packages. */
export const PYTHON = "/usr/bin/python3";
/** Longest back-off of the tests' links. */
export const MAX_BACKOFF = 2000;

/** A link under test; closed when the test ends. */
export interface Rig {
  readonly clock: FakeClock;
  readonly link: ConnectingLink;
}

/** A slave with `ports` ports and a log of its own, for a whole file of tests. */
export async function startTestSlave(ports: number): Promise<Slave> {
  const directory = mkdtempSync(join(tmpdir(), "edgepoll-slave-"));
  const slave = await startSlave({ ports, logFile: join(directory, "requests.jsonl") });
  return {
    ...slave,
    stop: async () => {
      await slave.stop();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A link to a port of the loopback address. */
export function openLink(t: TestContext, port: number, host = "127.0.0.1", afterConnect = 0): Rig {
  const clock = createFakeClock();
  const random = Math.random;
  const names = new Names(clock);
  const way = { host, port, maxBackoff: MAX_BACKOFF, afterConnect };
  const link = openTcpLink({ ...way, names, clock, random });
  t.after(async () => {
    await link.close();
    assert.equal(clock.pendingTimers(), 0, "a timer was left");
  });
  return { clock, link };
}

/** Starts Debian's Python, settles with the port it prints; it ends with the test. */
export async function startPython(t: TestContext, args: readonly string[]): Promise<number> {
  const child = spawn(PYTHON, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const printed = once(createInterface({ input: child.stdout }), "line");
  const ended = exited.then(() => ["it ended"]);
  const port = Number((await Promise.race([printed, ended]))[0]);
  assert.ok(port > 0, "python printed no port");
  return port;
}

/** A read of holding registers of unit 1. */
export function holding(address: number, count = 1): ReadRequest {
  return { unitId: 1, table: "holding", address, count };
}

/** The words of an answer that must be good. */
export function wordsOf(answer: Answer): number[] {
  if (!answer.ok) assert.fail(`${answer.reason}: ${answer.detail}`);
  return [...answer.words];
}

/** The reason and detail of an answer that must be a failure. */
export function failureOf(answer: Answer): { reason: string; detail: string } {
  if (answer.ok) assert.fail(`answered with ${String(answer.words)}`);
  return { reason: answer.reason, detail: answer.detail };
}

/** The sockets this process connects during a test. */
export interface SocketWatch {
  made(): number;
  /** Sockets that had not emitted `close` yet when another was made. */
  overlaps(): number;
  /** Settles when the newest socket is connected. */
  connected(): Promise<void>;
  /** Settles when the newest socket is closed. */
  closed(): Promise<void>;
  /** Settles when the newest socket has seen the end of its peer; it is not closed yet. */
  ended(): Promise<void>;
}

/** Watches sockets from now until the test ends. */
export function watchSockets(t: TestContext): SocketWatch {
  const live = new Set<Socket>();
  let newest: Socket | undefined;
  let end: Promise<unknown> = Promise.resolve();
  let made = 0;
  let overlaps = 0;
  const onSocket = (message: unknown): void => {
    // The channel carries an object with the new socket (Node's documentation of the channel).
    const { socket } = message as { socket: Socket };
    overlaps += live.size;
    made += 1;
    newest = socket;
    end = new Promise((resolve) => socket.once("end", resolve));
    live.add(socket);
    socket.once("close", () => live.delete(socket));
  };
  diagnostics.subscribe("net.client.socket", onSocket);
  t.after(() => diagnostics.unsubscribe("net.client.socket", onSocket));
  return {
    made: () => made,
    overlaps: () => overlaps,
    connected: async () => {
      if (newest?.connecting === true) await once(newest, "connect");
    },
    closed: async () => {
      if (newest && live.has(newest)) await once(newest, "close");
    },
    ended: async () => {
      await end;
    },
  };
}
