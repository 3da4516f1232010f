/** The log: JSON lines on stderr for a service, plain lines for a person at a terminal. */
import { pino } from "pino";
import { EdgepollError } from "../core/errors.ts";
import type { Site } from "../core/model.ts";
import type { Log } from "../core/ports.ts";
import { printable } from "./printable.ts";

/** Bytes that may wait for a reader that is slow (a terminal on hold); what comes on top is dropped. */
const BACKLOG = 1024 * 1024;

/** Where finished lines go, each with its line feed. */
export interface LineSink {
  write(line: string): void;
}

/** A log from a level on; to stderr unless a sink is given, which gets JSON lines. */
export function createLog(level: Site["logLevel"], sink: LineSink = stderrSink()): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    {
      write: (line: string) => {
        // JSON leaves the upper control characters alone; within its texts an escape means the same.
        sink.write(`${printable(line.trimEnd())}\n`);
      },
    },
  );
}

/** A JSON line of the log as a person reads it: `HH:MM:SS level text key=value …`. */
export function plainLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>; // pino writes objects
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${plainValue(value)}`);
  return `${printable(`${clock} ${String(level).padEnd(5)} ${String(msg)}${rest.join("")}`)}\n`;
}

function plainValue(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** An error raised on purpose in words; any other is a bug and shows where it was. */
function describeError(error: unknown): unknown {
  if (error instanceof EdgepollError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : error;
}

/** Does not block while nobody reads; what is left is written when the process exits. */
function stderrSink(): LineSink {
  const stream = pino.destination({ fd: 2, sync: false, maxLength: BACKLOG });
  // A log that nobody can read any more is no reason to stop.
  stream.on("error", () => undefined);
  const terminal = process.stderr.isTTY;
  return { write: (line) => void stream.write(terminal ? plainLine(line) : line) };
}
