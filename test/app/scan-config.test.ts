/** The configuration that a scan writes: one that holds, also with what is to be filled in. */
import assert from "node:assert/strict";
import test from "node:test";
import { configText } from "../../src/app/scan-config.ts";
import type { FoundUnit } from "../../src/core/scan.ts";
import { load } from "../config/plant.ts";

const LINE = "serial:///dev/ttyX?baud=9600&parity=even&stop=1";

function unit(unitId: number, more: Partial<FoundUnit> = {}): FoundUnit {
  const plain = { identification: null, sunspec: null, profiles: [], rtt: 2 };
  return { unitId, connection: LINE, answer: { value: 7 }, ...plain, ...more };
}

function textOf(units: FoundUnit[], asked: number, complete = true): string {
  return configText({ complete, asked, units, garbled: [], slow: [] }, asked);
}

test("name, directory and broker stand there as comments, which hold when they are taken in", () => {
  const text = textOf([unit(3)], 5);
  const bare = load(text).site;
  assert.deepEqual([bare.node, bare.stateDir], ["box_1-plant-local", "/default/state"]);
  assert.equal(bare.broker.kind, "embedded");
  const comment = /^# (?=node:|stateDir:|mqtt:| {2}broker:)/gm;
  assert.equal(text.match(comment)?.length, 4, text);
  const { site, warnings } = load(text.replace(comment, ""));
  assert.equal(site.node, "plant-a");
  assert.match(site.stateDir, /^\/.*\/state$/);
  assert.notEqual(site.stateDir, "/default/state");
  assert.equal(site.broker.kind, "external");
  assert.deepEqual(warnings, []);
});

test("units in other settings than most are comments, and so is a scan that was cut short", () => {
  const odd = unit(5, { connection: "serial:///dev/ttyX?baud=19200&parity=even&stop=1" });
  const text = textOf([odd, unit(6), unit(7)], 9, false);
  const [gateway] = load(text).site.gateways;
  assert.equal(gateway?.connection.url, LINE);
  assert.deepEqual(
    gateway.devices.map(({ unitId }) => unitId),
    [6, 7],
  );
  assert.match(text, /^ +# unit 5 answers at serial:\S+baud=19200\S+: one line has one setting/m);
  assert.match(text, /^# The scan was ended before all units were asked\.$/m);
});

test("one device that answers for all units is in it once", () => {
  const all = Array.from({ length: 8 }, (_, n) => unit(n + 1));
  const text = textOf(all, 8);
  assert.equal(load(text).site.gateways[0]?.devices.length, 1);
  assert.match(text, /All units that were asked answer alike/);
});

test("what a unit says of itself can't leave its comment, and what it is named by is its profile", () => {
  const profiles = [
    { profile: "eastron/sdm630", seen: { frequency: 50 } },
    { profile: "eastron/sdm120", seen: {} },
  ];
  const vendor = "Evil\n      - id: more";
  const text = textOf([unit(3, { profiles, identification: { vendor } })], 3);
  const [gateway] = load(text).site.gateways;
  assert.equal(gateway?.devices.length, 1);
  assert.ok((gateway.devices[0]?.points.length ?? 0) > 10);
  assert.match(text, /fits as far as was read: frequency 50; eastron\/sdm120 fits as well/);
});

test("a unit without a profile has one point to be replaced: what was asked for, or the mark of SunSpec", () => {
  const sunspec = { address: 50_000, models: [] };
  const text = textOf([unit(3, { answer: { exception: 2 } }), unit(4, { sunspec })], 3);
  const points = load(text).site.gateways[0]?.devices.flatMap((device) => device.points);
  assert.deepEqual(
    points?.map(({ id, table, address }) => [id, table, address]),
    [
      ["register-0", "holding", 0],
      ["sunspec-mark", "holding", 50_000],
    ],
  );
  assert.match(text, /the register that was asked for, which it refused with exception 2\.$/m);
});
