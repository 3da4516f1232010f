/** Writes and identification against a slave from another code base, over Modbus TCP and over a line. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { WriteRequest } from "../../src/core/ports.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { openLine } from "./line-rig.ts";
import { openLink, startPython, TIMEOUT, wordsOf } from "./rig.ts";

const PYMODBUS = fileURLToPath(new URL("../support/pymodbus-slave.py", import.meta.url));
const WAYS = ["tcp", "serial"] as const;

/** The slave's link, and how mbpoll is told to go the same way. */
async function slaveOver(t: TestContext, way: (typeof WAYS)[number]) {
  if (way === "tcp") {
    const port = await startPython(t, [PYMODBUS]);
    return { link: openLink(t, port).link, mbpoll: ["-m", "tcp", "-p", String(port), "127.0.0.1"] };
  }
  const path = join(createTempDir(t), "ttyPYMODBUS");
  await startPython(t, [PYMODBUS, path]);
  return { link: openLine(t, path).link, mbpoll: ["-m", "rtu", "-b", "19200", "-P", "even", path] };
}

/** What mbpoll reads of unit 7: values by their 0-based addresses. */
function mbpoll(way: readonly string[], type: string, address: number, count: number): string[] {
  const what = ["-a", "7", "-t", type, "-0", "-r", String(address), "-c", String(count), "-1"];
  const told = execFileSync("mbpoll", [...what, ...way], { encoding: "utf8" });
  return Array.from(told.matchAll(/^\[\d+\]:\s+(\S+)/gm), ([, value = ""]) => value);
}

function writeOf(table: "coil" | "holding", address: number, ...words: number[]): WriteRequest {
  return { unitId: 7, table, address, words: Uint16Array.from(words), asSeveral: false };
}

for (const way of WAYS) {
  test(`over ${way} one value or several are written, and mbpoll reads the same`, async (t) => {
    const { link, mbpoll: how } = await slaveOver(t, way);
    const several = { ...writeOf("holding", 13, 77), asSeveral: true };
    const writes = [
      ...[writeOf("holding", 10, 4321), writeOf("holding", 11, 1, 0xffff), several],
      ...[writeOf("coil", 1, 1), writeOf("coil", 2, 0, 1, 0, 1, 1, 0, 0, 1, 1)],
    ];
    for (const write of writes) assert.deepEqual(wordsOf(await link.write(write, TIMEOUT)), []);
    const longest = writeOf("holding", 20, ...Array.from({ length: 123 }, (_, n) => n));
    assert.deepEqual(wordsOf(await link.write(longest, TIMEOUT)), []);
    const read = { unitId: 7, table: "holding", address: 10, count: 4 } as const;
    assert.deepEqual(wordsOf(await link.read(read, TIMEOUT)), [4321, 1, 0xffff, 77]);
    await link.close();
    assert.deepEqual(mbpoll(how, "4", 10, 4), ["4321", "1", "65535", "77"]);
    assert.deepEqual(mbpoll(how, "4", 141, 2), ["121", "122"]);
    assert.deepEqual(mbpoll(how, "0", 0, 11), [..."11010110011"]);
  });

  test(`over ${way} an exception to a write is told, and nothing was written`, async (t) => {
    const { link } = await slaveOver(t, way);
    const refused = await link.write(writeOf("holding", 199, 1, 2), TIMEOUT);
    assert.ok(!refused.ok && refused.reason === "exception" && refused.exception === 2);
    const read = { unitId: 7, table: "holding", address: 199, count: 1 } as const;
    assert.deepEqual(wordsOf(await link.read(read, TIMEOUT)), [1199]);
  });

  test(`over ${way} a slave says who it is`, async (t) => {
    const { link } = await slaveOver(t, way);
    const found = await link.identify(7, TIMEOUT);
    assert.ok("objects" in found, JSON.stringify(found));
    assert.deepEqual(
      [...found.objects.values()],
      ["Pymodbus", "PM", "1.2.3", "http://example.org", "Slave for tests", "7"],
    );
    assert.equal(found.cutShort, undefined);
    const { unitId, table, address, count } = { ...writeOf("holding", 0), count: 1 };
    assert.deepEqual(wordsOf(await link.read({ unitId, table, address, count }, TIMEOUT)), [1000]);
  });
}
