/** `npm run bench:line`: how full edgepoll keeps a serial line, and whether it keeps the silences. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startMosquitto } from "../test/support/mosquitto.ts";
import { startNode, writeSite } from "../test/support/node-process.ts";
import { bestOf, BITS, figureLines, figuresOf, type SeenLine } from "./line-figures.ts";
import { ROOT } from "./machine.ts";
import { monotonic } from "./pollers.ts";
import { usageOf, usedBetween } from "./process-usage.ts";

const HELP = `npm run bench:line [-- OPTION…]
  --baud N          speed of the line, 8N1 (19200)
  --units N         units on it (8)
  --seconds N       measured time (20)
  --warmup N        time before it (5)
  --dir DIR         where state goes; a real file system (bench/out)`;

const PYTHON = "/usr/bin/python3";
const SLAVE = fileURLToPath(new URL("line-slave.py", import.meta.url));
/** Registers of a request. */
const REGISTERS = 10;
/** Polls that are due, of those that fit: there is always one that waits. */
const DEMAND = 1.05;
/** ms until the first request comes, at most. */
const LONGEST_START = 30_000;

const { values } = parseArgs({
  options: {
    baud: { type: "string", default: "19200" },
    units: { type: "string", default: "8" },
    seconds: { type: "string", default: "20" },
    warmup: { type: "string", default: "5" },
    dir: { type: "string", default: join(ROOT, "bench/out") },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else await bench(positive("baud"), positive("units"));

async function bench(baud: number, units: number): Promise<void> {
  const endings: (() => unknown)[] = [];
  const closing = { after: (end: () => unknown) => endings.unshift(end) };
  try {
    mkdirSync(values.dir, { recursive: true });
    const directory = mkdtempSync(join(values.dir, "line-"));
    closing.after(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const broker = await startMosquitto();
    closing.after(() => broker.remove());
    const slave = await startSlave(baud);
    closing.after(() => slave.stop());
    const node = startNode(
      closing,
      writeSite(directory, siteOf(slave.path, baud, units, broker.url)),
    );
    await node.started;
    // A line that nobody is known to have left silent is listened to before.
    await Promise.race([slave.asked, wait(LONGEST_START, undefined, { ref: false })]);
    await wait(1000 * positive("warmup"));
    const [from, before] = [monotonic(), usageOf(node.pid)];
    await wait(1000 * positive("seconds"));
    const [until, used] = [monotonic(), usedBetween(before, usageOf(node.pid))];
    await node.stop();
    const seen = await slave.stop();
    const figures = figuresOf(seen, bestOf(baud, REGISTERS), [from, until]);
    const cpu = `${((100 * used.cpu) / (until - from)).toFixed(1)} %, ${(used.cpu / figures.polls).toFixed(2)} ms a poll`;
    console.log(
      [
        `${String(units)} units at ${String(baud)} baud 8N1, ${String(REGISTERS)} registers each`,
        ...figureLines(figures),
        `${"CPU of the node".padEnd(28)} ${cpu}`,
        `${"damaged, into an answer".padEnd(28)} ${String(seen.junk)}, ${String(seen.early)}`,
      ].join("\n"),
    );
  } finally {
    for (const end of endings) await end();
  }
}

/** Each unit is a gateway of its own, so that its poll need not wait for that of all others. */
function siteOf(path: string, baud: number, units: number, broker: string): object {
  const interval = Math.round((units * bestOf(baud, REGISTERS).ideal) / DEMAND);
  const points = Array.from({ length: REGISTERS }, (_, n) => ({
    ...{ id: `r${String(n)}`, table: "holding", address: n, type: "uint16" },
  }));
  return {
    node: "bench",
    mqtt: { broker },
    budget: { refuse: "never" },
    gateways: Array.from({ length: units }, (_, n) => ({
      id: `g${String(n)}`,
      connection: `serial://${path}?baud=${String(baud)}&parity=none&stop=1`,
      ...{ interval: `${String(interval)}ms`, timeout: "1s" },
      phase: `${String(Math.floor((n * interval) / units))}ms`,
      devices: [{ id: "unit", unitId: n + 1, points }],
    })),
  };
}

interface Slave {
  readonly path: string;
  /** Settles with the first request. */
  readonly asked: Promise<unknown>;
  /** Ends it, and gives what it saw. */
  stop(): Promise<SeenLine>;
}

async function startSlave(baud: number): Promise<Slave> {
  const args = [SLAVE, String(baud), String(BITS)];
  const child = spawn(PYTHON, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const first: unknown[] = await once(lines, "line");
  const said: string[] = [];
  lines.on("line", (line) => said.push(line));
  return {
    path: String(first[0]),
    asked: once(lines, "line"),
    stop: async () => {
      child.stdin.end();
      await ended;
      // Printed by line-slave.py as its last word.
      return JSON.parse(said.at(-1) ?? "") as SeenLine;
    },
  };
}

function positive(option: "baud" | "units" | "seconds" | "warmup"): number {
  const value = Number(values[option]);
  if (!(value > 0)) throw new Error(`--${option} takes a number above 0, not ${values[option]}`);
  return value;
}
