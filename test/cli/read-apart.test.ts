/** A register that is not there costs the points in it and no others, whoever asks. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { DirectAnswer } from "../../src/app/read.ts";
import { readApart } from "../../src/cli/read-apart.ts";
import type { Point } from "../../src/core/model.ts";
import type { PlannedRequest } from "../../src/core/plan.ts";
import { createPlace } from "./program.ts";

const READ = ["read", "g/d", "--json"];

test("a point beside one that is not there is read, through a node and without", async (t) => {
  const { begin, run, node, config, directory, port } = await createPlace(t);
  const image = join(directory, "image.json");
  const registers = { "0x0000": "0001 0002 0003 0004 0005 0006 0007 0008" };
  writeFileSync(image, JSON.stringify({ table: "holding", registers }));
  const simulator = begin("simulate", "--image", image, "--port", "0", "--json");
  const { url }: { url: string } = JSON.parse(await simulator.line(/^\{/));
  const place = { table: "holding", type: "uint16" };
  const points = [
    { id: "early", address: 2, ...place },
    { id: "here", address: 7, ...place },
    { id: "gone", address: 8, ...place },
    { id: "late", address: 9, ...place },
  ];
  const gateways = [{ id: "g", connection: url, devices: [{ id: "d", unitId: 1, points }] }];
  const mqtt = { broker: "embedded", embedded: { port } };
  writeFileSync(config, JSON.stringify({ node: "test", mqtt, gateways }));
  const expected = [
    { point: "early", value: 3, error: undefined },
    { point: "here", value: 8, error: undefined },
    { point: "gone", value: undefined, error: { reason: "exception", exception: 2 } },
    { point: "late", value: undefined, error: { reason: "exception", exception: 2 } },
  ];
  assert.deepEqual(rowsOf(await run(...READ, ...node)), expected);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  assert.deepEqual(rowsOf(await run(...READ, ...node)), expected);
  const text = await run("read", "g/d", ...node);
  assert.match(text.stdout, /^here +7 +400008 +0008 +8 +good$/m);
  assert.match(text.stdout, /^gone +8 +400009 +- +- +bad: exception 2$/m);
  const none = await run("read", "g/d", "gone", "late", ...node);
  assert.equal(none.code, 69);
  assert.match(none.stderr, /^edgepoll: g\/d answered with exception 2: .*holding 8 .*count 1\)/);
});

function rowsOf({ stdout, stderr }: { stdout: string; stderr: string }) {
  assert.notEqual(stdout, "", stderr);
  const { points }: { points: { point: string; value?: number; error?: object }[] } =
    JSON.parse(stdout);
  return points.map(({ point, value, error }) => ({ point, value, error }));
}

const READABLE: DirectAnswer = { ok: true, words: [], rtt: 1 };

/** An exception for requests that read one of these addresses; what was asked, and what came of it. */
async function asked(refused: readonly number[], exception: number) {
  const sent: string[] = [];
  const ask = ({ address, count }: PlannedRequest): Promise<DirectAnswer> => {
    sent.push(`${String(address)}+${String(count)}`);
    const isRefused = refused.some((each) => each >= address && each < address + count);
    return Promise.resolve(
      isRefused ? { ok: false, reason: "exception", exception, detail: "" } : READABLE,
    );
  };
  const came: string[] = [];
  for await (const { request, answer } of readApart([REQUEST], ask)) {
    const ids = request.points.map(({ point }) => point.id).join(" ");
    came.push(`${ids}: ${answer.ok ? "read" : "refused"}`);
  }
  return { sent, came };
}

const POINTS = [0, 1, 2, 3, 5, 6, 7, 8].map((address): Point => {
  const place = { table: "holding", address, type: "uint16", order: "ABCD" } as const;
  return { id: `p${String(address)}`, interval: 1000, ...place };
});
const REQUEST: PlannedRequest = {
  ...{ unitId: 1, table: "holding", address: 0, count: 9 },
  points: POINTS.map((point) => ({ point, at: point.address, decode: () => ({ value: 0 }) })),
};

test("what is refused is halved until the register stands alone, and asked for no more than that", async () => {
  const { sent, came } = await asked([7], 3);
  assert.deepEqual(sent, ["0+9", "0+4", "5+4", "5+2", "7+2", "7+1", "8+1"]);
  assert.deepEqual(came, ["p0 p1 p2 p3: read", "p5 p6: read", "p7: refused", "p8: read"]);
  // One that no point needs is read by neither half.
  assert.deepEqual((await asked([4], 2)).sent, ["0+9", "0+4", "5+4"]);
  const all = await asked(
    POINTS.map(({ address }) => address),
    2,
  );
  assert.equal(all.sent.length, 2 * POINTS.length - 1);
  // Any other exception tells nothing of registers.
  assert.deepEqual((await asked([7], 4)).sent, ["0+9"]);
});
