/** Rows T12 and T13: a short schedule and one whose plan takes long share a line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { faultsOf } from "../engine/checker.ts";
import { outcomesOf, toldOn } from "../engine/reading.ts";
import { Rig } from "../engine/rig.ts";
import { faultRow } from "../support/fault-row.ts";
import { readLedger } from "../support/ledger-reader.ts";
import { startLineSlave } from "../support/line-slave.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { jsonOf, startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import type { SeenReading } from "./field.ts";

const HOUR = 3_600_000;
/** Requests of the long plan. */
const LONG = 20;
/** Requests of the long plan that may go between a short slot and its request: none, but for a machine that is held up. */
const MOST_BETWEEN = 4;

faultRow(
  {
    id: "T12",
    fault: "a schedule of 1 s and one of 60 s whose plan takes 8 s share a line",
    done: "on the virtual clock, for an hour; the long plan is 20 requests of 400 ms each, and beside it runs one of 30 s with ten such requests",
    must: "each slot is polled; the short one waits for the request in flight and for no other",
  },
  async () => {
    const addresses = Array.from({ length: LONG }, (_, n) => n * 100);
    const every = (interval: number, requests: number) => Array<number>(requests).fill(interval);
    const devices = { short: [1000], long: every(60_000, LONG), other: every(30_000, LONG / 2) };
    const rig = new Rig({ gateways: [{ id: "a", devices, addresses, phase: 0 }] });
    rig.behave("a/1", { kind: "value", ms: 20 });
    for (const unit of ["a/2", "a/3"]) rig.behave(unit, { kind: "value", ms: 400 });
    await rig.start();
    await rig.clock.advance(HOUR + 10_000);
    await rig.stop();
    assert.deepEqual(faultsOf(rig), []);
    const counts = [1000, 60_000, 30_000].map((interval) => {
      const outcomes = Object.values(outcomesOf(rig, `a@${String(interval)}`));
      assert.ok(outcomes.length >= HOUR / interval);
      // The last ones were under way at the end.
      assert.ok(outcomes.slice(0, -1).every((outcome) => outcome === "good"));
      return String(outcomes.length);
    });
    const lates = toldOn(rig, "readings/a/short").map(({ late }) => late ?? Infinity);
    const latest = Math.max(...lates);
    assert.ok(latest <= 400, `${String(latest)} ms late`);
    return `${counts.join(", ")} slots, all good; the short ones at most ${String(latest)} ms late`;
  },
);

faultRow(
  {
    id: "T13",
    fault: "a schedule of 1 s and one of 5 s whose plan takes 2 s share a line",
    done: "at 19200 baud a unit answers 20 requests after 90 ms each, its neighbour is polled every second",
    must: "both accounts are without a hole; the short schedule is served before the rest of the long plan",
  },
  async (t) => {
    const slave = await startLineSlave(t, { baud: 19_200 });
    await slave.script([{ kind: "delay", ms: 90 }], 2);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const subscriber = await startSubscriber(t, { port: broker.port, filter: "polling/#" });
    const point = { table: "holding", type: "uint16" };
    const files = writeSite(join(createTempDir(t), "node"), {
      ...{ node: "lines", mqtt: { broker: broker.url } },
      gateways: [
        {
          ...{ id: "line", connection: `serial://${slave.path}?baud=19200` },
          merge: { maxGap: 0 },
          devices: [
            { id: "short", unitId: 1, points: [{ ...point, id: "p", address: 9, interval: "1s" }] },
            {
              ...{ id: "long", unitId: 2 },
              points: Array.from({ length: LONG }, (_, n) => {
                return { ...point, id: `p${String(n)}`, address: 10 * n, interval: "5s" };
              }),
            },
          ],
        },
      ],
    });
    const node = startNode(t, files);
    await node.started;
    const offset = Date.now() - Number(process.hrtime.bigint()) / 1e6;
    const readings = (device: string) =>
      subscriber.log
        .filter(({ topic }) => topic === `polling/readings/line/${device}`)
        .map((message) => jsonOf<SeenReading>(message));
    await subscriber.until("three long polls", () => readings("long").length >= 3);
    assert.equal(await node.stop(), 0, node.output());

    const accounts = await readLedger(files.stateDir);
    assert.equal(accounts.length, 2);
    for (const { claimed, entries } of accounts) {
      const next = entries.reduce((due, { from, to }) => (from === due ? to + 1 : NaN), 1);
      assert.equal(next, claimed + 1, "an account without a hole");
    }
    const requests = slave.requests().map(({ unit, t: at }) => ({ unit, at: at / 1e6 + offset }));
    const between = readings("short").map(({ slot, ts }) => {
      const own = requests.findLastIndex(({ unit, at }) => unit === 1 && at <= ts + 5);
      return requests.slice(0, own).filter(({ unit, at }) => unit === 2 && at > slot + 5).length;
    });
    assert.ok(Math.max(...between) <= MOST_BETWEEN, between.join());
    const within = requests.filter(({ unit }, n) => {
      const asked = requests.slice(0, n).filter((request) => request.unit === 2).length;
      return unit === 1 && asked % LONG !== 0;
    }).length;
    assert.ok(within >= readings("long").length, "short slots fell due in the midst of long polls");
    const missed = subscriber.log.filter(({ topic }) => topic === "polling/gaps/line").length;
    return `${String(readings("short").length)} short readings, ${String(within)} of their requests in the midst of a long poll, which had sent ${String(Math.max(...between))} at most since the short slot was due; ${String(readings("long").length)} long readings; ${String(missed)} gaps, no hole`;
  },
);
