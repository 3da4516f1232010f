/** Another interval and another name of a gateway: accounts are closed and opened, and nothing that waits is lost. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { AuditEvent } from "../../src/core/payloads.ts";
import { PROGRAM } from "../cli/program.ts";
import { followMessages, type Message, type Told } from "../support/history-told.ts";
import { ledgerOf, readRecords, waitingIn } from "../support/ledger-reader.ts";
import { startMosquitto, type Mosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite, type NodeFiles, type NodeProcess } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Received, type Subscriber } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { delivered, pollsOf, serialPoints } from "./site.ts";

const LIMIT = { timeout: 180_000 };
/** Requests of a poll of the slave. */
const REQUESTS = 3;
/** Polls of each gateway while the broker is away. */
const WAITING = 3;

interface Written {
  gateways: { id: string; interval: string }[];
}

interface Station {
  readonly broker: Mosquitto;
  readonly slave: Slave;
  readonly files: NodeFiles;
  readonly historian: Subscriber;
  start(): Promise<NodeProcess>;
  /** Runs a command on the station; it must end with 0. Settles with what it says. */
  run(command: string): Promise<string>;
  /** Gives `a` another interval and `from` the name `to`. */
  change(interval: string, from: string, to: string): void;
}

/** Two gateways of 500 ms; what is published while the historian is away waits for it at the broker. */
async function createStation(t: TestContext): Promise<Station> {
  const directory = createTempDir(t);
  const broker = await startMosquitto({ persistent: true, lines: ["max_queued_messages 0"] });
  t.after(() => broker.remove());
  const slave = await startSlave({ ports: 2, logFile: join(directory, "requests.jsonl") });
  t.after(() => slave.stop());
  const where = { port: broker.port, filter: "polling/#", session: "historian" };
  const historian = await startSubscriber(t, where);
  const files = writeSite(join(directory, "node"), {
    node: "plant",
    mqtt: { broker: broker.url },
    gateways: ["a", "b"].map((id, n) => ({
      ...{
        id,
        interval: "500ms",
        phase: "0s",
        connection: `tcp://127.0.0.1:${String(slave.ports[n])}`,
      },
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
  return {
    ...{ broker, slave, files, historian },
    start: async () => {
      const node = startNode(t, files);
      await node.started;
      return node;
    },
    run: (command) => runCommand(files, command),
    change: (interval, from, to) => {
      // As written above.
      const site = JSON.parse(readFileSync(files.config, "utf8")) as Written;
      for (const gateway of site.gateways) {
        if (gateway.id === "a") gateway.interval = interval;
        if (gateway.id === from) gateway.id = to;
      }
      writeFileSync(files.config, JSON.stringify(site));
    },
  };
}

function runCommand({ config, stateDir }: NodeFiles, command: string): Promise<string> {
  const args = [PROGRAM, command, "--config", config, "--state-dir", stateDir];
  const env = { ...process.env, RUNTIME_DIRECTORY: join(config, ".."), NO_COLOR: "1" };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command}: ${error.message}\n${stdout}${stderr}`));
    });
  });
}

/** Polls both gateways until the historian has some, then some more while the broker is away: these wait. */
async function pollWithoutBroker({ broker, slave, historian }: Station): Promise<void> {
  await pollsOf(historian, ["a", "b"], 2);
  await broker.stop();
  const polled = slave.ports.map(async (port) => {
    await slave.received(port, slave.log(port).length + WAITING * REQUESTS);
  });
  await Promise.all(polled);
}

/** What `check` and `reload` say is to begin and end. */
function assertNamed(text: string, closed: string, opened: string): void {
  assert.match(text, new RegExp(`^(closes|accounts closed) .*\\b${closed}$`, "m"));
  assert.match(text, new RegExp(`^(opens|accounts opened) .*\\b${opened}$`, "m"));
}

/** What was told of the accounts of a gateway, the oldest first. */
function accountsOf({ messages }: Told, gateway: string): Message[][] {
  const own = messages.filter((message) => message.gateway === gateway);
  return [...new Set(own.map(({ epoch }) => epoch))].map((epoch) =>
    own.filter((message) => message.epoch === epoch),
  );
}

/** Every closed account is told to its end, each seq once, in order, as the ledger has it; the last of it may wait still. */
async function assertTold({ historian, broker, files }: Station): Promise<Told> {
  await delivered(historian, broker.port);
  const records = await readRecords(files.stateDir);
  const told = followMessages({ messages: [...historian.log, ...waitingIn(records)] });
  assert.deepEqual(told.violations, []);
  const accounts = ledgerOf(records);
  const newest = (of: string) =>
    Math.max(...accounts.filter(({ gateway }) => gateway === of).map(({ epoch }) => epoch));
  for (const { gateway, epoch, claimed, entries } of accounts) {
    const account = `${gateway} epoch ${String(epoch)}`;
    assert.equal(entries.at(-1)?.to, claimed, account);
    // What goes on is told when it ends: at the next start.
    const goesOn = gateway !== "b" && epoch === newest(gateway);
    for (const { from, to, outcome } of entries) {
      if (goesOn && outcome === "missed:down" && to === claimed) continue;
      for (let seq = from; seq <= to; seq += 1) {
        assert.equal(told.outcomeOf(gateway, epoch, seq), outcome, `${account} seq ${String(seq)}`);
      }
    }
  }
  const closed = records.filter(([key, text]) => {
    return key.startsWith("schedule/") && text.includes('"closed":true');
  });
  assert.deepEqual(
    closed.map(([key]) => key),
    ["schedule/a@500", "schedule/b@500"],
  );
  return told;
}

/** The event, which the historian has or gets. */
async function toldOf({ historian }: Station, kind: string, from: number): Promise<AuditEvent> {
  const isIt = ({ topic, payload }: Received): boolean =>
    topic === "polling/node/events" && payload.includes(`"kind":"${kind}"`);
  return jsonOf<AuditEvent>(await historian.first(kind, isIt, from));
}

test(
  "P2 P3: a start with another interval and another name closes and opens accounts, and what waited is delivered",
  LIMIT,
  async (t) => {
    const station = await createStation(t);
    const { broker, files, historian } = station;
    const first = await station.start();
    await pollWithoutBroker(station);
    assert.equal(await first.stop(), 0, first.output());
    const waiting = waitingIn(await readRecords(files.stateDir)).filter(({ topic }) =>
      topic.startsWith("polling/readings/b/"),
    );
    assert.ok(waiting.length >= 2, `${String(waiting.length)} readings of b wait`);

    station.change("1s", "b", "c");
    assertNamed(await station.run("check"), "a@500ms, b@500ms", "a@1s, c@500ms");
    const from = historian.log.length;
    const before = Date.now();
    const second = await station.start();
    const [, report = ""] = /^(\{"unknown".*\})$/m.exec(second.output()) ?? [];
    // As `start --json` prints it.
    const { closed, opened } = JSON.parse(report) as Record<string, string[]>;
    assert.deepEqual(
      [closed, opened],
      [
        ["a@500", "b@500"],
        ["a@1000", "c@500"],
      ],
    );
    assert.doesNotMatch(await station.run("check"), /^(closes|opens)/m);
    await broker.restart();
    const started = await toldOf(station, "node-started", from);
    assert.match(
      started.text,
      /; accounts closed: a@500ms, b@500ms; accounts opened: a@1s, c@500ms$/,
    );
    for (const { topic, payload } of waiting) {
      const text = payload.replace(/}$/, "");
      const isIt = (each: Received) => each.topic === topic && each.payload.startsWith(text);
      await historian.first(`the reading ${text}`, isIt, from);
    }
    await pollsOf(historian, ["a", "c"], 2, historian.log.length);
    assert.match(await station.run("validate"), /every slot is accounted for/);
    assert.equal(await second.stop(), 0, second.output());
    assert.match(await station.run("validate"), /every slot is accounted for/);

    const told = await assertTold(station);
    for (const [gateway, interval] of [
      ["a", 1000],
      ["c", 500],
    ] as const) {
      const [opening] = accountsOf(told, gateway).at(-1) ?? [];
      assert.ok(opening !== undefined);
      const { from: seq, slot } = opening;
      // The next slot of its grid.
      assert.deepEqual([seq, slot > before, slot <= started.at + interval], [1, true, true]);
    }
    assert.equal(accountsOf(told, "b").length, 1);
  },
);

test(
  "P2 P3: a reload names the accounts it closes and opens; one that comes back begins a new epoch a full interval away",
  LIMIT,
  async (t) => {
    const station = await createStation(t);
    const { broker, historian } = station;
    const node = await station.start();
    await pollWithoutBroker(station);

    station.change("1s", "b", "c");
    assertNamed(await station.run("check"), "a@500ms, b@500ms", "a@1s, c@500ms");
    assertNamed(await station.run("reload"), "a@500ms, b@500ms", "a@1s, c@500ms");
    await broker.restart();
    const { text } = await toldOf(station, "reloaded", 0);
    assert.match(text, /accounts closed: a@500ms, b@500ms; accounts opened: a@1s, c@500ms$/);
    await pollsOf(historian, ["a", "c"], 2, historian.log.length);
    await pollsOf(historian, ["b"], 2 + WAITING);
    assert.match(await station.run("validate"), /every slot is accounted for/);

    station.change("1s", "c", "b");
    assertNamed(await station.run("reload"), "c@500ms", "b@500ms");
    await pollsOf(historian, ["a", "b"], 2, historian.log.length);
    station.change("1s", "b", "c");
    assertNamed(await station.run("reload"), "b@500ms", "c@500ms");
    await pollsOf(historian, ["c"], 2, historian.log.length);
    assert.match(await station.run("validate"), /every slot is accounted for/);
    assert.equal(await node.stop(), 0, node.output());
    assert.match(await station.run("validate"), /every slot is accounted for/);

    const told = await assertTold(station);
    const [old, back, ...others] = accountsOf(told, "b");
    const [opening] = back ?? [];
    assert.ok(opening !== undefined && others.length === 0);
    assert.deepEqual([opening.epoch > (old?.[0]?.epoch ?? 0), opening.from], [true, 1]);
    const [asC, ...again] = accountsOf(told, "c");
    const last = asC?.findLast(({ outcome }) => outcome === "good");
    assert.ok(last !== undefined && again.length === 1);
    // On the same grid: the next slot is within less than an interval of the reload.
    assert.ok(opening.slot >= last.slot + 1000, "a full interval away");
  },
);
