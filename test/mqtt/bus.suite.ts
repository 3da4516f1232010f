/** What every bus has to do, whoever runs the broker. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import mqtt from "mqtt";
import { PublishError } from "../../src/core/errors.ts";
import type { Bus, Incoming, Log } from "../../src/core/ports.ts";
import {
  Inbox,
  messageTo,
  opened,
  recordingLog,
  startBusProcess,
  startChild,
  statesOf,
  subscribe,
} from "./peers.ts";

/** A broker with its bus, fresh for a test. */
export interface Place {
  readonly bus: Bus;
  /** Where other clients connect. */
  readonly url: string;
  /** Arguments of `bus-process.ts` that make such a bus in a process of its own. */
  readonly processArguments: readonly string[];
  /** Closes what is open. */
  readonly remove: () => Promise<void>;
}

const LIMIT = { timeout: 20_000 };

/** Runs the suite; `make` gives a bus that is not open, with the command filter `test/cmd/+`. */
export function busSuite(name: string, make: (log: Log) => Promise<Place>): void {
  const withPlace =
    (body: (place: Place, t: TestContext) => Promise<void>) => async (t: TestContext) => {
      const place = await make(recordingLog().log);
      t.after(place.remove);
      await body(place, t);
    };

  describe(`${name}: publishing`, LIMIT, () => {
    it("hands a QoS 1 message to a subscriber byte for byte", withPlace(publishesBytes));
    it("keeps a retained message for a late subscriber", withPlace(keepsRetained));
    it("clears a retained message with an empty one", withPlace(clearsRetained));
    it("loses and reorders nothing of what is published at once", withPlace(keepsOrder));
    it("rejects with PUBLISH_LOST before open and after close", withPlace(rejectsWhenNotOpen));
    it("is not disturbed by a subscriber that is killed", withPlace(survivesKilledSubscriber));
  });

  describe(`${name}: commands`, LIMIT, () => {
    it("come in with topic, payload and retain flag", withPlace(takesCommands));
    it("other than on the command topics do not come in", withPlace(takesCommandsOnly));
    it("of more than 256 KiB are dropped", withPlace(dropsLongCommands));
    it("and states whose listener throws do no harm", withPlace(survivesListeners));
  });

  describe(`${name}: state`, LIMIT, () => {
    it("tells of the connect and of the close, each once", withPlace(tellsStates));
    it("leaves no handle after close: the process ends by itself", withPlace(leavesNoHandle));
    it("close settles within a second while a client does not let go", withPlace(closesQuickly));
  });
}

async function publishesBytes({ bus, url }: Place): Promise<void> {
  await opened(bus);
  const { inbox, close } = await subscribe(url, "test/readings/#");
  const payload = '{"unit":"°C","text":"\u{1F50C} \\u0000","value":-0.5}';
  await bus.publish(messageTo("test/readings/a/b", payload));
  const packet = await inbox.next();
  assert.equal(packet.topic, "test/readings/a/b");
  assert.deepEqual(Buffer.from(packet.payload), Buffer.from(payload));
  assert.equal(packet.retain, false);
  await close();
}

async function keepsRetained({ bus, url }: Place): Promise<void> {
  await opened(bus);
  await bus.publish(messageTo("test/kept", "1", { retain: true }));
  await bus.publish(messageTo("test/kept", "2", { retain: true, qos: 0 }));
  const { inbox, close } = await subscribe(url, "test/kept");
  const packet = await inbox.next();
  assert.equal(packet.payload.toString(), "2");
  assert.equal(packet.retain, true);
  await close();
}

async function clearsRetained({ bus, url }: Place): Promise<void> {
  await opened(bus);
  await bus.publish(messageTo("test/cleared", "here", { retain: true }));
  await bus.publish(messageTo("test/cleared", "", { retain: true }));
  await bus.publish(messageTo("test/marker", "here", { retain: true }));
  const { inbox, close } = await subscribe(url, "test/+");
  assert.equal((await inbox.next()).topic, "test/marker");
  await close();
}

async function keepsOrder({ bus, url }: Place): Promise<void> {
  await opened(bus);
  const { inbox, close } = await subscribe(url, "test/x");
  const sent = Array.from({ length: 200 }, (_, i) =>
    messageTo("test/x", String(i), { retain: i % 2 === 0 }),
  );
  await Promise.all(sent.map((message) => bus.publish(message)));
  for (const message of sent)
    assert.equal((await inbox.next()).payload.toString(), message.payload);
  await close();
}

async function rejectsWhenNotOpen({ bus }: Place): Promise<void> {
  const isLost = (error: unknown): boolean =>
    error instanceof PublishError && error.code === "PUBLISH_LOST";
  await assert.rejects(bus.publish(messageTo("test/x", "early")), isLost);
  await opened(bus);
  await bus.close();
  await assert.rejects(bus.publish(messageTo("test/x", "late")), isLost);
}

