/** docs/profiles.md: its commands are run against servers from another code base, and print what it shows. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createPlace } from "./cli/program.ts";
import { END, imageOf, MARKER } from "./core/sunspec-images.ts";
import { startPython } from "./modbus/rig.ts";

const page = readFileSync(new URL("../docs/profiles.md", import.meta.url), "utf8");
const DEVICE = fileURLToPath(new URL("support/pymodbus-image.py", import.meta.url));

/** The register image that the page shows, of the heat meter; what it does not name is not there. */
const [, json = "{}"] = /^```json\n([\s\S]*?)^```/m.exec(page) ?? [];
const HEAT_METER: { registers: object; values: object } = JSON.parse(json);

/** Model 101 of a device that has only some of it, in the places of the published model. */
function inverterWords(): string {
  const words = imageOf(101).none.split(" ");
  const put = (offset: number, text: string) => {
    words.splice(offset, text.split(" ").length, ...text.split(" "));
  };
  put(2, "0429 0429"); // A, AphA: 1065
  put(6, "fffe");
  put(10, "08fc"); // PhVphA: 2300
  put(13, "ffff");
  put(14, "097e 0000"); // W: 2430
  put(16, "1388 fffe"); // Hz: 5000
  put(24, "0012 d687 0000"); // WH: 1234567
  put(29, "0dac ffff"); // DCV: 3500
  put(31, "09c4 0000"); // DCW: 2500
  put(33, "01a4"); // TmpCab: 420
  put(37, "ffff");
  put(38, "0004");
  put(40, "0000 0000 0000 0000");
  return words.join(" ");
}

function commonWords(): string {
  const text = (value: string, registers: number) =>
    Buffer.from(value.padEnd(2 * registers, "\0"))
      .toString("hex")
      .match(/.{4}/g)
      ?.join(" ") ?? "";
  const texts = [
    text("Acme", 16),
    text("Sun 10", 16),
    text("", 8),
    text("1.2", 8),
    text("4711", 16),
  ];
  return `0001 0042 ${texts.join(" ")} 0001 8000`;
}

const OTHER = "00a0 0008 0000 0000 0000 0000 0000 0000 0000 0000";
const INVERTER = { 40_000: [MARKER, commonWords(), inverterWords(), OTHER, END].join(" ") };

async function served(t: TestContext, image: object, most: number): Promise<string> {
  const port = await startPython(t, [DEVICE, "1", JSON.stringify(image), String(most)]);
  return `tcp://127.0.0.1:${String(port)}`;
}

/** The calls of the page, each with the lines that are shown behind it. */
function callsOf(text: string): { words: string[]; shown: string[] }[] {
  const blocks = Array.from(text.matchAll(/^```text\n\$ edgepoll (.*)\n([\s\S]*?)^```/gm));
  return blocks.map(([, call = "", shown = ""]) => {
    return { words: call.split(" "), shown: shown.trimEnd().split("\n") };
  });
}

/** The page with the output of its calls in place of what it shows; a line of … stands for any lines. */
function missing(shown: readonly string[], printed: readonly string[]): string | undefined {
  let at = 0;
  let maySkip = false;
  for (const line of shown) {
    if (line === "…") {
      maySkip = true;
      continue;
    }
    const found = maySkip ? printed.indexOf(line, at) : printed[at] === line ? at : -1;
    if (found < 0) return line;
    at = found + 1;
    maySkip = false;
  }
  return undefined;
}

test("the commands of docs/profiles.md print what it shows", async (t) => {
  const { run, directory } = await createPlace(t);
  const hosts: [written: string, real: string][] = [
    ["tcp://10.0.0.5", await served(t, HEAT_METER.registers, 20)],
    ["tcp://10.0.0.6", await served(t, INVERTER, 125)],
  ];
  const real = (text: string) =>
    hosts.reduce((all, [host, url]) => all.replaceAll(host, url), text);
  for (const [, yaml = ""] of page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)) {
    const [, name] = /^# (\S+\.yaml)\n/.exec(yaml) ?? [];
    if (name !== undefined) writeFileSync(join(directory, name), real(yaml));
  }
  const calls = callsOf(page);
  assert.equal(calls.length, 5);
  for (const { words, shown } of calls) {
    const args = words.map((word) => (word.endsWith(".yaml") ? join(directory, word) : real(word)));
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    const printed = hosts
      .reduce((all, [host, url]) => all.replaceAll(url, `${host}:502`), stdout)
      .replaceAll(`${directory}/`, "")
      .split("\n");
    const lost = missing(shown, printed);
    assert.equal(lost, undefined, `${words.join(" ")}\n${printed.join("\n")}`);
  }
  const config = join(directory, "plant.yaml");
  const all = await run("read", "boiler-room/heat-meter", "--config", config, "--json");
  const { points }: { points: { point: string; value: unknown }[] } = JSON.parse(all.stdout);
  const values = Object.fromEntries(points.map(({ point, value }) => [point, value]));
  assert.deepEqual(values, HEAT_METER.values);
  const profile = readFileSync(join(directory, "inverter.yaml"), "utf8");
  const [, line = ""] = /^```yaml\n(- \{ id: power.*)$/m.exec(page) ?? [];
  assert.ok(profile.includes(`  ${line}\n`), profile);
});

test("a line that is not printed, and one that is skipped, are told apart", () => {
  assert.equal(missing(["a", "…", "d"], ["a", "b", "c", "d"]), undefined);
  assert.equal(missing(["a", "d"], ["a", "b", "c", "d"]), "d");
  assert.equal(missing(["…", "e"], ["a"]), "e");
});
