/** Rows of the fault table: brokers that do not let us do what we want. The witnesses are Mosquitto, its log and a separate subscriber. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import mqtt from "mqtt";
import { faultRow } from "../support/fault-row.ts";
import { startMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { CLIENT_ID, startStation, type Station } from "../support/station.ts";
import { jsonOf, startSubscriber, type Received, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** Readings of the gateway `two` may not be published. */
const RIGHTS = ["topic readwrite polling/#", "topic deny polling/readings/two/#"];

interface Gap {
  readonly gateway: string;
  readonly from: number;
  readonly outcome: string;
}

faultRow(
  {
    id: "B5a",
    fault: "forbids a topic, MQTT 5",
    done: "the rights of Mosquitto deny the readings of one of two gateways",
    must: "they are quarantined, gaps name them, the log and health say so; the other gateway flows, over one connection",
  },
  async (t) => {
    const { broker, subscriber } = await startBroker(t, { acl: RIGHTS });
    const station = await startStation(t, { url: broker.url, gateways: { one: 1, two: 1 } });
    await readingsOf(subscriber, "one", 10);
    await subscriber.until("gaps", (log) => quarantinedIn(log).length >= 5);
    await subscriber.first("health", (message) => {
      return message.topic === "polling/node/health" && quarantinedOf(message) >= 5;
    });
    assert.deepEqual(new Set(quarantinedIn(subscriber.log)), new Set(["two"]));
    assert.equal(countOf(subscriber.log, "two"), 0);
    assert.equal(station.complaints.filter((line) => /refuses a topic/.test(line)).length, 1);
    assert.equal(station.connects(), 1);
    await wholeBut(station, subscriber, "two");
    const quarantined = String((await station.health()).spool.quarantined);
    return `${quarantined} readings in quarantine, named by gaps; ${String(countOf(subscriber.log, "one"))} of the other came in order`;
  },
);

