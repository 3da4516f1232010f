/** The other side of a bus in tests: real clients, real processes, and what they saw. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import type { IClientOptions, IPublishPacket, MqttClient } from "mqtt";
import type { Bus, BusState, Log, Message } from "../../src/core/ports.ts";

/** Things that arrive, to be taken one by one. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  readonly put = (item: T): void => {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  };

  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Takes until one fits. */
  async until(fits: (item: T) => boolean): Promise<T> {
    for (;;) {
      const item = await this.next();
      if (fits(item)) return item;
    }
  }
}

/** A client that has subscribed. */
export interface Subscriber {
  readonly client: MqttClient;
  readonly inbox: Inbox<IPublishPacket>;
  readonly close: () => Promise<void>;
}

/** A connected mqtt.js client, subscribed with QoS 1 to the filter if there is one. */
export async function subscribe(
  url: string,
  filter?: string,
  options: IClientOptions = {},
): Promise<Subscriber> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options }, false);
  const inbox = new Inbox<IPublishPacket>();
  client.on("message", (_topic, _payload, packet) => {
    inbox.put(packet);
  });
  client.on("error", () => undefined);
  if (filter !== undefined) await client.subscribeAsync(filter, { qos: 1 });
  return {
    client,
    inbox,
    close: async () => {
      await client.endAsync(true);
    },
  };
}

/** A line of the log. */
export interface LogLine {
  readonly level: keyof Log;
  readonly fields: object;
  readonly text: string;
}

/** A log whose lines can be waited for. */
export function recordingLog(): { log: Log; lines: Inbox<LogLine> } {
  const lines = new Inbox<LogLine>();
  const at = (level: keyof Log) => (fields: object, text: string) => {
    lines.put({ level, fields, text });
  };
  const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { log, lines };
}

/** The states of a bus as it tells them. */
export function statesOf(bus: Bus): Inbox<BusState> {
  const states = new Inbox<BusState>();
  bus.onState(states.put);
  return states;
}

/** Opens a bus and settles when it is connected. */
export async function opened(bus: Bus): Promise<Inbox<BusState>> {
  const states = statesOf(bus);
  await bus.open();
  await states.until((state) => state.connected);
  return states;
}

/** A message with what most tests do not care about filled in. */
export function messageTo(topic: string, payload: string, more: Partial<Message> = {}): Message {
  return { topic, payload, qos: 1, retain: false, ...more };
}

/** A child process and the lines it prints. */
export interface Child {
  readonly process: ChildProcess;
  readonly lines: Inbox<string>;
  readonly exit: Promise<number | null>;
}

/** Starts `bus-process.ts` with these arguments. */
export function startBusProcess(t: TestContext, ...args: readonly string[]): Child {
  const file = fileURLToPath(new URL("./bus-process.ts", import.meta.url));
  return startChild(t, process.execPath, ["--import", "ts-blank-space/register", file, ...args]);
}

/** Starts a program and reads its output line by line; it ends with the test at the latest. */
export function startChild(t: TestContext, program: string, args: readonly string[]): Child {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = new Inbox<string>();
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    parts.forEach(lines.put);
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      // For those who wait for a line.
      lines.put(`exit ${String(code)}`);
      resolve(code);
    });
  });
  return { process: child, lines, exit };
}
