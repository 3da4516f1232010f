/** Reads what a broker retains, over a connection of its own that ends with the look. */
import mqtt from "mqtt";
import type { MqttClient } from "mqtt";
import { PublishError, messageOf } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { retainedTopicOf, type BrokerLook, type RetainedTopic } from "../core/retained-topics.ts";
import { reasonOf, refusesVersion } from "./reasons.ts";
import { clientOptionsOf, type SessionOptions } from "./session.ts";

/** ms a look may take, and after which a broker that sends no more has sent all. */
const PATIENCE = 5000;
const QUIET = 500;
const MOST_TOPICS = 10_000;

/** What a look needs to know about the broker. */
export type RetainedLookOptions = Pick<
  SessionOptions,
  "url" | "username" | "password" | "clientId" | "clock"
>;

/** Reads; takes 5 s at most, for each version that has to be tried. Rejects with `PublishError`. */
export function lookAtRetained(
  options: RetainedLookOptions,
  filters: readonly string[],
  version: 4 | 5 = 5,
): Promise<BrokerLook> {
  return withClient(options, version, (client, until) => read(client, filters, until));
}

/** Clears retained topics; settles when the broker has acknowledged all. Rejects with `PublishError`. */
export function clearRetained(
  options: RetainedLookOptions,
  topics: readonly string[],
): Promise<void> {
  return withClient(options, 5, async (client) => {
    for (const topic of topics) await client.publishAsync(topic, "", { qos: 1, retain: true });
  });
}

interface Deadline {
  readonly clock: Clock;
  readonly at: number;
}

/** Connects, works, and ends the connection whatever comes. */
async function withClient<T>(
  options: RetainedLookOptions,
  version: 4 | 5,
  work: (client: MqttClient, until: Deadline) => Promise<T>,
): Promise<T> {
  const { clock, url } = options;
  const until = { clock, at: clock.elapsed() + PATIENCE };
  // The node's own session must not be taken over.
  const clientId = `${options.clientId}-audit`;
  const client = mqtt.connect(url, clientOptionsOf({ ...options, clientId }, version));
  const failed = new Promise<never>((_, reject) => {
    client.on("error", reject);
    client.on("close", () => {
      reject(new Error("the broker closed the connection"));
    });
  });
  let cancel: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.timer(PATIENCE + QUIET, () => {
      reject(new Error("the broker did not answer in time"));
    });
  });
  // The work may have ended well before the connection does.
  failed.catch(() => undefined);
  try {
    return await Promise.race([failed, late, connected(client).then(() => work(client, until))]);
  } catch (error) {
    if (version === 5 && error instanceof Error && refusesVersion(error)) {
      return await withClient(options, 4, work);
    }
    const why = error instanceof Error ? reasonOf(error) : messageOf(error);
    throw new PublishError("PUBLISH_LOST", why, error);
  } finally {
    cancel();
    client.end(true);
  }
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once("connect", () => {
      resolve();
    });
  });
}

async function read(
  client: MqttClient,
  filters: readonly string[],
  { clock, at }: Deadline,
): Promise<BrokerLook> {
  const topics: RetainedTopic[] = [];
  const unseen: string[] = [];
  let quiet: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    let cancel: (() => void) | undefined;
    quiet = () => {
      cancel?.();
      const wait = Math.min(QUIET, at - clock.elapsed());
      if (topics.length >= MOST_TOPICS || wait <= 0) {
        unseen.push("all retained topics: the broker has more than could be read in time");
        resolve();
      } else cancel = clock.timer(wait, resolve);
    };
    client.once("close", () => cancel?.());
  });
  client.on("message", (topic, payload, { retain }) => {
    if (!retain) return;
    topics.push(retainedTopicOf(topic, payload.toString()));
    quiet();
  });
  const granted = await client.subscribeAsync([...filters], { qos: 0 });
  const refused = granted.filter(({ qos }) => qos >= 128).map(({ topic }) => topic);
  if (refused.length > 0) unseen.push(`${refused.join(", ")}: this user may not subscribe there`);
  quiet();
  await ended;
  return { topics, unseen };
}
