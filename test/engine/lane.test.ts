/** Whose turn it is on an endpoint. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lane, type Ticket } from "../../src/engine/lane.ts";
import { Rig } from "./rig.ts";

/** A lane that notes who had a turn; `pass` gives the turn on. */
function rig() {
  const lane = new Lane();
  const turns: string[] = [];
  const tickets = new Map<string, Ticket>();
  const poll = (name: string, deadline: number, interval = 1000) =>
    tickets.set(
      name,
      lane.enter(deadline, interval, () => turns.push(name)),
    );
  const command = (name: string, deadline: number) =>
    tickets.set(
      name,
      lane.enterCommand(deadline, () => turns.push(name)),
    );
  const pass = (times = 1) => {
    for (let i = 0; i < times; i++) tickets.get(turns.at(-1) ?? "")?.leave();
  };
  return { turns, tickets, poll, command, pass };
}

test("the earliest deadline has the next turn, ties go to the shorter interval and before commands", () => {
  const { turns, poll, command, pass } = rig();
  poll("first", 500);
  command("command", 200);
  poll("slow", 200, 5000);
  poll("fast", 200, 100);
  poll("early", 100);
  pass(5);
  assert.deepEqual(turns, ["first", "early", "fast", "slow", "command"]);
});

test("commands never have two turns in a row while a poll waits, however early their deadlines", () => {
  const { turns, poll, command, pass } = rig();
  poll("p0", 0);
  for (const name of ["c1", "c2", "c3"]) command(name, 10);
  for (const name of ["p1", "p2"]) poll(name, 1000);
  pass(6);
  assert.deepEqual(turns, ["p0", "c1", "p1", "c2", "p2", "c3"]);
});

test("commands follow one another while no poll waits, and a poll that comes is next", () => {
  const { turns, poll, command, pass } = rig();
  command("c1", 10);
  command("c2", 10);
  pass();
  command("c3", 10);
  poll("p1", 5000);
  pass(3);
  assert.deepEqual(turns, ["c1", "c2", "p1", "c3"]);
});

test("a command is not put off for ever by polls that keep coming", () => {
  const { turns, poll, command, pass } = rig();
  poll("p0", 1000);
  command("command", 2500);
  for (let i = 1; i < 10; i++) {
    poll(`p${String(i)}`, (i + 1) * 1000);
    pass();
  }
  assert.equal(turns.indexOf("command"), 2, String(turns));
});

test("what leaves the queue has no turn, and counts as none", () => {
  const { turns, tickets, poll, command, pass } = rig();
  poll("p0", 0);
  command("c1", 10);
  command("c2", 20);
  poll("p1", 30);
  tickets.get("c1")?.leave();
  pass(2);
  tickets.get("c2")?.leave();
  assert.deepEqual(turns, ["p0", "c2", "p1"]);
});

test("direct reads by the dozen leave a poll every second turn", async () => {
  const devices = { one: [1000], two: [1000], three: [1000] };
  const rig = new Rig({ gateways: [{ id: "a", devices, phase: 0 }] });
  rig.behave("a", { kind: "value", ms: 50 });
  await rig.start();
  await rig.clock.advance(900);
  rig.seen.length = 0;
  const read = { table: "holding", address: 7, count: 2, timeout: 500, gateway: "a" } as const;
  const reads = Array.from({ length: 12 }, () => rig.engine.read({ ...read, unitId: 9 }));
  await rig.clock.advance(1000);
  await Promise.all(reads);
  const units = rig.seen.map(({ request }) => request.unitId);
  assert.equal(units.filter((unit) => unit === 9).length, 12);
  // Two before the slot is due; from then on one for each request of the poll.
  const first = units.findIndex((unit) => unit !== 9);
  assert.deepEqual(
    units.slice(first, first + 5).map((unit) => (unit === 9 ? "read" : "poll")),
    ["poll", "read", "poll", "read", "poll"],
  );
  assert.deepEqual(rig.broken, []);
});
