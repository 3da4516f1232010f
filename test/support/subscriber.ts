/** An independent subscriber: `mosquitto_sub` in a process of its own, which logs all it gets. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

/** ms to wait for a message before the test fails. */
const PATIENCE = 40_000;
/** Fields of a line of `mosquitto_sub`; the payload comes last, it may hold anything but line ends. */
const FORMAT = ["m", "%U", "%r", "%D", "%t", "%p"].join("\t");

/** A message as it arrived. */
export interface Received {
  /** Wall time of the arrival, ms. */
  readonly at: number;
  readonly retain: boolean;
  /** Correlation data of MQTT 5, empty without. */
  readonly correlation: string;
  readonly topic: string;
  readonly payload: string;
}

/** How to subscribe. */
export interface SubscriberOptions {
  readonly port: number;
  readonly filter?: string;
  /** Keeps its session at the broker under this id. */
  readonly session?: string;
  /** Protocol version as `mosquitto_sub` names it; default 5. */
  readonly version?: "5" | "311";
}

/** A subscriber with its log. */
export interface Subscriber {
  /** All messages so far, in the order in which they arrived. */
  readonly log: readonly Received[];
  /** The first message from number `from` of the log on that fits, once it is there; `what` names it when it does not come. */
  first(what: string, fits: (message: Received) => boolean, from?: number): Promise<Received>;
  /** Settles when the log so far meets a condition; looked at again after every message. */
  until(what: string, met: (log: readonly Received[]) => boolean): Promise<void>;
}

/** Starts a subscriber; settles when the broker has taken the subscription. It ends with the test. */
export async function startSubscriber(
  test: Pick<TestContext, "after">,
  { port, filter = "#", session, version = "5" }: SubscriberOptions,
): Promise<Subscriber> {
  const keep =
    session === undefined ? [] : ["-c", "-i", session, ...(version === "5" ? ["-x", "3600"] : [])];
  const where = ["-h", "127.0.0.1", "-p", String(port), "-V", version];
  const what = ["-q", "1", "-t", filter, "-F", FORMAT, "-d"];
  // It writes each message at once, but keeps what it says of the subscription in its buffer.
  const child = spawn("stdbuf", ["-oL", "mosquitto_sub", ...where, ...keep, ...what], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  test.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const log: Received[] = [];
  const watchers = new Set<() => void>();
  const subscribed = new Promise<void>((resolve, reject) => {
    child.once("error", () => {
      reject(new Error("These tests need mosquitto_sub: apt install mosquitto-clients."));
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("Subscribed")) resolve();
      const message = parse(line);
      if (message === undefined) return;
      log.push(message);
      for (const look of watchers) look();
    });
  });

  function watch<T>(waitedFor: string, look: () => T | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        watchers.delete(check);
      };
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`${waitedFor} did not come. The last messages:\n${lastOf(log)}`));
      }, PATIENCE);
      watchers.add(check);
      check();
    });
  }

  await within(subscribed, PATIENCE, "the subscription");
  return {
    log,
    first: (waitedFor, fits, from = 0) => {
      let next = from;
      return watch(waitedFor, () => {
        for (; next < log.length; next += 1) {
          const message = log[next];
          if (message !== undefined && fits(message)) return message;
        }
        return undefined;
      });
    },
    until: async (waitedFor, met) => {
      await watch(waitedFor, () => (met(log) ? true : undefined));
    },
  };
}

/** The payload as JSON; of the type that the topic's documentation says. */
export function jsonOf<T>({ payload }: Received): T {
  // What does not have that type fails where the test looks at it.
  return JSON.parse(payload) as T;
}

function parse(line: string): Received | undefined {
  const [mark, at, retain, correlation = "", topic, ...rest] = line.split("\t");
  if (mark !== "m" || topic === undefined) return undefined;
  const payload = rest.join("\t");
  return { at: Number(at) * 1000, retain: retain === "1", correlation, topic, payload };
}

function lastOf(log: readonly Received[]): string {
  return log
    .slice(-15)
    .map(({ topic, payload }) => `${topic} ${payload.slice(0, 300)}`)
    .join("\n");
}

async function within(work: Promise<void>, most: number, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not come`));
    }, most);
  });
  await Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}
