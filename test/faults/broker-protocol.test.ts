/** Rows of the fault table: brokers that keep to the protocol badly or not at all. The witness is the broker's own log. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { seededRandom } from "../e2e/site.ts";
import { faultRow } from "../support/fault-row.ts";
import {
  startScriptedBroker,
  type Script,
  type ScriptedBroker,
} from "../support/scripted-broker.ts";
import { startStation, type Station, type StationParts } from "../support/station.ts";

const GATEWAYS = { one: 1, two: 1 };
/** The seed of what happens at random. */
const SEED = 20_261_127;

async function startPair(
  t: TestContext,
  script: Script,
  parts: Partial<StationParts> = {},
): Promise<{ broker: ScriptedBroker; station: Station }> {
  const broker = await startScriptedBroker(script);
  t.after(() => broker.close());
  const station = await startStation(t, { url: broker.url, gateways: GATEWAYS, ...parts });
  return { broker, station };
}

/** Readings and gaps the broker has so far, again or not. */
function spooledAt({ publishes }: ScriptedBroker): number {
  return publishes.filter(({ topic }) => /\/(readings|gaps)\//.test(topic)).length;
}

/** Settles when the broker has so many further readings. */
async function delivered(broker: ScriptedBroker, further: number): Promise<void> {
  const goal = spooledAt(broker) + further;
  await broker.until(`${String(further)} readings`, () => spooledAt(broker) >= goal);
}

/** Ends the station and holds what the broker got against the ledger; gives back the figures. */
async function settled(broker: ScriptedBroker, station: Station): Promise<string> {
  await station.stop();
  const { violations, counts } = station.verdict(broker.publishes);
  assert.deepEqual(violations, []);
  const { spool } = await station.health();
  assert.ok(spool.readings < 4, "what came has left the spool, but for a lot without its PUBACKs");
  const { readings, duplicates } = counts;
  return `${String(readings)} readings in order, none missing, ${String(duplicates)} of them again`;
}

/** Reasons that the health gave while connects were refused, one after the other. */
async function refused(broker: ScriptedBroker, station: Station, from: number): Promise<string[]> {
  const codes = [...(broker.script.connack ?? [])];
  const reasons: string[] = [];
  for (const n of codes.keys()) {
    await broker.until("the next connect", () => broker.connects.length > from + n + 1);
    reasons.push((await station.health()).mqtt.reason ?? "none");
  }
  return reasons;
}

faultRow(
  {
    id: "B2b",
    fault: "answers pings, acknowledges nothing",
    done: "the scripted broker keeps back every PUBACK through three connections",
    must: "the link is given up after 10 s without an acknowledgement and tried again; then all comes in order, nothing is taken for unfit",
  },
  async (t) => {
    const { broker, station } = await startPair(t, { acknowledges: () => false });
    await broker.until("four connects", () => broker.connects.length >= 4);
    assert.match((await station.health()).mqtt.reason ?? "", /acknowledged nothing/);
    delete broker.script.acknowledges;
    await delivered(broker, 40);
    assert.equal((await station.health()).spool.quarantined, 0);
    const seen = await settled(broker, station);
    return `${String(broker.connects.length)} connections; ${seen}`;
  },
);

faultRow(
  {
    id: "B3",
    fault: "slow: 1 kB a second",
    done: "the scripted broker reads 1 kB a second, acknowledges what it has read; readings have 700 bytes each, more come than it takes",
    must: "never more in flight than the window; the link stands as long as acknowledgements come; the rest waits on disk; polling untouched",
  },
  async (t) => {
    const script = { connack: [3, 3, 3, 3], bytesPerSecond: 10_000 };
    const parts = { gateways: { one: 60, two: 60 } };
    const { broker, station } = await startPair(t, script, parts);
    await station.polled(60);
    await delivered(broker, 50);
    const { spool } = await station.health();
    assert.ok(spool.readings > 20, String(spool.readings));
    assert.ok(broker.mostUnacknowledged() <= 20);
    assert.deepEqual(
      broker.connects.map(({ code }) => code),
      [3, 3, 3, 3, 0],
    );
    const [went, waits] = [String(spooledAt(broker)), String(spool.readings)];
    return `one connection; ${went} readings went, ${waits} waited, at most ${String(broker.mostUnacknowledged())} in flight`;
  },
);

faultRow(
  {
    id: "B4a",
    fault: "MQTT 5 refuses the connect, then accepts",
    done: "CONNACK 134, 135, 137 from the scripted broker, then 0",
    must: "it is tried again and again, health names the reason, then all comes in order",
  },
  async (t) => {
    const { broker, station } = await startPair(t, { connack: [134, 135, 137] }, { speed: 20 });
    const reasons = await refused(broker, station, 0);
    assert.deepEqual(reasons, [
      "bad user name or password (CONNACK 134)",
      "not authorized (CONNACK 135)",
      "server busy (CONNACK 137)",
    ]);
    await delivered(broker, 20);
    return `${reasons.join(", ")}; then ${await settled(broker, station)}`;
  },
);

faultRow(
  {
    id: "B4b",
    fault: "MQTT 3.1.1 refuses the connect, then accepts",
    done: "CONNACK 1 to MQTT 5, then 2, 3, 4, 5 to 3.1.1 from the scripted broker, then 0",
    must: "3.1.1 is spoken at once, then tried again and again; health names the reason and says that refusals are invisible",
  },
  async (t) => {
    const script: Script = { version: 4, connack: [2, 3, 4, 5] };
    const { broker, station } = await startPair(t, script, { speed: 20 });
    const reasons = await refused(broker, station, 1);
    assert.deepEqual(reasons, [
      "identifier rejected (CONNACK 2)",
      "server unavailable (CONNACK 3)",
      "bad username or password (CONNACK 4)",
      "not authorized (CONNACK 5)",
    ]);
    await delivered(broker, 20);
    const { mqtt } = await station.health();
    assert.deepEqual(mqtt, { version: 4, refusalsInvisible: true, commands: true });
    assert.equal(station.complaints.filter((line) => /does not speak MQTT 5/.test(line)).length, 1);
    const versions = broker.connects.map(({ version }) => version);
    assert.deepEqual(versions, [5, 4, 4, 4, 4, 4]);
    return `${reasons.join(", ")}; then ${await settled(broker, station)}`;
  },
);

faultRow(
  {
    id: "B6b",
    fault: "ends the connection at a message it finds too big",
    done: "the scripted broker (3.1.1) cuts the connection at more than 1500 bytes; one of three gateways has larger readings",
    must: "the first too big message stands aside after two connections and is sent alone, twice at most, then it and its like are quarantined; the rest flows, in order",
  },
  async (t) => {
    const script: Script = { version: 4, cutsAbove: 1500 };
    const gateways = { one: 1, big: 200, two: 1 };
    const { broker, station } = await startPair(t, script, { speed: 50, gateways });
    await broker.until("two gaps", () => quarantinedAt(broker).size >= 2);
    await delivered(broker, 20);
    await station.stop();
    const { spool } = await station.health();
    assert.ok(spool.quarantined >= 2);
    const small = broker.publishes.filter(({ topic }) => /\/(one|two)(\/d)?$/.test(topic));
    const { violations } = station.verdict(small);
    const ofSmall = violations.filter((violation) => !violation.includes(" big "));
    assert.deepEqual(ofSmall, [], "the others are whole and in order");
    return `${String(broker.connects.length - 1)} connections; ${String(spool.quarantined)} in quarantine, each named by a gap; ${String(small.length)} readings of the others in order`;
  },
);

/** First seqs of the gaps that tell of quarantine. */
function quarantinedAt({ publishes }: ScriptedBroker): Set<number> {
  const gaps = publishes
    .filter(({ topic }) => topic.includes("/gaps/"))
    .map(({ payload }) => JSON.parse(payload) as { from: number; outcome: string });
  const quarantined = gaps.filter(({ outcome }) => outcome === "quarantined");
  return new Set(quarantined.map(({ from }) => from));
}

faultRow(
  {
    id: "B7a",
    fault: "takes only so many unacknowledged messages at a time",
    done: "the scripted broker announces a receive maximum of 1, then of 10, each with 100 readings to catch up with",
    must: "never more are in flight, and all comes in order",
  },
  async (t) => {
    const seen: string[] = [];
    for (const receiveMaximum of [1, 10]) {
      const script = { receiveMaximum, connack: [3, 3] };
      const { broker, station } = await startPair(t, script, { interval: 100 });
      await station.polled(100);
      await delivered(broker, 150);
      const most = broker.mostUnacknowledged();
      assert.ok(most <= receiveMaximum, `${String(most)} in flight`);
      seen.push(`at most ${String(most)} in flight: ${await settled(broker, station)}`);
    }
    return seen.join("; ");
  },
);

faultRow(
  {
    id: "B7b",
    fault: "loses acknowledgements",
    done: "the scripted broker takes every message and keeps back one PUBACK in ten, at random",
    must: "the link is given up after the time-out and what is unacknowledged is sent again, nothing else; nothing is deleted that was not acknowledged",
  },
  async (t) => {
    const random = seededRandom(SEED);
    const acknowledges: Script["acknowledges"] = ({ topic }) =>
      !topic.includes("/readings/") || random() > 0.1;
    const { broker, station } = await startPair(t, { acknowledges }, { speed: 20 });
    await delivered(broker, 60);
    delete broker.script.acknowledges;
    await delivered(broker, 20);
    assert.equal((await station.health()).spool.quarantined, 0);
    const again = await settled(broker, station);
    return `seed ${String(SEED)}: ${String(broker.connects.length)} connections; ${again}`;
  },
);

faultRow(
  {
    id: "B7c",
    fault: "acknowledges out of order, and what nobody sent",
    done: "the scripted broker acknowledges in lots of four, the last first, and before each an id that is not in use",
    must: "the connection stands, and all comes once and in order",
  },
  async (t) => {
    const script = { reversed: 4, unknownAcks: true, connack: [3, 3] };
    const { broker, station } = await startPair(t, script, { interval: 100 });
    await station.polled(60);
    await delivered(broker, 120);
    assert.equal(broker.connects.length, 3);
    const seen = await settled(broker, station);
    assert.match(seen, / 0 of them again/);
    return `one connection; ${seen}`;
  },
);

faultRow(
  {
    id: "B7d",
    fault: "answers the connect twice",
    done: "the scripted broker sends a second CONNACK behind the first, on three connections",
    must: "the connection is given up (MQTT 5, 3.2), the reason is in health, and then all comes in order",
  },
  async (t) => {
    const { broker, station } = await startPair(t, { connackTwice: true });
    await broker.until("four connects", () => broker.connects.length >= 4);
    const { reason = "none" } = (await station.health()).mqtt;
    assert.match(reason, /duplicate CONNACK/i);
    delete broker.script.connackTwice;
    await delivered(broker, 20);
    return `${reason}; ${await settled(broker, station)}`;
  },
);

faultRow(
  {
    id: "B8",
    fault: "the link is cut in mid-replay",
    done: "the scripted broker resets the connection six times in the replay, after 20 to 80 messages each, at random",
    must: "what was unacknowledged is sent again, nothing is lost, nothing is taken for unfit",
  },
  async (t) => {
    const random = seededRandom(SEED);
    const parts = { interval: 500, speed: 50 };
    const { broker, station } = await startPair(t, { connack: [3, 3, 3, 3, 3] }, parts);
    await station.polled(120);
    for (let cut = 0; cut < 6; cut += 1) {
      const connects = broker.connects.length;
      broker.script.cutAfter = 20 + Math.floor(random() * 60);
      await broker.until("the reconnect", () => broker.connects.length > connects);
    }
    await delivered(broker, 200);
    assert.equal((await station.health()).spool.quarantined, 0);
    const seen = await settled(broker, station);
    return `seed ${String(SEED)}: ${String(broker.connects.length)} connects; ${seen}`;
  },
);

faultRow(
  {
    id: "B10",
    fault: "refuses the subscription to the commands",
    done: "the scripted broker answers SUBACK 135, and grants it from the third time on",
    must: "health says that commands are off, readings flow; it is asked for again every minute, and then a command is carried out",
  },
  async (t) => {
    const { broker, station } = await startPair(t, { suback: 135 }, { speed: 100 });
    await delivered(broker, 10);
    assert.equal((await station.health()).mqtt.commands, false);
    await broker.until("the second try", () => broker.subscribes.length >= 2);
    broker.script.suback = 1;
    await broker.until("the third try", () => broker.subscribes.length >= 3);
    const shown = (): boolean =>
      broker.publishes.some(({ topic, payload }) => {
        return topic === "polling/node/health" && payload.includes('"commands":true');
      });
    await broker.until("health with commands", shown);
    broker.deliver("polling/cmd/stop", "one");
    const isReply = ({ topic }: { topic: string }): boolean => topic === "polling/reply/stop";
    await broker.until("the reply", () => broker.publishes.some(isReply));
    assert.equal(broker.connects.length, 1);
    assert.equal(station.complaints.filter((line) => /refuses us commands/.test(line)).length, 2);
    return "commands false in health after two refusals, true after the third try; a stop was answered; one connection";
  },
);
