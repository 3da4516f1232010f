import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { EXIT } from "../src/cli/exit-codes.ts";
import { COMMANDS } from "../src/cli/run.ts";
import { loadConfig } from "../src/config/load.ts";
import { MISS_REASONS } from "../src/core/outcome.ts";
import { EVENT_KINDS } from "../src/core/payloads.ts";
import type { Reason } from "../src/core/reading.ts";
import { topicsOf } from "../src/core/topics.ts";

const root = new URL("..", import.meta.url).pathname;
const names = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const tops = readdirSync(root).filter((name) => name.endsWith(".md"));
const pages = [...tops, ...names.map((name) => join("docs", name))].map((path) => {
  return { path, text: readFileSync(join(root, path), "utf8") };
});

function pageOf(path: string): string {
  const page = pages.find((candidate) => candidate.path === path);
  assert.ok(page, `there is no ${path}`);
  return page.text;
}

/** The anchors GitHub makes of headings. */
function anchorsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replace(/ /g, "-"),
  );
}

/** Links of a page that lead to nothing. */
function deadLinks({ path, text }: { path: string; text: string }): string[] {
  const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
  return links.flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : join(path, "..", file);
    try {
      const found = readFileSync(join(root, target), "utf8");
      const dead = anchor !== undefined && !anchorsOf(found).includes(anchor);
      return dead ? [`${path}: ${link}`] : [];
    } catch {
      return [`${path}: ${link}`];
    }
  });
}

/** Calls of edgepoll in code, as lists of words. */
function callsOf(text: string): string[][] {
  const parts = Array.from(text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g), ([part]) => part);
  // Of what was printed only the lines behind a prompt are calls.
  const code = parts
    .map((part) => (part.startsWith("```text") ? part.replace(/^(?! *\$ ).*$/gm, "") : part))
    .join("\n");
  const calls = code.matchAll(
    /(?<=`|\$ |&& |^ *)edgepoll ((?:[a-z]+|--[a-z-]+)(?: [^\s`#;&]+)*)/gm,
  );
  return Array.from(calls, ([, words = ""]) => words.split(" "));
}

/** What is wrong with a call, undefined if nothing. */
function callFault([name = "", ...words]: string[]): string | undefined {
  if (name === "--version" || name === "--help") return undefined;
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) return `there is no command ${name}`;
  const known = [...command.options.map((option) => `--${option.name}`), "--help"];
  const stranger = words.find((word) => word.startsWith("--") && !known.includes(word));
  return stranger === undefined ? undefined : `${name} has no option ${stranger}`;
}

test("links between the pages resolve", () => {
  assert.deepEqual(pages.flatMap(deadLinks), []);
});

test("a dead link and a dead anchor are noticed", () => {
  const text = "[a](nowhere.md) [b](docs/topics.md#nothing) [c](docs/topics.md#events) [d](#here)";
  assert.deepEqual(deadLinks({ path: "CHANGELOG.md", text }), [
    "CHANGELOG.md: nowhere.md",
    "CHANGELOG.md: docs/topics.md#nothing",
    "CHANGELOG.md: #here",
  ]);
});

test("docs/topics.md names every topic, and no other", () => {
  const topics = topicsOf("polling");
  const gateway = "<gateway>";
  const device = "<device>";
  const expected = [
    topics.readings(gateway, device),
    topics.gaps(gateway),
    topics.health(gateway),
    topics.availability(gateway),
    topics.availability(gateway, device),
    topics.meta(gateway),
    topics.nodeState,
    topics.nodeInfo,
    topics.nodeHealth,
    topics.nodeEvents,
    topics.commands.replace("+", "<verb>"),
    topics.reply("<verb>"),
  ];
  const rows = pageOf("docs/topics.md").matchAll(/^\| `(polling\/[^`]+)` \|/gm);
  assert.deepEqual(
    Array.from(rows, ([, topic]) => topic),
    expected,
  );
});

/** Why a point has no value; `not_supported` is kept for commands that are not in this version. */
const REASONS: Readonly<Record<Exclude<Reason, "not_supported">, true>> = {
  timeout: true,
  connect_failed: true,
  bad_frame: true,
  exception: true,
  not_a_number: true,
  invalid: true,
  breaker_open: true,
  stopped: true,
  deadline: true,
};

/** What the first columns of a section's tables say. */
function firstCells(path: string, heading: string): string[] {
  const [, section = ""] = pageOf(path).split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return Array.from(own.matchAll(/^\| `([\w-]+)` \|/gm), ([, cell = ""]) => cell);
}

test("docs/topics.md names every reason, missed slot and kind of event", () => {
  const readings = firstCells("docs/topics.md", "Readings");
  const reasons = readings.slice(readings.indexOf("timeout"));
  assert.deepEqual(reasons, [...Object.keys(REASONS), "out_of_range", "unlisted"]);
  const missed = pageOf("docs/topics.md").matchAll(/^\| `missed` \| `(\w+)` \|/gm);
  assert.deepEqual(Array.from(missed, ([, reason]) => reason).sort(), [...MISS_REASONS].sort());
  const kinds = firstCells("docs/topics.md", "Events");
  assert.deepEqual(kinds.sort(), [...EVENT_KINDS].sort());
});

test("commands and options in the pages exist", () => {
  const faults = pages.flatMap(({ path, text }) =>
    callsOf(text).flatMap((call) => {
      const fault = callFault(call);
      return fault === undefined ? [] : [`${path}: ${fault}`];
    }),
  );
  assert.deepEqual(faults, []);
  assert.ok(callsOf(pageOf("docs/operations.md")).length > 10);
});

test("a command and an option that do not exist are noticed", () => {
  const text =
    "`edgepoll frob` and `edgepoll status --frob --json`\n```sh\nedgepoll stop --node\n```";
  assert.deepEqual(callsOf(text).map(callFault), [
    "there is no command frob",
    "status has no option --frob",
    undefined,
  ]);
});

test("docs/operations.md lists the exit codes", () => {
  const [, section = ""] = pageOf("docs/operations.md").split("### Exit codes");
  const rows = Array.from(section.matchAll(/^\| (\d+) \|/gm), ([, code]) => Number(code));
  assert.deepEqual(rows, Object.values(EXIT));
});

test("configurations in the pages hold", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "edgepoll-docs-"));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const host = { hostName: "host", defaultStateDir: () => directory };
  const blocks = pages.flatMap(({ text }) =>
    Array.from(text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm), ([, indent = "", yaml = ""]) =>
      yaml.replace(new RegExp(`^${indent}`, "gm"), ""),
    ),
  );
  // What shows only a part of a configuration has no gateways.
  const whole = blocks.filter((yaml) => /^gateways:/m.test(yaml));
  for (const yaml of blocks) {
    const [, name] = /^# (\S+\.yaml)\n/.exec(yaml) ?? [];
    if (name !== undefined) writeFileSync(join(directory, name), yaml);
  }
  whole.forEach((yaml, i) => {
    const file = join(directory, `${String(i)}.yaml`);
    writeFileSync(file, yaml);
    assert.deepEqual(loadConfig(file, () => undefined, host).warnings, []);
  });
  assert.ok(whole.length >= 2);
});
