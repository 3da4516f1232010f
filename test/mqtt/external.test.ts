/** The bus over a broker that is already there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { Aedes } from "aedes";
import { once } from "node:events";
import { createServer } from "node:net";
import { PublishError } from "../../src/core/errors.ts";
import type { Bus, Clock, Incoming } from "../../src/core/ports.ts";
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import { createExternalBus } from "../../src/mqtt/external-bus.ts";
import type { ExternalBusOptions } from "../../src/mqtt/external-bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { freePort, startMosquitto } from "../support/mosquitto.ts";
import type { Mosquitto, MosquittoOptions } from "../support/mosquitto.ts";
import { busSuite } from "./bus.suite.ts";
import {
  Inbox,
  messageTo,
  opened,
  recordingLog,
  startBusProcess,
  statesOf,
  subscribe,
} from "./peers.ts";

const LIMIT = { timeout: 20_000 };

function external(url: string, more: Partial<ExternalBusOptions> = {}): Bus {
  return createExternalBus({
    url,
    clientId: "edgepoll-test",
    commandFilter: "test/cmd/+",
    will: messageTo("test/node/state", "offline", { retain: true }),
    clock: createClock(),
    log: recordingLog().log,
    ...more,
  });
}

/** The machine's clock, ten times as fast. */
function hurriedClock(): Clock {
  const clock = createClock();
  return {
    ...clock,
    elapsed: () => clock.elapsed() * 10,
    timer: (delay, wake) => clock.timer(delay / 10, wake),
  };
}

busSuite("external", async (log) => {
  const broker = await startMosquitto();
  const bus = external(broker.url, { log });
  return {
    bus,
    url: broker.url,
    processArguments: ["external", broker.url],
    remove: async () => {
      await bus.close();
      await broker.remove();
    },
  };
});

/** A test with a Mosquitto and buses to it; all end with the test. */
function withBroker(
  options: MosquittoOptions,
  body: (
    broker: Mosquitto,
    make: (more?: Partial<ExternalBusOptions>) => Bus,
    t: TestContext,
  ) => Promise<void>,
) {
  return async (t: TestContext): Promise<void> => {
    const broker = await startMosquitto(options);
    t.after(broker.remove);
    const make = (more?: Partial<ExternalBusOptions>): Bus => {
      const bus = external(broker.url, more);
      t.after(() => bus.close());
      return bus;
    };
    await body(broker, make, t);
  };
}

function isLost(error: unknown): boolean {
  return error instanceof PublishError && error.code === "PUBLISH_LOST";
}

