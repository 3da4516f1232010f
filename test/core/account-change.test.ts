import assert from "node:assert/strict";
import { test } from "node:test";
import { accountChange, schedulesOf } from "../../src/core/account-change.ts";
import { siteOf, type GatewayInShort } from "../engine/rig.ts";

function site(...gateways: GatewayInShort[]) {
  return siteOf({ gateways });
}

const HALL = { id: "hall", devices: { meter: [1000, 60_000], pump: [1000] } };

test("each interval of a gateway is one account, whoever has points of it", () => {
  assert.deepEqual(schedulesOf(site(HALL)), ["hall@1000", "hall@60000"]);
});

test("the same schedules change nothing, whatever else of a gateway does", () => {
  const other = { ...HALL, devices: { other: [60_000, 1000] }, endpoint: "elsewhere", phase: 300 };
  const change = accountChange(schedulesOf(site(HALL)), site(other));
  assert.deepEqual(change, { closes: [], opens: [] });
});

test("another interval closes one account and opens another; so does another name", () => {
  const faster = { ...HALL, devices: { meter: [500, 60_000] } };
  assert.deepEqual(accountChange(schedulesOf(site(HALL)), site(faster)), {
    closes: ["hall@1000"],
    opens: ["hall@500"],
  });
  assert.deepEqual(accountChange(schedulesOf(site(HALL)), site({ ...HALL, id: "roof" })), {
    closes: ["hall@1000", "hall@60000"],
    opens: ["roof@1000", "roof@60000"],
  });
});

test("a gateway that is gone or not enabled closes its accounts, one that comes back opens them", () => {
  const roof = { id: "roof", devices: { meter: [5000] } };
  const both = site(HALL, roof);
  const one = site(HALL);
  assert.deepEqual(accountChange(schedulesOf(both), one), { closes: ["roof@5000"], opens: [] });
  assert.deepEqual(accountChange(schedulesOf(one), both), { closes: [], opens: ["roof@5000"] });
});
