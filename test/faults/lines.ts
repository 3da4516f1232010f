/** A node with a serial line for each fault, and the witnesses of what it does. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { serialPoints } from "../e2e/site.ts";
import { startLineSlave, type LineRequest, type LineSlave } from "../support/line-slave.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeProcess } from "../support/node-process.ts";
import { jsonOf, startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import type { SeenReading } from "./field.ts";

const BLOCKED = fileURLToPath(new URL("../support/blocked-driver.js", import.meta.url));

/** What a line has of its own. */
export interface LineKeys {
  readonly timeout?: string;
  readonly maxAnswerTime?: string;
  /** Put in front of the path that the node opens; default none. */
  readonly path?: (own: string) => string;
}

/** One line with a unit, and the gateway that polls it. */
export interface TestLine {
  readonly slave: LineSlave;
  readonly path: string;
  /** The next readings, of slots that are due from now on. */
  next(count: number): Promise<SeenReading[]>;
  /** All readings so far. */
  readings(): SeenReading[];
  /** Settles with the first reading from now on that is good. */
  good(): Promise<SeenReading>;
  /** Settles with the first reading from now on that is not good. */
  bad(): Promise<SeenReading>;
  /** Throws when a value of a reading is that of a request of another slot. */
  assertOwnValues(): void;
}

/** The lines by their names, and the node that polls them. */
export interface Lines {
  line(id: string): TestLine;
  readonly node: NodeProcess;
}

/** Starts units and a node; `ready` is called in between with the paths. */
export async function startLines(
  test: Pick<TestContext, "after">,
  ids: Readonly<Record<string, LineKeys>>,
  ready: (paths: ReadonlyMap<string, string>) => Promise<void>,
): Promise<Lines> {
  const directory = createTempDir(test);
  const broker = await startMosquitto();
  test.after(() => broker.remove());
  const subscriber = await startSubscriber(test, { port: broker.port, filter: "polling/#" });
  const made = await Promise.all(
    Object.entries(ids).map(async ([id, keys]) => {
      const slave = await startLineSlave(test);
      return { id, keys, slave, path: keys.path?.(slave.path) ?? slave.path };
    }),
  );
  await ready(new Map(made.map(({ id, path }) => [id, path])));
  const files = writeSite(join(directory, "node"), {
    node: "lines",
    log: { level: "debug" },
    mqtt: { broker: broker.url },
    budget: { refuse: "never" },
    gateways: made.map(({ id, path, keys: { timeout = "200ms", maxAnswerTime } }) => ({
      ...{ id, connection: `serial://${path}?baud=19200`, interval: "1s", retries: 0 },
      ...{ timeout, maxAnswerTime, failureThreshold: 1_000_000 },
      devices: [
        {
          id: "unit",
          unitId: 1,
          points: serialPoints.filter(({ id: point }) => point !== "valve"),
        },
        { id: "other", unitId: 2, points: [{ ...serialPoints[1] }] },
      ],
    })),
  });
  const node = startNode(test, files, {}, ["--import", BLOCKED]);
  await node.started;
  const offset = Date.now() - Number(process.hrtime.bigint()) / 1e6;
  const lines = made.map(({ id, slave, path }): [string, TestLine] => {
    const readings = (): SeenReading[] =>
      subscriber.log
        .filter(({ topic }) => topic === `polling/readings/${id}/unit`)
        .map((message) => jsonOf<SeenReading>(message));
    const after = async (what: string, enough: (found: SeenReading[]) => boolean) => {
      const now = Date.now();
      const found = (): SeenReading[] => readings().filter(({ slot }) => slot > now);
      await subscriber.until(`${what} of ${id}`, () => enough(found()));
      return found();
    };
    const first = async (what: string, isIt: (reading: SeenReading) => boolean) => {
      const found = (await after(what, (all) => all.some(isIt))).find(isIt);
      assert.ok(found);
      return found;
    };
    const line: TestLine = {
      ...{ slave, path, readings },
      next: async (count) =>
        (await after("readings", (all) => all.length >= count)).slice(0, count),
      good: () => first("a good reading", ({ quality }) => quality === "good"),
      bad: () => first("a bad reading", ({ quality }) => quality !== "good"),
      assertOwnValues: () => {
        const bySerial = new Map(slave.requests().map((request) => [request.serial, request]));
        for (const { slot, ts, values } of readings()) {
          if (values["serial3"] === undefined) continue;
          const request: LineRequest | undefined = bySerial.get(Number(values["serial3"]));
          const at = Number((request as { t?: number } | undefined)?.t) / 1e6 + offset;
          assert.ok(
            at >= slot - 50 && at <= ts + 50,
            `slot ${String(slot)} of ${id} has its own value`,
          );
        }
      },
    };
    return [id, line];
  });
  return {
    node,
    line: (id) => {
      const found = lines.find(([name]) => name === id)?.[1];
      assert.ok(found, `no line ${id}`);
      return found;
    },
  };
}
