import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import test from "node:test";
import { createPlace } from "./program.ts";

test("read shows any register in both notations, and a value in all four orders", async (t) => {
  const { run, begin } = await createPlace(t);
  const simulator = begin("simulate", "--port", "0", "--json");
  const told: { url: string } = JSON.parse(await simulator.line(/^\{/));
  const meter = `${told.url}/1`;
  const [float, holding, twice, beyond, reference, type] = await Promise.all([
    run("read", meter, "30001", "--type", "float32"),
    run("read", meter, "1", "--table", "holding", "--json"),
    run("read", meter, "40001", "40002"),
    run("read", meter, "49001"),
    run("read", meter, "40001", "--table", "holding"),
    run("read", meter, "40001", "--type", "float"),
  ]);
  assert.match(float.stdout, /^address +reference +raw +ABCD +CDAB +BADC +DCBA\n/);
  assert.match(float.stdout, /^0 +300001 +43[0-9A-F]{2} [0-9A-F]{4} +2[23]\d(\.\d+)? /m);
  const read: { values: { reference: string; values: { ABCD: number } }[] } = JSON.parse(
    holding.stdout,
  );
  assert.deepEqual(read.values[0]?.reference, "400002");
  assert.equal(read.values[0].values.ABCD, 60);
  assert.equal(twice.code, 64);
  assert.equal(beyond.code, 69);
  assert.match(
    beyond.stderr,
    /exception 2: it has no such address.*\(unit 1, holding 9000 \(409001\)/,
  );
  assert.match(reference.stderr, /40001 looks like a reference, which is address 0 of holding \(/);
  assert.match(type.stderr, /no type "float"; did you mean float32\? Next: /);
});

test("read goes through a node that owns the endpoint; without it a simulator is not there", async (t) => {
  const { run, begin, node } = await createPlace(t);
  const before = await run("read", "hall/meter", ...node);
  assert.deepEqual([before.code, before.stdout], [69, ""]);
  assert.ok(before.stderr.includes(` start ${node.join(" ")} (NO_ANSWER)`), before.stderr);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const [points, unknown] = await Promise.all([
    ...[run("read", "hall/meter", "voltage", ...node), run("read", "hall/metre", ...node)],
  ]);
  assert.match(points?.stdout ?? "", /^voltage +0 +300001 +43[0-9A-F]{2} [0-9A-F]{4} +2[23]\d/m);
  assert.equal(unknown?.code, 64);
  assert.ok(unknown.stderr.includes("did you mean hall/meter? Next: "), unknown.stderr);
  assert.ok(unknown.stderr.endsWith(` read hall/meter ${node.join(" ")}\n`), unknown.stderr);
});

test("a refused connection and a silent device are told apart, both with 69", async (t) => {
  const { run } = await createPlace(t);
  const silent = createServer((socket) => socket.on("error", () => undefined).resume());
  silent.listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const [refused, timeout] = await Promise.all([
    run("read", "tcp://127.0.0.1:1/1", "40001"),
    run("read", `tcp://127.0.0.1:${String(port)}/7`, "40001"),
  ]);
  assert.deepEqual([refused.code, timeout.code], [69, 69]);
  assert.match(refused.stderr, /refuses the connection: nothing listens/);
  assert.match(timeout.stderr, /unit 7 is silent .*wrong unit id/);
});

test("the node that runs says what a device is, though its file was changed or given up", async (t) => {
  const { run, begin, node, config } = await createPlace(t);
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  writeFileSync(config, readFileSync(config, "utf8").replaceAll("voltage", "renamed"));
  const read = await run("read", "hall/meter", ...node);
  assert.match(read.stdout, /^voltage /m);
  writeFileSync(config, "gateways: none");
  const broken = await run("read", "hall/meter", "voltage", ...node.slice(2));
  assert.equal(broken.code, 0, broken.stderr);
});

test("read marks what is uncertain or was refused, and shows what other orders would make of it", async (t) => {
  const { run, begin, config } = await createPlace(t);
  const simulator = begin("simulate", "--port", "0", "--json");
  const told: { url: string } = JSON.parse(await simulator.line(/^\{/));
  const points = [
    { id: "voltage", table: "input", address: 0, type: "float32", unit: "V", max: 100 },
    { id: "status", table: "holding", address: 0, type: "uint16", enum: { 7: "seven" } },
    { id: "period", table: "holding", address: 1, type: "uint16", invalid: [60] },
    { id: "absent", table: "holding", address: 9000, type: "int64", invalid: [-5] },
  ];
  const devices = [{ id: "meter", unitId: 1, points }];
  writeFileSync(config, JSON.stringify({ gateways: [{ id: "a", connection: told.url, devices }] }));
  const [text, json, only] = await Promise.all([
    run("read", "a/meter", "--config", config),
    run("read", "a/meter", "absent", "period", "--config", config, "--json"),
    run("read", "a/meter", "absent", "--config", config),
  ]);
  assert.match(text.stdout, /^voltage .* 2[23]\d\S* V +uncertain: out_of_range +ABCD +CDAB /m);
  assert.match(text.stdout, /^status +0 +400001 +[0-9A-F]{4} +\d+ +uncertain: unlisted$/m);
  assert.match(text.stdout, /^period +1 +400002 +003C +- +bad: invalid$/m);
  assert.match(text.stdout, /^absent +9000 +409001 +- +- +bad: exception 2$/m);
  const { points: rows }: { points: { point: string; error: object }[] } = JSON.parse(json.stdout);
  assert.deepEqual(Object.fromEntries(rows.map(({ point, error }) => [point, error])), {
    absent: { reason: "exception", exception: 2 },
    period: { reason: "invalid" },
  });
  assert.equal(only.code, 69);
  assert.match(only.stderr, /exception 2: it has no such address/);
});