describe("external: a broker that is away", LIMIT, () => {
  it(
    "is tried again until it is there, and logged once",
    withBroker({}, async (broker, make) => {
      await broker.stop();
      const { log, lines } = recordingLog();
      const bus = make({ log, clock: hurriedClock() });
      const states = statesOf(bus);
      await bus.open();
      assert.equal((await lines.next()).level, "warn");
      assert.equal(bus.state.reason, "connection refused");
      assert.equal((await lines.next()).level, "debug");
      await assert.rejects(bus.publish(messageTo("test/x", "away")), isLost);
      await broker.restart();
      assert.equal((await states.next()).connected, true);
    }),
  );

  it(
    "does not hold up close",
    withBroker({}, async (broker, make) => {
      broker.signal("SIGSTOP");
      const bus = make();
      await bus.open();
      await bus.close();
      assert.equal(bus.state.reason, "closed");
    }),
  );

  it(
    "that dies rejects what is in flight, and nothing is sent by itself when it is back",
    withBroker({}, async (broker, make) => {
      const bus = make();
      const commands = new Inbox<Incoming>();
      bus.onMessage(commands.put);
      const states = await opened(bus);
      broker.signal("SIGSTOP");
      const sent = [0, 1, 1, 1].map((qos) =>
        bus.publish(messageTo("test/x", "in flight", { qos: qos === 0 ? 0 : 1 })),
      );
      const outcomes = Promise.allSettled(sent.slice(1));
      await broker.stop("SIGKILL");
      for (const outcome of await outcomes) {
        assert.ok(outcome.status === "rejected" && isLost(outcome.reason));
      }
      const away = await states.next();
      assert.equal(away.connected, false);
      assert.notEqual(away.reason, undefined);
      await broker.restart();
      const { client, inbox, close } = await subscribe(broker.url, "test/x");
      const back = await states.next();
      assert.equal(back.connected, true);
      assert.equal(back.commands, true);
      await bus.publish(messageTo("test/x", "first"));
      assert.equal((await inbox.next()).payload.toString(), "first");
      await client.publishAsync("test/cmd/start", "*", { qos: 1 });
      assert.equal((await commands.next()).payload, "*");
      await close();
    }),
  );

  it(
    "that acknowledges nothing is left and connected to again",
    withBroker({}, async (broker, make) => {
      const bus = make({ clock: hurriedClock() });
      const states = await opened(bus);
      broker.signal("SIGSTOP");
      await assert.rejects(bus.publish(messageTo("test/x", "unheard")), isLost);
      assert.match((await states.next()).reason ?? "", /acknowledged nothing/);
      broker.signal("SIGCONT");
      assert.equal((await states.next()).connected, true);
      await bus.publish(messageTo("test/x", "heard"));
    }),
  );

  it(
    "does not keep close from ending while it takes nothing",
    withBroker({}, async (broker, make) => {
      const bus = make();
      await opened(bus);
      broker.signal("SIGSTOP");
      const unheard = assert.rejects(bus.publish(messageTo("test/x", "unheard")), isLost);
      const before = performance.now();
      await bus.close();
      assert.ok(performance.now() - before < 1000);
      await unheard;
    }),
  );
});

describe("external: the last will", LIMIT, () => {
  it(
    "is published when the process dies, and not after close",
    withBroker({}, async (broker, _make, t) => {
      const { inbox, close } = await subscribe(broker.url, "test/node/state");
      const closing = startBusProcess(t, "external", broker.url, "close");
      assert.equal((await inbox.next()).payload.toString(), "online");
      assert.equal(await closing.exit, 0);
      const dying = startBusProcess(t, "external", broker.url, "hold");
      // Were a will of the first published, it would come before this.
      assert.equal((await inbox.next()).payload.toString(), "online");
      dying.process.kill("SIGKILL");
      assert.equal((await inbox.next()).payload.toString(), "offline");
      await close();
    }),
  );
});

describe("external: users and rights", LIMIT, () => {
  const users = { edge: "right", other: "other" };

  it(
    "the right password connects",
    withBroker({ users }, async (_broker, make) => {
      const bus = make({ username: "edge", password: "right" });
      await opened(bus);
      assert.equal(bus.state.version, 5);
    }),
  );

  it(
    "a wrong password is named as the reason, and tried again",
    withBroker({ users }, async (_broker, make) => {
      const { log, lines } = recordingLog();
      const bus = make({ username: "edge", password: "wrong", log, clock: hurriedClock() });
      await bus.open();
      await lines.next();
      assert.equal(bus.state.reason, "not authorized (CONNACK 135)");
      assert.deepEqual(
        [(await lines.next()).level, (await lines.next()).level],
        ["debug", "debug"],
      );
      assert.equal(bus.state.connected, false);
    }),
  );

  it(
    "a forbidden topic is refused by code, and the connection stays",
    withBroker({ acl: ["topic readwrite test/#"] }, async (_broker, make) => {
      const bus = make();
      await opened(bus);
      await assert.rejects(bus.publish(messageTo("forbidden/x", "no")), (error: unknown) => {
        assert.ok(error instanceof PublishError);
        assert.equal(error.code, "PUBLISH_REFUSED");
        assert.match(error.message, /forbidden\/x.*135/);
        return true;
      });
      await bus.publish(messageTo("test/x", "yes"));
    }),
  );

  it(
    "a packet larger than the broker takes is refused without being sent",
    withBroker({ lines: ["max_packet_size 2000"] }, async (_broker, make) => {
      const bus = make();
      const states = await opened(bus);
      // Fixed header 3, topic 2 + 6, packet id 2, properties 1.
      const largest = "x".repeat(2000 - 14);
      await bus.publish(messageTo("test/x", largest));
      await assert.rejects(bus.publish(messageTo("test/x", `${largest}x`)), {
        code: "PUBLISH_REFUSED",
      });
      await bus.publish(messageTo("test/x", "still the same connection"));
      await bus.close();
      assert.equal((await states.next()).reason, "closed");
    }),
  );

  it("refused commands are said in the state, and asked for again", async (t) => {
    const clock = hurriedClock();
    let allowed = false;
    const broker = await Aedes.createBroker({
      authorizeSubscribe: (_client, subscription, done) => {
        done(null, allowed ? subscription : null);
      },
    });
    const server = createServer((socket) => {
      broker.handle(socket);
    });
    const port = await freePort();
    await once(server.listen(port, "127.0.0.1"), "listening");
    // The retry comes after a minute: only this test makes that short.
    const timer: Clock["timer"] = (delay, wake) =>
      clock.timer(delay === 60_000 ? 100 : delay, wake);
    const bus = external(`mqtt://127.0.0.1:${String(port)}`, { clock: { ...clock, timer } });
    t.after(() => {
      server.close();
      broker.close();
    });
    t.after(() => bus.close());
    const states = await opened(bus);
    assert.equal(bus.state.connected, true);
    assert.equal(bus.state.commands, false);
    await bus.publish(messageTo("test/x", "readings go all the same"));
    allowed = true;
    assert.equal((await states.next()).commands, true);
  });
});

