/** The bus over a broker that is already there: what the broker allows, takes and speaks. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { Aedes } from "aedes";
import { PublishError } from "../../src/core/errors.ts";
import type { Clock, Incoming } from "../../src/core/ports.ts";
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { freePort } from "../support/mosquitto.ts";
import { external, hurriedClock, withBroker } from "./external-support.ts";
import { Inbox, messageTo, opened, recordingLog, subscribe } from "./peers.ts";

const LIMIT = { timeout: 20_000 };

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
