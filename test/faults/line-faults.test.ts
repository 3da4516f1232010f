/** Rows T1 to T6: serial lines that are late, noisy, shared, unplugged, taken or stuck. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync, symlinkSync } from "node:fs";
import { after, before, describe } from "node:test";
import { faultRow } from "../support/fault-row.ts";
import { startLines, type Lines } from "./lines.ts";

let lines: Lines;
/** The program that has the line of T5, and how to end it. */
let release: () => Promise<void>;
const blocked = (own: string): string => `${own}-blocked`;

const endings: (() => unknown)[] = [];

after(async () => {
  for (const end of endings.reverse()) await end();
});

before(async () => {
  const ending: Parameters<typeof startLines>[0] = {
    after: (end) => {
      // What is given here are functions without arguments.
      if (end) endings.push(end as () => unknown);
    },
  };
  const ids = {
    "late-by-half": { timeout: "400ms" },
    "late-by-far": { maxAnswerTime: "950ms" },
    ...{ unplugged: {}, noisy: {}, shared: {}, taken: {} },
    stuck: { path: blocked },
  };
  lines = await startLines(ending, ids, async (paths) => {
    const stuck = paths.get("stuck") ?? "";
    symlinkSync(stuck.slice(0, -"-blocked".length), stuck);
    execFileSync("mkfifo", [`${stuck}.fifo`]);
    const holder = spawn(
      "flock",
      [paths.get("taken") ?? "", "sh", "-c", "echo held; exec sleep 600"],
      {
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const ended = once(holder, "exit");
    await once(holder.stdout, "data");
    release = async () => {
      // What it runs holds the lock as well.
      if (holder.exitCode === null && holder.signalCode === null) {
        process.kill(-(holder.pid ?? 0), "SIGKILL");
      }
      await ended;
    };
    endings.push(() => release());
  });
});

/** Lets an open that hangs return, and those after it. */
function unblock(path: string): void {
  const fifo = openSync(`${path}.fifo`, "w");
  rmSync(`${path}.fifo`);
  closeSync(fifo);
}

describe("serial lines", { concurrency: true }, () => {
  faultRow(
    {
      id: "T1",
      fault: "late answers on a line without ids",
      done: "each second answer comes 1.5 times the time-out after its request, on another line 3.5 times (maxAnswerTime 4.75 times)",
      must: "time-out, then its own value, never the late one: the line is silent until it can't come",
    },
    async () => {
      const seen: string[] = [];
      for (const [id, ms] of [
        ["late-by-half", 600],
        ["late-by-far", 700],
      ] as const) {
        const line = lines.line(id);
        await line.good();
        const steps = { kind: "delay", ms, requests: 1 } as const;
        const from = line.slave.requests().length;
        await line.slave.script([steps, { kind: "normal", requests: 1 }, steps], 1);
        await line.next(4);
        await line.good();
        line.assertOwnValues();
        const sent = line.slave.requests().slice(from);
        const late = sent.filter(({ fault }) => fault === "delay");
        assert.equal(late.length, 2);
        const gaps = late.map((request) => {
          const next = sent[sent.indexOf(request) + 1] as unknown as { t: number };
          return (next.t - (request as unknown as { t: number }).t) / 1e6;
        });
        assert.ok(
          gaps.every((gap) => gap > ms),
          gaps.join(),
        );
        const least = String(Math.floor(Math.min(...gaps)));
        seen.push(`${String(ms)} ms late: silent for ${least} ms or more after the request`);
      }
      return `${seen.join("; ")}; every value its own request's`;
    },
  );

  faultRow(
    {
      id: "T2",
      fault: "an adapter is unplugged, idle and in flight, and comes back",
      done: "the terminal goes away between two slots, and while a request waits; it comes back under the same name as another device",
      must: "slots fail with the reason, the line is opened again by itself, the process goes on",
    },
    async () => {
      const line = lines.line("unplugged");
      await line.good();
      await line.slave.unplug();
      const idle = await line.bad();
      await line.slave.plug();
      await line.good();
      await line.slave.fault({ kind: "silent" });
      await line.slave.received(line.slave.requests().length + 1);
      await line.slave.unplug();
      const gone = await line.bad();
      await line.slave.fault({ kind: "normal" });
      await line.slave.plug();
      const back = await line.good();
      line.assertOwnValues();
      const reasons = [idle.reason, gone.reason].join(" and ");
      return `bad (${reasons}) while it was away, good again twice, seq ${String(back.seq)} without a restart`;
    },
  );

  faultRow(
    {
      id: "T3",
      fault: "noise, wrong checksums and echoes",
      done: "noise before, within and behind the answer, a wrong checksum; the request comes back in front of the answer, glued to it and apart",
      must: "one failed slot each at most; an echo and noise behind an answer cost nothing",
    },
    async () => {
      const line = lines.line("noisy");
      await line.good();
      const seen: string[] = [];
      for (const kind of [
        "noise-before",
        "noise-inside",
        "bad-crc",
        "noise-after",
        "echo",
        "echo-first",
      ] as const) {
        const before = line.slave.requests().length;
        await line.slave.script([{ kind, requests: 1 }], 1);
        await line.next(1);
        const hit = line.slave
          .requests()
          .slice(before)
          .filter(({ fault }) => fault === kind);
        assert.equal(hit.length, 1, kind);
        seen.push(kind);
      }
      line.assertOwnValues();
      const wrong = line.readings().filter(({ quality }) => quality !== "good");
      assert.ok(wrong.length <= 3, JSON.stringify(wrong));
      assert.ok(wrong.every(({ reason }) => reason === "bad_frame" || reason === "timeout"));
      return `${seen.join(", ")}: ${String(wrong.length)} slots not good of ${String(line.readings().length)}, every value its own`;
    },
  );

  faultRow(
    {
      id: "T4",
      fault: "a second master on the line",
      done: "in the midst of an exchange another master asks unit 9, which answers; then its talk comes between two slots",
      must: "what is not for us is refused and counted as bad_frame; between slots it costs nothing",
    },
    async () => {
      const line = lines.line("shared");
      await line.good();
      await line.slave.script([{ kind: "master", requests: 1 }], 1);
      const hit = await line.bad();
      assert.equal(hit.reason ?? "bad_frame", "bad_frame");
      await line.good();
      await line.slave.send("090300050001940d09030200055846");
      await line.good();
      line.assertOwnValues();
      await lines.node.said(/"detail":"unit id 9 instead of 1"/);
      return `1 slot bad (bad_frame: unit id 9 instead of 1), then good; every value its own`;
    },
  );

  faultRow(
    {
      id: "T5",
      fault: "another program has the line",
      done: "flock holds the terminal when the node starts, and lets it go",
      must: "a failure that says so, tried again by itself, good when it is free",
    },
    async () => {
      const line = lines.line("taken");
      const held = await line.bad();
      assert.equal(held.reason, "connect_failed");
      await lines.node.said(/ttyLINE is in use by another program\. Next: fuser -v /);
      await release();
      await line.good();
      return `bad (connect_failed: in use by another program) while it was held, then good`;
    },
  );

  faultRow(
    {
      id: "T6",
      fault: "a driver that does not come back from opening",
      done: "opening one line of seven hangs in a thread of the pool for five slots",
      must: "its slots fail; the others are polled and their outcomes are written; one thread at most hangs",
    },
    async () => {
      const line = lines.line("stuck");
      const other = lines.line("shared");
      const [first, last] = [await other.next(1), await other.next(5)];
      assert.ok(line.readings().every(({ reason }) => reason === "connect_failed"));
      await lines.node.said(/does not come back from opening or closing it/);
      unblock(line.path);
      await line.good();
      const slots = (last.at(-1)?.seq ?? 0) - (first[0]?.seq ?? 0);
      return `bad (connect_failed) while it hung, ${String(slots)} slots of its neighbour polled meanwhile; good when the driver came back`;
    },
  );
});