faultRow(
  {
    id: "B5b",
    fault: "forbids a topic, MQTT 3.1.1",
    done: "the same rights, behind a gate that refuses MQTT 5",
    must: "the broker acknowledges and discards, which nobody can see: the log says so at the connect, health by refusalsInvisible; the other gateway flows",
  },
  async (t) => {
    const { broker, subscriber } = await startBroker(t, { acl: RIGHTS });
    const url = await startVersionGate(t, broker.port);
    const station = await startStation(t, { url, gateways: { one: 1, two: 1 } });
    await readingsOf(subscriber, "one", 20);
    const { mqtt: state, spool } = await station.health();
    assert.deepEqual(state, { version: 4, refusalsInvisible: true, commands: true });
    assert.equal(spool.quarantined, 0);
    assert.equal(countOf(subscriber.log, "two"), 0);
    assert.match(station.complaints.join("\n"), /can't say that it refuses a message/);
    await wholeBut(station, subscriber, "two");
    return `${String(countOf(subscriber.log, "one"))} readings of the one gateway came, none of the other, none in quarantine; refusalsInvisible true`;
  },
);

faultRow(
  {
    id: "B6a",
    fault: "announces a packet size that some readings exceed",
    done: "max_packet_size 1500 in Mosquitto, MQTT 5; one of three gateways has larger readings",
    must: "they are never sent but quarantined and named by gaps; what is behind them flows, over one connection",
  },
  async (t) => {
    const { broker, subscriber } = await startBroker(t, { lines: ["max_packet_size 1500"] });
    const gateways = { one: 1, big: 200, two: 1 };
    const station = await startStation(t, { url: broker.url, gateways });
    await readingsOf(subscriber, "one", 10);
    await readingsOf(subscriber, "two", 10);
    await subscriber.until("gaps", (log) => quarantinedIn(log).length >= 5);
    assert.deepEqual(new Set(quarantinedIn(subscriber.log)), new Set(["big"]));
    assert.equal(station.connects(), 1);
    await wholeBut(station, subscriber, "big");
    const quarantined = String((await station.health()).spool.quarantined);
    return `${quarantined} readings in quarantine, named by gaps; the others in order, one connection`;
  },
);

faultRow(
  {
    id: "B9",
    fault: "another client takes over the client id",
    done: "a second client with the same id connects again a quarter of a second after Mosquitto has put it out",
    must: "an event and health say so at the third end of a connection within a minute; the node comes back at widening distances; all is delivered when the other is gone, nothing is taken for unfit",
  },
  async (t) => {
    const log = join(createTempDir(t), "mosquitto.log");
    const { broker, subscriber } = await startBroker(t, { lines: [`log_dest file ${log}`] });
    const station = await startStation(t, { url: broker.url, gateways: { one: 1, two: 1 } });
    await readingsOf(subscriber, "one", 3);
    const rival = mqtt.connect(broker.url, {
      ...{ clientId: CLIENT_ID, username: "rival", protocolVersion: 5, reconnectPeriod: 250 },
    });
    t.after(() => rival.endAsync(true));
    const isEvent = ({ topic, payload }: Received): boolean =>
      topic === "polling/node/events" && payload.includes('"connection-contested"');
    const event = await subscriber.first("the event", isEvent);
    assert.match(event.payload, /mqtt\.clientId/);
    assert.equal((await station.health()).mqtt.contested, true);
    await station.polled(50);
    await rival.endAsync(true);
    const from = subscriber.log.length;
    await readingsOf(subscriber, "one", 25, from);
    const text = readFileSync(log, "utf8");
    const takeovers = text.match(/already connected, closing old connection/g)?.length ?? 0;
    const connects = text
      .split("\n")
      .filter((line) => line.includes(`as ${CLIENT_ID} `) && !line.includes("rival")).length;
    assert.ok(connects <= 9, `${String(connects)} connects in about 40 s are a tight loop`);
    assert.equal((await station.health()).spool.quarantined, 0);
    await wholeBut(station, subscriber, "nobody");
    return `${String(takeovers)} takeovers; ${String(connects)} connects of the node; contested in health, the event connection-contested, then all in order`;
  },
);

async function startBroker(
  t: TestContext,
  options: Parameters<typeof startMosquitto>[0],
): Promise<{ broker: Mosquitto; subscriber: Subscriber }> {
  const broker = await startMosquitto(options);
  t.after(broker.remove);
  const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
  return { broker, subscriber };
}

/** A port behind which the broker speaks MQTT 3.1.1 only; other versions get CONNACK 1 (MQTT 3.1.1, 3.1.2.2). */
async function startVersionGate(t: TestContext, port: number): Promise<string> {
  const server = createServer((client) => {
    client.on("error", () => undefined);
    client.once("data", (bytes) => {
      const level = bytes[bytes.indexOf("MQTT") + 4];
      if (level !== 4) {
        client.end(Buffer.from("20020001", "hex"));
        return;
      }
      const inner = connect(port, "127.0.0.1");
      inner.on("error", () => client.destroy());
      inner.write(bytes);
      client.pipe(inner).pipe(client);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  // A TCP server's address is never the text that a pipe's is.
  return `mqtt://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function countOf(log: readonly Received[], gateway: string): number {
  return log.filter(({ topic }) => topic === `polling/readings/${gateway}/d`).length;
}

async function readingsOf(
  subscriber: Subscriber,
  gateway: string,
  count: number,
  from = 0,
): Promise<void> {
  const what = `${String(count)} readings of ${gateway}`;
  await subscriber.until(what, (log) => countOf(log.slice(from), gateway) >= count);
}

/** Gateways of the gaps that tell of quarantine. */
function quarantinedIn(log: readonly Received[]): string[] {
  return log
    .filter(({ topic }) => topic.startsWith("polling/gaps/"))
    .map((message) => jsonOf<Gap>(message))
    .filter(({ outcome }) => outcome === "quarantined")
    .map(({ gateway }) => gateway);
}

function quarantinedOf(health: Received): number {
  return jsonOf<{ spool: { quarantined: number } }>(health).spool.quarantined;
}

/** Ends the station; all gateways but the one that may not publish are whole and in order. */
async function wholeBut(station: Station, subscriber: Subscriber, but: string): Promise<void> {
  await station.stop();
  const stopped = ({ topic, payload }: Received): boolean =>
    topic === "polling/node/state" && payload === "offline";
  await subscriber.first("the end", stopped);
  const others = subscriber.log.filter(({ topic }) => topic.split("/")[2] !== but);
  const { violations } = station.verdict(others);
  assert.deepEqual(
    violations.filter((violation) => !violation.includes(` ${but} `)),
    [],
  );
}
