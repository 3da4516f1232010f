/** What the tests of the whole node share. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { WireRequest } from "../support/history.ts";
import type { Slave } from "../support/slave.ts";
import type { Subscriber } from "../support/subscriber.ts";

/** Points of the slave: the serial number of each of two requests, and some that hold their own address. */
export const serialPoints = [
  { id: "serial3", table: "holding", address: 0, type: "uint32" },
  { id: "level", table: "holding", address: 5, type: "uint16" },
  { id: "serial4", table: "input", address: 0, type: "uint32" },
  { id: "valve", table: "coil", address: 3, type: "bool" },
];

/** What `mosquitto_pub` is told besides topic and payload. */
export interface PublishOptions {
  readonly retain?: boolean;
  readonly responseTopic?: string;
  readonly correlation?: string;
  /** Default 5. */
  readonly version?: "5" | "311";
}

/** Publishes with QoS 1 from a process of its own. */
export async function publish(
  port: number,
  topic: string,
  payload: string,
  options: PublishOptions = {},
): Promise<void> {
  const { retain, responseTopic, correlation, version = "5" } = options;
  const args = [
    ...["-h", "127.0.0.1", "-p", String(port), "-V", version, "-q", "1", "-t", topic],
    ...(payload === "" ? ["-n"] : ["-m", payload]),
    ...(retain === true ? ["-r"] : []),
    ...(responseTopic === undefined ? [] : ["-D", "publish", "response-topic", responseTopic]),
    ...(correlation === undefined ? [] : ["-D", "publish", "correlation-data", correlation]),
  ];
  const child = spawn("mosquitto_pub", args, { stdio: "inherit" });
  const [code]: unknown[] = await once(child, "exit");
  if (code !== 0) throw new Error(`mosquitto_pub ended with ${String(code)}`);
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What tests look at in `health/<gateway>` and in the reply to `status`. */
export interface SeenHealth {
  readonly gateway: string;
  readonly state: string;
  readonly desired: string;
  readonly online: boolean;
  readonly reason?: string;
  readonly schedules: readonly {
    readonly interval: number;
    readonly epoch: number;
    readonly seq: number;
    readonly counts: {
      readonly good: number;
      readonly partial: number;
      readonly failed: number;
      readonly unknown: number;
      readonly missed: Readonly<Record<string, number>>;
    };
  }[];
}

/** The slave's log in wall time (its clock is this machine's monotonic one); `nameOf` names the gateway at its n-th port. */
export function wireOf(slave: Slave, nameOf: (n: number) => string): WireRequest[] {
  const offset = Date.now() - Number(process.hrtime.bigint()) / 1e6;
  return slave.log().map(({ port, fc, address, count, serial, t, lag }) => {
    const gateway = nameOf(slave.ports.indexOf(port));
    return { gateway, fc, address, count, serial, at: Number(t) / 1e6 + offset, lag };
  });
}

/** Settles when each gateway has so many readings of its device `unit` from number `from` of the log on. */
export async function pollsOf(
  subscriber: Subscriber,
  gateways: readonly string[],
  count: number,
  from = 0,
): Promise<void> {
  await subscriber.until(`${String(count)} readings of each gateway`, (log) => {
    const topics = log.slice(from).map(({ topic }) => topic);
    return gateways
      .map((gateway) => `polling/readings/${gateway}/unit`)
      .every((topic) => topics.filter((each) => each === topic).length >= count);
  });
}

/** Settles when the subscriber has all that the broker had when this was called. */
export async function delivered(subscriber: Subscriber, port: number): Promise<void> {
  const topic = "polling/the-end";
  const from = subscriber.log.length;
  await publish(port, topic, "-");
  await subscriber.first("the end", (each) => each.topic === topic, from);
}
