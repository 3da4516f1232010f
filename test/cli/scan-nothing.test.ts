/** What a scan says that found nothing: causes that fit the connection, and a next scan of the same units. */
import assert from "node:assert/strict";
import test from "node:test";
import { doubts, nothingText } from "../../src/cli/scan-nothing.ts";
import { parseConnection } from "../../src/config/connection.ts";
import type { Scan } from "../../src/core/scan.ts";

const NOTHING: Scan = { complete: true, asked: 2, units: [], garbled: [], slow: [] };
const LINE = "serial:///dev/ttyX?baud=9600&parity=none";

function triedAt(typed: string, values: Readonly<Record<string, readonly string[]>> = {}) {
  const parsed = parseConnection(typed);
  if ("fault" in parsed) throw new Error(parsed.fault);
  const { connection } = parsed;
  return { connection, typed, unitIds: [5, 6, 7], values: new Map(Object.entries(values)) };
}

/** For unit 6 this came. */
function garbled(connection: string, detail: string): Scan {
  return { ...NOTHING, garbled: [{ unitId: 6, connection, detail }] };
}

test("silence behind a network may be the other framing", () => {
  const onTcp = nothingText(NOTHING, triedAt("tcp://10.0.0.5"), "edgepoll");
  const onRtu = nothingText(NOTHING, triedAt("rtu+tcp://10.0.0.5"), "edgepoll");
  const onTls = nothingText(NOTHING, triedAt("tls://10.0.0.5"), "edgepoll");
  assert.match(onTcp, /a converter that passes RTU frames through \(rtu\+tcp:\/\/\)\. Next: /);
  assert.match(onRtu, /a gateway that speaks Modbus TCP \(tcp:\/\/\)\. Next: /);
  assert.doesNotMatch(onTls, /RTU|tcp:/);
});

test("an answer in the other framing is named, and the next scan speaks it", () => {
  const url = "tcp://10.0.0.5";
  const detail = "protocol id 3 instead of 0; this is an RTU frame, as on rtu+tcp://";
  const found = garbled(`${url}:502`, detail);
  const tried = triedAt(url, { units: ["5-7"] });
  assert.match(
    nothingText(found, tried, "edgepoll"),
    /went out, and what came is as on rtu\+tcp:\/\/\. Next: edgepoll scan rtu\+tcp:\/\/10\.0\.0\.5 --units 5-7$/,
  );
  const [line] = doubts(found, tried.connection, tried.unitIds, 500);
  assert.match(line ?? "", /as on rtu\+tcp:\/\/\)$/);
});

test("the next scan asks the same units, on a line in the common settings", () => {
  const units = ["3-4", "9"];
  const next = (typed: string, more = {}) =>
    nothingText(NOTHING, triedAt(typed, { units, ...more }), "edgepoll").replace(/.* Next: /, "");
  const line = "edgepoll scan serial:///dev/ttyX --units 3-4,9 --baud 9600,19200,38400 --parity ";
  assert.equal(next(LINE), `${line}none,even,odd`);
  const slower = `edgepoll scan '${LINE}' --units 3-4,9 --timeout 3000`;
  assert.equal(next(LINE, { baud: ["9600"] }), slower);
  assert.equal(next("tcp://10.0.0.5"), "edgepoll scan tcp://10.0.0.5 --units 3-4,9 --timeout 3000");
  assert.match(
    nothingText(NOTHING, triedAt(LINE), "x"),
    / Next: x scan serial:\/\/\/dev\/ttyX --baud/,
  );
});

test("an answer of a unit asked before is late, and of any other another's", () => {
  const tried = triedAt(LINE);
  const said = (detail: string) =>
    doubts(garbled(LINE, detail), tried.connection, tried.unitIds, 500).join();
  assert.match(
    said("unit id 5 instead of 6"),
    /\(unit id 5 instead of 6\); most likely unit 5, asked before, answers late: a longer --timeout tells$/,
  );
  for (const detail of [
    "unit id 7 instead of 6",
    "unit id 9 instead of 6",
    "checksum 5 instead of 6",
  ]) {
    assert.match(said(detail), /; two devices with one id, noise, or other settings$/);
  }
  const late = nothingText(garbled(LINE, "unit id 5 instead of 6"), tried, "edgepoll");
  assert.match(late, /answers came too late to be used\. Next: .* --timeout 3000$/);
  assert.doesNotMatch(late, /swapped/);
});