describe("external: versions of the protocol", LIMIT, () => {
  it(
    "MQTT 5 response topic and correlation data go both ways",
    withBroker({}, async (broker, make) => {
      const bus = make();
      const commands = new Inbox<Incoming>();
      bus.onMessage(commands.put);
      await opened(bus);
      const options = { protocolVersion: 5 } as const;
      const { client, inbox, close } = await subscribe(broker.url, "answers/me", options);
      const correlationData = Buffer.from([0, 255, 1]);
      const properties = { responseTopic: "answers/me", correlationData };
      await client.publishAsync("test/cmd/status", "{}", { qos: 1, properties });
      const command = await commands.next();
      assert.equal(command.responseTopic, "answers/me");
      assert.equal(command.correlation, "00ff01");
      await bus.publish(messageTo("answers/me", "ok", { correlation: "00ff01" }));
      assert.deepEqual((await inbox.next()).properties?.correlationData, correlationData);
      await close();
    }),
  );

  it(
    "a retained command is told from a live one at every subscription",
    withBroker({}, async (broker, make) => {
      const { client, close } = await subscribe(broker.url);
      await client.publishAsync("test/cmd/stop", "*", { qos: 1, retain: true });
      const bus = make();
      const commands = new Inbox<Incoming>();
      bus.onMessage(commands.put);
      await opened(bus);
      const retained = { topic: "test/cmd/stop", payload: "*", retain: true };
      assert.deepEqual(await commands.next(), retained);
      await close();
    }),
  );

  it("a broker without MQTT 5 is spoken to in 3.1.1", async (t) => {
    const port = await freePort();
    const will = messageTo("other/node/state", "offline");
    const broker = createEmbeddedBus({
      ...{ host: "127.0.0.1", port, commandFilter: "other/cmd/+", will },
      ...{ clock: createClock(), log: recordingLog().log },
    });
    t.after(() => broker.close());
    await opened(broker);
    const url = `mqtt://127.0.0.1:${String(port)}`;
    const bus = external(url);
    t.after(() => bus.close());
    const commands = new Inbox<Incoming>();
    bus.onMessage(commands.put);
    await opened(bus);
    assert.equal(bus.state.version, 4);
    assert.equal(bus.state.commands, true);
    await broker.publish(messageTo("test/cmd/start", "*"));
    assert.equal((await commands.next()).payload, "*");
    const { inbox, close } = await subscribe(url, "test/x");
    await bus.publish(messageTo("test/x", "hello", { correlation: "00" }));
    assert.equal((await inbox.next()).payload.toString(), "hello");
    await close();
  });
});
