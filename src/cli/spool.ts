/** `spool`: what waits for the broker, and what it refused. */
import { existsSync } from "node:fs";
import type { SpoolReport } from "../app/spool.ts";
import { shellWord } from "../core/shell.ts";
import { columns } from "./columns.ts";
import { valueOf, type Command, type Context, type Given, type Option } from "./command.ts";
import { YES, confirm } from "./confirm.ts";
import { count } from "./counts.ts";
import { EXIT } from "./exit-codes.ts";
import { localTime } from "./local-time.ts";
import { CONFIG, JSON_FLAG, STATE_DIR, sameNode, whereOf } from "./node-options.ts";
import { printable } from "./printable.ts";
import { dataOf, type Status } from "./reply.ts";

const QUARANTINE: Option = { name: "quarantine", about: "What the broker refused, when and why" };
const EXPORT: Option = {
  name: "export",
  value: "FILE",
  about: "Write the messages themselves into a file, one JSON object a line",
};

/** The command. */
export const spool: Command = {
  name: "spool",
  about: "What waits for the broker, and what it refused",
  options: [QUARANTINE, EXPORT, YES, CONFIG, STATE_DIR, JSON_FLAG],
  run: async (given, context) => {
    const { locateState } = await import("../app/site.ts");
    const stateDir = locateState(whereOf(given));
    const file = valueOf(given, "export");
    if (file !== undefined) return exportTo(file, stateDir, given, context);
    if (given.flags.has("quarantine")) return listRefused(stateDir, given, context);
    const { spoolAt } = await import("../app/spool.ts");
    const { report, live } = await spoolAt(stateDir);
    const hoursUntilFull = live ? await hoursAt(stateDir) : null;
    if (given.flags.has("json")) context.out.line(JSON.stringify({ ...report, hoursUntilFull }));
    else for (const line of linesOf(report, hoursUntilFull)) context.out.line(line);
    return EXIT.ok;
  },
};

/** What a report says to people. */
export function linesOf(report: SpoolReport, hoursUntilFull: number | null): string[] {
  const { messages, bytes, quarantined, streams } = report;
  const full = messages === 0 ? "" : fullText(hoursUntilFull);
  const refused = quarantined === 0 ? "" : `; ${String(quarantined)} in quarantine`;
  const sum = `${count(messages, "message")} ${messages === 1 ? "waits" : "wait"}, ${String(bytes)} bytes${full}${refused}`;
  if (streams.length === 0) return [sum];
  const rows = streams.map((row) => [
    row.gateway ?? "(events)",
    String(row.messages),
    String(row.bytes),
    row.oldest === null ? "-" : localTime(row.oldest),
    droppedText(row.dropped, row.lastDrop),
  ]);
  return [...columns([["gateway", "messages", "bytes", "oldest", "dropped"], ...rows]), sum];
}

function fullText(hours: number | null): string {
  if (hours === null) return "";
  return hours < 1 ? "; full in under an hour" : `; full in ${String(hours)} h at this rate`;
}

function droppedText(dropped: Readonly<Record<string, number>>, lastDrop: number | null): string {
  const parts = Object.entries(dropped).map(([reason, n]) => `${reason} ${String(n)}`);
  return lastDrop === null ? "-" : `${parts.join(", ")}; last ${localTime(lastDrop)}`;
}

async function hoursAt(stateDir: string): Promise<number | null> {
  const { askNode } = await import("../app/remote.ts");
  // As a node of this version answers.
  const { node } = dataOf(await askNode(stateDir, "status", {})) as Status;
  return node.spool.hoursUntilFull;
}

async function listRefused(stateDir: string, given: Given, { out }: Context): Promise<number> {
  const { spooledAt } = await import("../app/spool.ts");
  const refused = await spooledAt(stateDir, true, (line) => {
    if (given.flags.has("json")) out.line(line);
    else out.line(refusedText(line));
    return Promise.resolve();
  });
  if (!given.flags.has("json")) out.line(`${count(refused, "message")} in quarantine`);
  return EXIT.ok;
}

function refusedText(line: string): string {
  // As `spooledAt` gives it.
  const { topic, at, reason } = JSON.parse(line) as { topic: string; at: number; reason: string };
  return `${localTime(at)}  ${printable(topic)}  ${printable(reason)}`;
}

async function exportTo(
  file: string,
  stateDir: string,
  given: Given,
  { out, caller }: Context,
): Promise<number> {
  const quarantine = given.flags.has("quarantine");
  const replace = existsSync(file);
  const what = quarantine ? " --quarantine" : "";
  const again = `${caller} spool${what} --export ${shellWord(file)} --yes${sameNode(given)}`;
  if (replace && !(await confirm(given, `replace ${file}, which is there already`, again))) {
    out.note("nothing was written");
    return EXIT.usage;
  }
  const { NewFile } = await import("../app/new-file.ts");
  const { spooledAt } = await import("../app/spool.ts");
  const written = await NewFile.begin(file, replace);
  try {
    const messages = await spooledAt(stateDir, quarantine, (line) => written.write(`${line}\n`));
    await written.finish();
    const done = `${count(messages, "message")} are in ${file}`;
    out.line(given.flags.has("json") ? JSON.stringify({ file, messages }) : done);
    return EXIT.ok;
  } finally {
    await written.discard();
  }
}
