import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { createTempDir } from "../support/temp-dir.ts";

const host = { hostName: "box", defaultStateDir: () => "/state" };

/** A site of one gateway with these lines. */
function load(t: TestContext, ...lines: readonly string[]) {
  const path = join(createTempDir(t), "plant.yaml");
  const points = "[{ id: power, table: holding, address: 0, type: float32 }]";
  const own = lines.map((line) => `    ${line}\n`).join("");
  const devices = `    devices: [{ id: plc, unitId: 1, points: ${points} }]\n`;
  writeFileSync(path, `gateways:\n  - id: hall\n${own}${devices}`);
  return loadConfig(path, () => undefined, host);
}

test("what is not polled yet is loaded with a warning, and can't be started", (t) => {
  for (const url of ["serial:///dev/ttyUSB0?baud=9600", "rtu+tcp://box", "tls://box"]) {
    const { site, warnings, unstartable } = load(t, `connection: ${url}`);
    assert.equal(site.gateways.length, 1);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /plant\.yaml:3:17 {2}gateways\[hall\]\.connection is \w/);
    assert.match(unstartable ?? "", /does not poll: start refuses it[^]*\^\^\^\n1 mistake$/);
  }
  assert.equal(load(t, "connection: tcp://box").unstartable, undefined);
  assert.equal(load(t, "connection: tls://box", "enabled: false").unstartable, undefined);
});

test("the longest answer time of a line is planned with, so that it has an effect", (t) => {
  const keys = ["maxAnswerTime: 3s", "pause: { betweenRequests: 20ms }"];
  const line = load(t, "connection: serial:///dev/ttyUSB0", ...keys);
  assert.deepEqual(line.site.withoutEffect, []);
  const gateway = line.site.gateways[0];
  assert.equal(gateway?.maxAnswerTime, 3000);
  assert.deepEqual(gateway.pause, { afterConnect: 0, betweenRequests: 20, betweenUnits: 0 });
  const tcp = load(t, "connection: tcp://box", ...keys);
  assert.deepEqual(tcp.site.withoutEffect, ["gateways[hall].maxAnswerTime"]);
});

test("a gap has no limit of its own on a serial line, whose plan knows what it costs", (t) => {
  const gapOf = (...keys: string[]) => load(t, ...keys).site.gateways[0]?.devices[0]?.merge.maxGap;
  assert.equal(gapOf("connection: serial:///dev/ttyUSB0"), 2000);
  assert.equal(gapOf("connection: serial:///dev/ttyUSB0", "merge: { maxGap: 3 }"), 3);
  assert.equal(gapOf("connection: tcp://box"), 8);
  assert.equal(gapOf("connection: rtu+tcp://box"), 8);
});
