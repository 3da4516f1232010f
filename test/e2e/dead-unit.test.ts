/** One silent unit behind a gateway costs its nine neighbours nothing, and comes back by itself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { startSlave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Received } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { serialPoints } from "./site.ts";

const UNITS = 10;
const DEAD = 4;
const READINGS = "polling/readings/line/";

interface Told {
  readonly seq: number;
  readonly quality: string;
  readonly reason?: string;
}

interface Health {
  readonly state: string;
  readonly schedules: readonly { readonly counts: { readonly missed: object } }[];
  readonly devices: readonly { readonly breaker: string }[];
}

const nameOf = (unit: number) => `unit-${String(unit)}`;

test(
  "P2 P7: nine units keep every slot while the tenth falls silent, is left out, is probed and comes back",
  { timeout: 120_000 },
  async (t) => {
    const directory = createTempDir(t);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const slave = await startSlave({ ports: 1, logFile: join(directory, "requests.jsonl") });
    t.after(() => slave.stop());
    const [port = 0] = slave.ports;
    const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
    const units = Array.from({ length: UNITS }, (_, i) => i + 1);
    const files = writeSite(join(directory, "node"), {
      node: "line",
      mqtt: { broker: broker.url },
      gateways: [
        {
          ...{ id: "line", connection: `tcp://127.0.0.1:${String(port)}`, interval: "1s" },
          ...{ timeout: "200ms", failureThreshold: 3, probe: { first: "2s", max: "3s" } },
          devices: units.map((unitId) => {
            return { id: nameOf(unitId), unitId, points: serialPoints };
          }),
        },
      ],
    });
    const node = startNode(t, files);
    const dead = READINGS + nameOf(DEAD);
    /** The next reading of the unit like that; gives back the number of the message after it. */
    const next = async (what: string, from: number, isIt: (told: Told) => boolean) => {
      const found = await subscriber.first(
        what,
        (message) => message.topic === dead && isIt(jsonOf<Told>(message)),
        from,
      );
      return subscriber.log.indexOf(found) + 1;
    };
    let at = await next("a good read", 0, ({ quality }) => quality === "good");
    await slave.fault(port, { kind: "silent" }, DEAD);
    at = await next("that it is left out", at, ({ reason }) => reason === "breaker_open");
    for (const probe of ["one probe", "another probe"]) {
      at = await next(probe, at, ({ reason }) => reason === "timeout");
      at = await next("that it is left out again", at, ({ reason }) => reason === "breaker_open");
    }
    await slave.fault(port, { kind: "normal" }, DEAD);
    at = await next("its return", at, ({ quality }) => quality === "good");
    const well = await subscriber.first(
      "that all is well",
      (message) =>
        message.topic === "polling/health/line" && jsonOf<Health>(message).state === "running",
      at,
    );
    const last = await next("its last reading", at, ({ quality }) => quality === "good");
    assert.equal(await node.stop(), 0, node.output());

    const end = jsonOf<Told>(subscriber.log[last - 1] as Received).seq;
    for (const unit of units.filter((each) => each !== DEAD)) {
      const readings = subscriber.log
        .filter(({ topic }) => topic === READINGS + nameOf(unit))
        .map((message) => jsonOf<Told>(message))
        .filter(({ seq }) => seq <= end);
      assert.deepEqual(
        readings.map(({ seq, quality }) => [seq, quality]),
        Array.from({ length: end }, (_, i) => [i + 1, "good"]),
        nameOf(unit),
      );
    }
    const { schedules, devices } = jsonOf<Health>(well);
    assert.deepEqual(schedules[0]?.counts.missed, {});
    assert.deepEqual([...new Set(devices.map(({ breaker }) => breaker))], ["closed"]);
    const kinds = subscriber.log
      .filter(({ topic }) => topic === "polling/node/events")
      .map((message) => jsonOf<{ kind: string }>(message).kind)
      .filter((kind) => kind.startsWith("device"));
    assert.deepEqual(kinds, ["device-offline", "device-open", "device-closed"]);
  },
);
