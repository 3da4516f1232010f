/** Rows T7 and T8: answers on a line that come later than anybody reckons with, and to a process that is gone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe } from "node:test";
import { faultRow } from "../support/fault-row.ts";
import { startLineSlave, type LineSlave } from "../support/line-slave.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles } from "../support/node-process.ts";
import { jsonOf, startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import type { SeenReading } from "./field.ts";

const endings: (() => unknown)[] = [];
const test: Parameters<typeof startNode>[0] = {
  after: (end) => {
    // What is given here are functions without arguments.
    if (end) endings.push(end as () => unknown);
  },
};
after(async () => {
  for (const end of endings.reverse()) await end();
});

/** Registers far apart, so that each is a request of its own; all have the same function and length. */
const ADDRESSES = [20, 40, 60, 80];

/** A line, files of a node that polls it by two gateways, and the readings of both. */
async function startPlant(keys: object) {
  const slave = await startLineSlave(test);
  const broker = await startMosquitto();
  test.after(() => broker.remove());
  const filter = "polling/readings/#";
  const subscriber = await startSubscriber(test, { port: broker.port, filter });
  const gateway = (id: string, addresses: readonly number[]) => ({
    ...{ id, connection: `serial://${slave.path}`, merge: { maxGap: 0 } },
    ...{ failureThreshold: 1_000_000, ...keys },
    devices: [
      {
        ...{ id: "unit", unitId: 1 },
        points: addresses.map((address) => ({
          ...{ id: `at-${String(address)}`, table: "holding", address, type: "uint16" },
        })),
      },
    ],
  });
  const files = writeSite(join(createTempDir(test), "node"), {
    ...{ node: "lines", mqtt: { broker: broker.url }, budget: { refuse: "never" } },
    gateways: [gateway("one", ADDRESSES), gateway("two", [120, 140])],
  });
  const readings = (): SeenReading[] => subscriber.log.map((each) => jsonOf<SeenReading>(each));
  const until = (what: string, enough: (all: SeenReading[]) => boolean) =>
    subscriber.until(what, () => enough(readings()));
  return { slave, files, readings, until };
}

/** How many values there are; throws when one is not that of its own register. */
function ownValues(readings: readonly SeenReading[]): number {
  const values = readings.flatMap((reading) => Object.entries(reading.values));
  for (const [id, value] of values) assert.equal(`at-${String(value)}`, id);
  return values.length;
}

/** A slave that is slow with the next requests of its unit, by so many ms. */
function slow(slave: LineSlave, delays: readonly number[]): Promise<void> {
  return slave.script(
    delays.map((ms) => ({ kind: "delay", ms, requests: 1 })),
    1,
  );
}

describe("answers on a line that are not awaited", { concurrency: true }, () => {
  faultRow(
    {
      id: "T7",
      fault: "answers later than maxAnswerTime, one after the other",
      done: "with one retry, one answer comes 2.5 times the time-out after its request, those that follow 1.25 and 1.5 times, each in the time of the next request",
      must: "no value is that of another request; what is in doubt fails, and the line is good again by itself",
    },
    async () => {
      const keys = { interval: "2s", timeout: "200ms", retries: 1 };
      const { slave, files, readings, until } = await startPlant(keys);
      startNode(test, files);
      await until("good readings", (all) => all.length > 1);
      await slow(slave, [500, 250, 300, 300, 300, 300]);
      await until("a reading that is not good", (all) => all.some(isBad));
      const bad = readings().findIndex(isBad);
      await until("good readings", (all) => all.slice(bad).filter(isGood).length > 3);
      const values = ownValues(readings());
      const wrong = readings().filter(isBad).length;
      return `${String(wrong)} reading(s) not good, then good; ${String(values)} values, each its own request's`;
    },
  );

  faultRow(
    {
      id: "T8",
      fault: "a node is killed with a request under way on a line, and started again at once",
      done: "kill -9 while a unit works at its answer, which comes after the new process has opened the line",
      must: "the line is silent for maxAnswerTime from the start on; no value is that of the dead process's request",
    },
    async () => {
      const keys = { interval: "1s", timeout: "500ms", maxAnswerTime: "4s", retries: 0 };
      const { slave, files, readings, until } = await startPlant(keys);
      const first = startNode(test, files);
      await until("good readings", (all) => all.length > 1);
      await slow(slave, [3500, 400, 400]);
      const sent = slave.requests().length;
      await slave.received(sent + 1);
      await first.kill();
      await restart(files);
      const before = readings().length;
      await until("good readings", (all) => all.slice(before).filter(isGood).length > 5);
      const values = ownValues(readings());
      const [last, next] = slave.requests().slice(sent);
      const silence = Math.floor(((next?.t ?? 0) - (last?.t ?? 0)) / 1e6);
      assert.ok(silence >= 4000, `silent for ${String(silence)} ms`);
      return `silent for ${String(silence)} ms after the last request of the dead process; ${String(values)} values, each its own request's`;
    },
  );
});

async function restart(files: NodeFiles): Promise<void> {
  await startNode(test, files).started;
}

function isGood({ quality }: SeenReading): boolean {
  return quality === "good";
}

function isBad(reading: SeenReading): boolean {
  return !isGood(reading);
}
