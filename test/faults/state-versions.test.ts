/** State directories of other versions: of an older release, and of a newer one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { validateOffline } from "../../src/app/offline.ts";
import { FORMAT } from "../../src/store/migrate.ts";
import { PROGRAM } from "../cli/program.ts";
import { faultRow } from "../support/fault-row.ts";
import { readRecords, waitingIn } from "../support/ledger-reader.ts";
import { freePort, startMosquitto } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { inOtherBoot, OtherClock } from "../support/other-time.ts";
import { jsonOf, startSubscriber, type Received } from "../support/subscriber.ts";
import { createTempDir } from "../support/temp-dir.ts";

/** See test/ledgers/make-format-1.ts. */
const FORMAT_1 = fileURLToPath(new URL("../ledgers/format-1", import.meta.url));
/** ms between the last slot of that node and the start of today's. */
const AWAY = 60_000;

interface Told {
  readonly epoch: number;
  readonly seq: number;
  readonly from?: number;
  readonly to?: number;
  readonly outcome?: string;
}

/** Runs a command to its end. */
async function run(directory: string, words: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, RUNTIME_DIRECTORY: directory },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  }
  const [code]: unknown[] = await once(child, "close");
  return { code, text };
}

/** Text of the messages of a gateway without the mark that they come late. */
function textsOf(messages: readonly { topic: string; payload: string }[], gateway: string) {
  const own = messages.filter(({ topic }) => topic.split("/")[2] === gateway);
  return own
    .filter(({ topic }) => /^polling\/(readings|gaps)\//.test(topic))
    .map(({ payload }) => payload.replace(',"replayed":true', ""));
}

/** Every seq that readings and gaps tell of, in their order. */
function seqsOf(messages: readonly Received[], gateway: string): number[] {
  return textsOf(messages, gateway).flatMap((text) => {
    const { seq, from = seq, to = seq } = JSON.parse(text) as Told;
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}

/** All files below a directory with what is in them and when that was written. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const { mtimeMs, size } = statSync(join(directory, name));
      const isFile = statSync(join(directory, name)).isFile();
      const bytes = isFile ? readFileSync(join(directory, name)).toString("base64") : "";
      return `${name} ${String(size)} ${String(mtimeMs)} ${bytes}`;
    });
}

faultRow(
  {
    id: "K8a",
    fault: "the state directory is that of an older release, which was killed",
    done: "a directory of format 1, kept as its release left it after three SIGKILLs (readings, gaps and an event wait, a claim has no outcome, a gateway is stopped, messages are refused), a minute later and after a boot; the node is started twice",
    must: "it is migrated, told once; every account goes on in its epoch, all that waited is delivered first and in order, who was stopped stays so, validate finds nothing",
  },
  async (t) => {
    const directory = createTempDir(t);
    const broker = await startMosquitto();
    t.after(() => broker.remove());
    const subscriber = await startSubscriber(t, { port: broker.port });
    const points = [{ id: "power", table: "input", address: 12, type: "float32" }];
    const files = writeSite(directory, {
      node: "old",
      mqtt: { broker: broker.url },
      gateways: ["hall", "roof", "shy"].map((id) => ({
        ...{ id, connection: "simulator://energy-meter", interval: "500ms" },
        devices: [{ id: "d", unitId: 1, points }],
      })),
    });
    cpSync(FORMAT_1, join(directory, "looked-at"), { recursive: true });
    const before = await readRecords(join(directory, "looked-at"));
    const waiting = waitingIn(before);
    const [epoch, claimed, , slot] = JSON.parse(
      before.find(([key]) => key === "claim/hall@500")?.[1] ?? "[]",
    ) as [number, number, number, number];
    assert.ok(waiting.length > 20 && claimed > 15);
    cpSync(FORMAT_1, files.stateDir, { recursive: true });

    const clock = new OtherClock(directory);
    clock.setTo(slot + AWAY);
    const boot = inOtherBoot(directory, "2b1c1e0a-1111-4222-8333-444455556666");
    const started = async (polled: number) => {
      const from = subscriber.log.length;
      const node = startNode(t, files, { env: clock.env, before: boot });
      await node.started;
      await subscriber.until("readings of today", (log) => {
        const own = log.slice(from).filter(({ topic }) => topic === "polling/readings/hall/d");
        return own.filter(({ payload }) => !payload.includes('"replayed":true')).length >= polled;
      });
      return node;
    };
    const first = await started(4);
    const words = ["spool", "--quarantine", "--state-dir", files.stateDir];
    const refused = await run(directory, words);
    assert.equal(refused.code, 0, refused.text);
    assert.match(refused.text, /older edgepoll|of that time/);
    assert.equal(await first.stop(), 0);
    const second = await started(2);
    assert.equal(await second.stop(), 0);

    for (const gateway of ["hall", "shy"]) {
      const waited = textsOf(waiting, gateway);
      assert.ok(waited.length >= 10);
      assert.deepEqual(textsOf(subscriber.log, gateway).slice(0, waited.length), waited);
      const seqs = seqsOf(subscriber.log, gateway);
      assert.deepEqual(
        seqs,
        seqs.map((_, n) => (seqs[0] ?? 0) + n),
        `${gateway}: each seq once, in order`,
      );
    }
    const readings = subscriber.log.filter(({ topic }) => topic.includes("/readings/hall/"));
    assert.ok(readings.every((each) => jsonOf<Told>(each).epoch === epoch));
    const crash = textsOf(subscriber.log, "hall").find((text) => text.includes('"crash"'));
    assert.equal((JSON.parse(crash ?? "{}") as Told).from, claimed);
    const roof = subscriber.log.filter(({ topic }) => topic === "polling/readings/roof/d");
    assert.equal(roof.length, 0, "who was stopped stays so");
    const told = subscriber.log.filter(({ payload }) => payload.includes('"store-migrated"'));
    assert.equal(told.length, 1);
    const { findings } = await validateOffline(files.stateDir, { since: 0 });
    assert.deepEqual(findings, []);
    const marker = readFileSync(join(files.stateDir, "edgepoll.json"), "utf8");
    assert.equal((JSON.parse(marker) as { format: number }).format, FORMAT);
    const last = readings.map((each) => jsonOf<Told>(each).seq).at(-1) ?? 0;
    return `${String(waiting.length)} messages waited and were delivered; hall went on from seq ${String(claimed)} (unknown) to ${String(last)} in its epoch; told once; validate finds nothing`;
  },
);

faultRow(
  {
    id: "K8b",
    fault: "the state directory is that of a newer release",
    done: "its marker says a format that is not known here; a node is started on it, with and without --repair, and validate, stop and backup are tried",
    must: "each is refused with 73, both formats and what to do; no byte in the directory changes",
  },
  async (t) => {
    const directory = createTempDir(t);
    const gateway = {
      ...{ id: "hall", connection: "simulator://energy-meter", interval: "500ms" },
      devices: [
        { id: "d", unitId: 1, points: [{ id: "p", table: "input", address: 12, type: "float32" }] },
      ],
    };
    const mqtt = { embedded: { port: await freePort() } };
    const { config, stateDir } = writeSite(directory, { node: "old", mqtt, gateways: [gateway] });
    cpSync(FORMAT_1, stateDir, { recursive: true });
    const marker = join(stateDir, "edgepoll.json");
    const newer = { ...(JSON.parse(readFileSync(marker, "utf8")) as object), format: FORMAT + 1 };
    writeFileSync(marker, JSON.stringify(newer));
    const before = filesOf(stateDir);
    const node = ["--config", config, "--state-dir", stateDir];
    const tried = [
      ["start", "--node", ...node],
      ["start", "--node", "--repair", ...node],
      ...[["validate"], ["stop", "--gateway", "hall"]].map((words) => [
        ...words,
        "--state-dir",
        stateDir,
      ]),
      ["backup", join(directory, "new.backup"), "--state-dir", stateDir],
    ];
    for (const words of tried) {
      const { code, text } = await run(directory, words);
      assert.equal(code, 73, `${words.join(" ")}: ${text}`);
      const formats = new RegExp(`format ${String(FORMAT + 1)}, .*up to ${String(FORMAT)}\\.`);
      assert.match(text, formats);
      assert.match(text, /Install the newer edgepoll/);
      assert.ok(text.includes(stateDir), text);
    }
    assert.deepEqual(filesOf(stateDir), before);
    return `${String(tried.length)} commands refused with 73; ${String(before.length)} files unchanged`;
  },
);
