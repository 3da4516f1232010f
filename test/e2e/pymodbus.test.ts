/** A slave and a master of two other code bases: what edgepoll publishes is what the other master reads, over each kind of way. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startPython } from "../modbus/rig.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { jsonOf, startSubscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

const SLAVE = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));

/** Points, and what `mbpoll` has to be told to read the same. */
const POINTS = [
  [{ id: "holding", table: "holding", address: 10, type: "uint16" }, ["-t", "4"]],
  [{ id: "input", table: "input", address: 199, type: "uint16" }, ["-t", "3"]],
  [{ id: "coil-set", table: "coil", address: 4, type: "bool" }, ["-t", "0"]],
  [{ id: "coil-clear", table: "coil", address: 5, type: "bool" }, ["-t", "0"]],
  [{ id: "discrete-set", table: "discrete", address: 9, type: "bool" }, ["-t", "1"]],
  [{ id: "discrete-clear", table: "discrete", address: 10, type: "bool" }, ["-t", "1"]],
  [{ id: "big", table: "holding", address: 20, type: "int32" }, ["-t", "4:int", "-B"]],
  [{ id: "swapped", table: "holding", address: 20, type: "int32", order: "CDAB" }, ["-t", "4:int"]],
  [{ id: "float", table: "input", address: 30, type: "float32" }, ["-t", "3:float", "-B"]],
] as const;

/** Ways to the slave: the connection of the gateway, and what `mbpoll` has to be told; it knows no RTU over TCP. */
const WAYS: Readonly<Record<string, (port: number, path: string) => Way>> = {
  "Modbus TCP": (port) => ({
    connection: `tcp://127.0.0.1:${String(port)}`,
    mbpoll: ["-m", "tcp", "-p", String(port), "127.0.0.1"],
  }),
  "a serial line": (_, path) => ({
    connection: `serial://${path}?baud=19200`,
    mbpoll: ["-m", "rtu", "-b", "19200", "-P", "even", path],
  }),
  "RTU over TCP": (port, path) => ({
    connection: `rtu+tcp://127.0.0.1:${String(port)}`,
    mbpoll: ["-m", "rtu", "-b", "19200", "-P", "even", path],
  }),
};

interface Way {
  readonly connection: string;
  readonly mbpoll: readonly string[];
}

for (const [name, wayTo] of Object.entries(WAYS)) {
  const title = `P5: over ${name} edgepoll publishes what mbpoll reads from pymodbus`;
  test(title, { timeout: 60_000 }, async (t) => {
    const directory = createTempDir(t);
    const path = join(directory, "ttyPYTHON");
    const isRtu = name !== "Modbus TCP";
    const port = await startPython(t, [SLAVE, ...(isRtu ? [path] : [])]);
    const { connection, mbpoll } = wayTo(port, path);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const filter = "polling/readings/#";
    const subscriber = await startSubscriber(t, { port: broker.port, filter });
    const files = writeSite(join(directory, "node"), {
      mqtt: { broker: broker.url },
      defaults: { interval: "2s" },
      gateways: [
        {
          ...{ id: "python", connection },
          devices: [{ id: "unit", unitId: 7, points: POINTS.map(([point]) => point) }],
        },
      ],
    });
    const node = startNode(t, files);
    const reading = await subscriber.first("a good reading", ({ payload }) =>
      payload.includes('"quality":"good"'),
    );
    assert.equal(await node.stop(), 0, node.output());
    const { values } = jsonOf<{ values: Record<string, number | boolean> }>(reading);
    for (const [{ id, address, type }, options] of POINTS) {
      // It prints six digits of a float.
      const published = Number(Number(values[id]).toPrecision(type === "float32" ? 6 : 15));
      assert.equal(published, readByMbpoll(mbpoll, address, options), id);
    }
    assert.equal(Object.keys(values).length, POINTS.length);
  });
}

/** The value that `mbpoll` prints for an address (0-based). */
function readByMbpoll(way: readonly string[], address: number, options: readonly string[]): number {
  const where = ["-a", "7", "-0", "-r", String(address), "-c", "1"];
  const text = execFileSync("mbpoll", [...where, ...options, "-1", "-q", ...way], {
    encoding: "utf8",
  });
  const value = new RegExp(`\\[${String(address)}\\]:\\s+(\\S+)`).exec(text)?.[1];
  assert.ok(value !== undefined, text);
  return Number(value);
}
