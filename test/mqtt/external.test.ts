/** The bus over a broker that is already there: connection, loss and last will. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PublishError } from "../../src/core/errors.ts";
import type { Clock, Incoming } from "../../src/core/ports.ts";
import { createClock } from "../../src/system/clock.ts";
import { freePort, startMosquitto } from "../support/mosquitto.ts";
import { busSuite } from "./bus.suite.ts";
import { external, hurriedClock, withBroker } from "./external-support.ts";
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

  it("is tried at widening distances up to half a minute, other ones for each client", async (t) => {
    const url = `mqtt://127.0.0.1:${String(await freePort())}`;
    const [first, second] = ["edge-1", "edge-2"].map((clientId) => {
      const delays = new Inbox<number>();
      const clock = createClock();
      const timer: Clock["timer"] = (delay, wake) => {
        delays.put(delay);
        return clock.timer(1, wake);
      };
      const bus = external(url, { clientId, clock: { ...clock, timer } });
      t.after(() => bus.close());
      return { bus, delays };
    });
    assert.ok(first && second);
    await Promise.all([first.bus.open(), second.bus.open()]);
    for (const longest of [1, 2, 4, 8, 16, 30, 30, 30]) {
      const [one, other] = [await first.delays.next(), await second.delays.next()];
      assert.ok(one >= longest * 500 && one <= longest * 1000, String(one));
      assert.notEqual(one, other);
    }
  });

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
        assert.ok(outcome.status === "rejected");
        // It was the broker's end of the connection, perhaps because of one of them.
        assert.equal((outcome.reason as PublishError).code, "PUBLISH_CUT");
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
