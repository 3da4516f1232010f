/** `read` and `write` on a line that a node polls, in the settings of the node and in others. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { startLineSlave } from "../support/line-slave.ts";
import { createPlace } from "./program.ts";

test("a line that a node polls is spoken to in its settings only, and others are told which", async (t) => {
  const { run, begin, node, config, port } = await createPlace(t);
  const slave = await startLineSlave(t);
  const url = `serial://${slave.path}?baud=9600&parity=none`;
  const points = [{ id: "a", table: "holding", address: 10, type: "uint16" }];
  const devices = [{ id: "meter", unitId: 1, points }];
  const gateways = [{ id: "cellar", connection: url, interval: "60s", devices }];
  const mqtt = { broker: "embedded", embedded: { port } };
  writeFileSync(config, JSON.stringify({ node: "test", mqtt, gateways }));
  const running = begin("start", ...node);
  await running.line(/^watch it:/);
  const other = `serial://${slave.path}?baud=19200`;
  const [same, read, write] = await Promise.all([
    run("read", `${url}&stop=2/1`, "40022"),
    run("read", `${other}/1`, "40033"),
    run("write", `${other}/1`, "40033", "7", "--yes"),
  ]);
  assert.equal(same.code, 0, same.stderr);
  const right = `'${url}&stop=2/1'`;
  for (const { code, stderr } of [read, write]) {
    assert.equal(code, 64, stderr);
    assert.match(
      stderr,
      /Gateway cellar .* speaks baud=9600&parity=none&stop=2 on this line, not /,
    );
    assert.match(stderr, /not baud=19200&parity=even&stop=1: /);
    assert.ok(stderr.endsWith(`. Next: the same with ${right}\n`), stderr);
  }
  assert.ok(slave.requests().every(({ address }) => address !== 32));
});
