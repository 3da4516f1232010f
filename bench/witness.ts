/** Those who see the pollers from outside: the slave and the subscriber. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readRequestLog, type LoggedRequest } from "./request-log.ts";
import type { Workload } from "./workloads.ts";

const SLAVE = fileURLToPath(new URL("slave.ts", import.meta.url));

/** The devices of a workload. */
export interface Slave {
  readonly pid: number;
  readonly ports: readonly number[];
  /** Ends it, and gives back its log. */
  stop(): Promise<LoggedRequest[]>;
}

/** Starts the devices of a workload. */
export async function startSlave({ answers }: Workload, directory: string): Promise<Slave> {
  const file = join(directory, "requests.bin");
  const register = import.meta.resolve("ts-blank-space/register");
  const child = spawn(
    process.execPath,
    ["--import", register, SLAVE, file, JSON.stringify(answers)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const gone = once(child, "exit");
  const end = (): boolean => child.kill("SIGKILL");
  process.once("exit", end);
  const first: unknown[] = await once(createInterface({ input: child.stdout }), "line");
  return {
    // It has run, so it has one.
    pid: child.pid ?? 0,
    // Printed by slave.ts.
    ports: JSON.parse(String(first[0])) as number[],
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
      process.off("exit", end);
      return readRequestLog(file);
    },
  };
}

/** A message as the subscriber received it. */
export interface Message {
  /** Wall clock, in ms. */
  readonly at: number;
  readonly topic: string;
  readonly payload: string;
}

/** mosquitto_sub with all readings and gaps. */
export interface Subscriber {
  readonly pid: number;
  /** Settles when the first message has arrived. */
  first(): Promise<void>;
  /** Ends it, and gives back all that it received. */
  stop(): Promise<Message[]>;
}

/** Starts a subscriber of a broker on loopback; it writes to a file, so that it costs little. */
export function startSubscriber(port: number, directory: string): Subscriber {
  const file = join(directory, "messages.txt");
  const topics = ["-t", "polling/readings/+/+", "-t", "polling/gaps/+"];
  const child = spawn(
    "mosquitto_sub",
    ["-p", String(port), "-q", "1", ...topics, "-F", "%U %t %p"],
    { stdio: ["ignore", openSync(file, "w"), "inherit"] },
  );
  const gone = once(child, "exit");
  const end = (): boolean => child.kill("SIGKILL");
  process.once("exit", end);
  return {
    // Spawning it does not fail where Mosquitto's clients are installed.
    pid: child.pid ?? 0,
    first: async () => {
      while (statSync(file).size === 0) await wait(2);
    },
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
      process.off("exit", end);
      return messagesIn(readFileSync(file, "utf8"));
    },
  };
}

function messagesIn(text: string): Message[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [at = "", topic = ""] = line.split(" ", 2);
    return { at: Number(at) * 1000, topic, payload: line.slice(at.length + topic.length + 2) };
  });
}
