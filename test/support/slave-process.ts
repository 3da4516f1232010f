/**
 * A Modbus TCP slave in a process of its own, with faults on demand. Its codec is written from the
 * Modbus specifications and shares nothing with the product. `slave.ts` starts and steers it.
 * Arguments: how many ports to listen on, and the file that every request is appended to.
 */
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { SlavePort, type Log } from "./slave-port.ts";
import type { Command } from "./slave.ts";

const [, , portCount = "1", logFile = "/dev/null"] = process.argv;
const logFd = openSync(logFile, "a");
const ports = new Map<number, SlavePort>();

/** ms between two beats, and for how many of them a late one is remembered: a connect may come before its request. */
const BEAT = 20;
const BEATS = 50;
const gaps: number[] = [];
let beat = performance.now();

/** Shows how long this process was kept from looking at what had come. */
function watchBeats(): void {
  const now = performance.now();
  gaps.push(now - beat);
  if (gaps.length > BEATS) gaps.shift();
  beat = now;
}

const log: Log = (line, port) => {
  const t = String(process.hrtime.bigint());
  const lag = Math.ceil(Math.max(...gaps, performance.now() - beat) - BEAT);
  writeSync(logFd, `${JSON.stringify({ t, lag, port, ...line })}\n`);
};

async function obey(command: Command): Promise<void> {
  const port = ports.get(command.port);
  if (!port) throw new Error(`no such port: ${String(command.port)}`);
  if (command.op === "play") await port.play(command.script);
  else await port.received(command.serial);
  process.stdout.write(`${JSON.stringify({ id: command.id })}\n`);
}

for (let n = 0; n < Number(portCount); n += 1) {
  const port = new SlavePort(log);
  ports.set(await port.listen(), port);
}
setInterval(watchBeats, BEAT);
process.stdout.write(`${JSON.stringify({ ports: [...ports.keys()] })}\n`);
createInterface({ input: process.stdin })
  // The lines come from slave.ts alone.
  .on("line", (line) => void obey(JSON.parse(line) as Command))
  // Whoever started it is gone.
  .on("close", () => process.exit());