async function survivesKilledSubscriber({ bus, url }: Place, t: TestContext): Promise<void> {
  await opened(bus);
  const { inbox, close } = await subscribe(url, "test/readings/#");
  await bus.publish(messageTo("test/readings/hello", "hello", { retain: true }));
  const args = ["-L", `${url}/test/readings/#`, "-q", "1"];
  const killed = startChild(t, "mosquitto_sub", args);
  assert.equal(await killed.lines.next(), "hello");
  const sent = Array.from({ length: 100 }, (_, i) => messageTo("test/readings/x", String(i)));
  const all = Promise.all(sent.map((message) => bus.publish(message)));
  killed.process.kill("SIGKILL");
  await all;
  await killed.exit;
  assert.equal((await inbox.next()).payload.toString(), "hello");
  for (const message of sent)
    assert.equal((await inbox.next()).payload.toString(), message.payload);
  await close();
}

async function takesCommands({ bus, url }: Place): Promise<void> {
  const commands = commandsOf(bus);
  await opened(bus);
  const { client, close } = await subscribe(url);
  await client.publishAsync("test/cmd/start", '{"gateway":"ü"}', { qos: 1 });
  const started = { topic: "test/cmd/start", payload: '{"gateway":"ü"}', retain: false };
  assert.deepEqual(await commands.next(), started);
  await client.publishAsync("test/cmd/stop", "*", { qos: 1, retain: true });
  assert.deepEqual(await commands.next(), { topic: "test/cmd/stop", payload: "*", retain: true });
  await close();
}

async function takesCommandsOnly({ bus, url }: Place): Promise<void> {
  const commands = commandsOf(bus);
  await opened(bus);
  const { client, close } = await subscribe(url);
  await client.publishAsync("test/readings/a/b", "not for us", { qos: 1 });
  await client.publishAsync("test/cmd/deep/er", "not for us", { qos: 1 });
  await client.publishAsync("test/cmd/status", "", { qos: 1 });
  assert.deepEqual(await commands.next(), { topic: "test/cmd/status", payload: "", retain: false });
  await close();
}

async function dropsLongCommands({ bus, url }: Place): Promise<void> {
  const commands = commandsOf(bus);
  await opened(bus);
  const loud = await subscribe(url);
  // The embedded broker puts the client out.
  const putOut = new Promise<void>((resolve) => {
    loud.client.once("close", () => {
      resolve();
    });
  });
  const sent = loud.client.publishAsync("test/cmd/write", "x".repeat(256 * 1024 + 1), { qos: 1 });
  await Promise.race([sent.catch(() => undefined), putOut]);
  const { client, close } = await subscribe(url);
  await client.publishAsync("test/cmd/write", "y".repeat(255 * 1024), { qos: 1 });
  assert.equal((await commands.next()).payload[0], "y");
  await loud.close();
  await close();
}

async function survivesListeners({ bus, url }: Place): Promise<void> {
  bus.onState(() => {
    throw new Error("a state listener that throws");
  });
  bus.onMessage(() => {
    throw new Error("a message listener that throws");
  });
  const commands = commandsOf(bus);
  await opened(bus);
  const { client, close } = await subscribe(url);
  for (const payload of ["1", "2"]) {
    await client.publishAsync("test/cmd/poll", payload, { qos: 1 });
    assert.equal((await commands.next()).payload, payload);
  }
  await bus.publish(messageTo("test/x", "still here"));
  await close();
}

async function tellsStates({ bus }: Place): Promise<void> {
  const states = statesOf(bus);
  assert.equal(bus.state.connected, false);
  assert.notEqual(bus.state.reason, undefined);
  await bus.open();
  const state = await states.next();
  assert.equal(state.connected, true);
  assert.equal(state.commands, true);
  assert.equal(state.reason, undefined);
  assert.equal(bus.state, state);
  assert.ok(bus.window >= 1);
  await bus.close();
  await bus.close();
  const closed = await states.next();
  assert.equal(closed.connected, false);
  assert.equal(closed.commands, false);
  assert.ok(closed.since >= state.since);
  assert.deepEqual(bus.state, closed);
}

async function leavesNoHandle({ processArguments }: Place, t: TestContext): Promise<void> {
  const child = startBusProcess(t, ...processArguments, "close");
  assert.equal(await child.lines.next(), "online");
  assert.equal(await child.exit, 0);
}

async function closesQuickly({ bus, url }: Place): Promise<void> {
  await opened(bus);
  // A client that never reads and never closes.
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
  await client.subscribeAsync("test/#");
  client.stream.pause();
  await bus.publish(messageTo("test/x", "unread"));
  const before = performance.now();
  await bus.close();
  assert.ok(performance.now() - before < 1000);
  await client.endAsync(true);
}

function commandsOf(bus: Bus): Inbox<Incoming> {
  const commands = new Inbox<Incoming>();
  bus.onMessage(commands.put);
  return commands;
}
