/** `simulate` as docs/simulate.md has it: pseudo terminals of socat, and masters that are not ours. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { mbpollRead, overLine, runMbpoll } from "../simulator/mbpoll.ts";
import { createPlace, type Place, type Running } from "./program.ts";

const shell = promisify(execFile);
const LIMIT = { timeout: 180_000 };
const PAGE = readFileSync(new URL("../../docs/simulate.md", import.meta.url), "utf8");
const MASTER = fileURLToPath(new URL("../support/pymodbus-master.py", import.meta.url));

/** Blocks of the page that are to be typed, with the paths of the page in a folder of the test. */
function blocksOf(directory: string): string[][] {
  const blocks = [...PAGE.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block);
  return blocks.map((block) => block.replaceAll("/tmp/", `${directory}/`).trim().split("\n"));
}

/** The words of a line, in single quotes or not. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** Runs a line of the page that ends with `&`, and waits for the files it makes. */
async function inBackground(
  t: TestContext,
  line: string,
  files: readonly string[],
  folder: string,
) {
  const [program = "", ...args] = wordsOf(line.replace(/ &$/, ""));
  const child = spawn(program, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const watcher = watch(folder);
  while (!files.every((file) => existsSync(join(folder, file)))) await once(watcher, "change");
  watcher.close();
  return child;
}

/** A line of edgepoll as the page has it. */
function begin({ begin: run }: Place, line: string): Running {
  const [, ...args] = wordsOf(line);
  return run(...args);
}

test("the recipe for a pair of pseudo terminals works as it is written", LIMIT, async (t) => {
  const place = await createPlace(t);
  const { directory } = place;
  const [[pair = "", serve = ""] = [], [read = "", mbpoll = ""] = []] = blocksOf(directory);
  const socat = await inBackground(t, pair, ["line-device", "line-master"], directory);
  const simulated = begin(place, serve);
  await simulated.line(/^ {2}mbpoll -m rtu -b 9600 -P none/);
  const own = await begin(place, read).ended;
  assert.equal(own.code, 0, own.stderr);
  assert.match(own.stdout, /^0 +300001 +43[0-9A-F]{2} [0-9A-F]{4} +2[23]\d/m);
  const theirs = await shell("sh", ["-c", mbpoll]);
  assert.match(theirs.stdout, /\[1\]:\s+2[23]\d/);
  const line = overLine(join(directory, "line-master"), 9600, "none");
  await assert.rejects(mbpollRead(line, { table: "input", address: 2 }), /Illegal data address/);
  simulated.signal("SIGINT");
  const ended = await simulated.ended;
  assert.equal(ended.code, 0);
  assert.match(ended.stdout, /\n3 requests came\n$/);
  const again = begin(place, serve);
  await again.line(/^ {2}mbpoll/);
  socat.kill("SIGKILL");
  const lost = await again.ended;
  assert.equal(lost.code, 69);
  assert.match(
    lost.stderr,
    /line-device went away while the simulator answered on it: the adapter was unplugged, or /,
  );
});

/** What pymodbus must have seen of the energy meter. */
function assertSeen(stdout: string): void {
  const { coils, holding, input, identity, ...others } = JSON.parse(stdout);
  assert.deepEqual(others, {
    writes: [false, false, false, false],
    discrete: 16,
    beyond: 2,
    unwritable: 2,
  });
  assert.deepEqual(coils, [true, false, false, true, true, false, true, false]);
  assert.deepEqual(holding, [1, 60, 0, 0, 0, 4711, 1, 2, 65_535, 0]);
  const volts = Buffer.from(Uint16Array.from(input as number[]).buffer)
    .swap16()
    .readFloatBE();
  assert.ok(volts > 225 && volts < 235, String(volts));
  assert.deepEqual(identity, {
    ...{ 0: "edgepoll", 1: "simulator", 2: "1" },
    ...{ 4: "simulator", 5: "energy-meter" },
  });
}

test("pymodbus reads, writes and identifies it over TCP and over a line", LIMIT, async (t) => {
  const place = await createPlace(t);
  const { directory } = place;
  const tcp = place.begin("simulate", "--port", "0", "--json");
  const { url }: { url: string } = JSON.parse(await tcp.line(/^\{/));
  const port = url.slice(url.lastIndexOf(":") + 1);
  assertSeen((await shell("/usr/bin/python3", [MASTER, "tcp", port])).stdout);
  const [[pair = ""] = []] = blocksOf(directory);
  await inBackground(t, pair, ["line-device", "line-master"], directory);
  const device = join(directory, "line-device");
  const line = place.begin("simulate", "--serial", device, "--parity", "none", "--json");
  await line.line(/^\{/);
  const master = join(directory, "line-master");
  assertSeen((await shell("/usr/bin/python3", [MASTER, "rtu", master, "19200", "none"])).stdout);
  // Another unit is silent.
  const other = ["-1", "-a", "2", "-t", "3", "-r", "0", "-o", "0.2"];
  await assert.rejects(runMbpoll(overLine(master, 19_200, "none"), other), /timed out/);
});

test("an image is served as it is, and a script makes it misbehave", LIMIT, async (t) => {
  const { begin: run, directory, run: end } = await createPlace(t);
  const [, image = ""] = /```json\n([^]*?)```/.exec(PAGE) ?? [];
  const [, script = ""] = /```yaml\n([^]*?)```/.exec(PAGE) ?? [];
  writeFileSync(join(directory, "image.json"), image);
  writeFileSync(join(directory, "coils.yaml"), 'table: coil\nregisters: { "3": "0 1 1" }\n');
  writeFileSync(
    join(directory, "faults.yaml"),
    script.replace("normal, for: 20s", "exception, code: 6, requests: 1"),
  );
  const images = [
    "--image",
    join(directory, "image.json"),
    "--image",
    join(directory, "coils.yaml"),
  ];
  const faults = ["--faults", join(directory, "faults.yaml")];
  const simulated = run("simulate", ...images, ...faults, "--port", "0", "--unit", "7", "--json");
  const told: { url: string; units: number[]; registers: string[] } = JSON.parse(
    await simulated.line(/^\{/),
  );
  assert.deepEqual(told.units, [7]);
  assert.deepEqual(told.registers, [
    "input  0   4366 8000",
    "input  70  4248 0000",
    "coil   3   0 1 1",
  ]);
  const read = (...args: string[]) => end("read", `${told.url}/7`, ...args);
  assert.match((await read("30001")).stderr, /exception 6: it is busy/);
  // The second step answers 700 ms late, which is within the time-out of a read.
  assert.match((await read("30071", "--type", "float32")).stdout, /4248 0000 +50 /);
  assert.match((await read("4", "--table", "coil")).stdout, /1 +1|true/);
  assert.equal((await read("40001")).code, 69);
});

test("images that claim one address are refused, both by name", LIMIT, async (t) => {
  const { run, directory } = await createPlace(t);
  const image = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return ["--image", join(directory, name)];
  };
  const holding = image("a.yaml", 'table: holding\nregisters: { "16": "0001 0002" }\n');
  const other = image("b.yaml", 'table: input\nregisters: { "16": "0003" }\n');
  const same = image("c.yaml", 'table: holding\nregisters: { "0x11": "0004" }\n');
  const { code, stderr } = await run("simulate", ...holding, ...other, ...same, "--port", "0");
  assert.equal(code, 64, stderr);
  assert.match(
    stderr,
    /^edgepoll: --image \S+c\.yaml and \S+a\.yaml both claim holding 17; no address may be claimed twice/,
  );
});

const MISTAKES: readonly (readonly [args: string[], code: number, told: RegExp])[] = [
  [["energy-meter", "--profile", "eastron/sdm120"], 64, /^edgepoll: Only one of MODEL, --profile/],
  [["--profile", "eastron/sdm12"], 64, /--profile is not the name .*did you mean eastron\/sdm120/],
  [["--unit", "256"], 64, /--unit takes ids from 0 to 255, not "256"/],
  [["--serial", "/dev/x", "--unit", "248"], 64, /from 1 to 247/],
  [["--serial", "/dev/x", "--port", "1"], 64, /--port does not go with --serial/],
  [["--baud", "9600"], 64, /--baud belongs to --serial/],
  [["--serial", "/dev/x", "--baud", "9601"], 64, /did you mean 9600\?/],
  [["--serial", "/nowhere/tty"], 69, /\/nowhere\/tty is not there.*\(ADDRESS_UNAVAILABLE\)/],
  [["--image", "/nowhere/image.json"], 74, /image\.json does not exist\. \(FILE_FAILED\)/],
];

test(
  "a script for a unit that is not there is refused, on a line for all but unit 1",
  LIMIT,
  async (t) => {
    const { run, directory } = await createPlace(t);
    const script = join(directory, "faults.yaml");
    writeFileSync(script, "scripts: [{ unit: 5, steps: [{ kind: silent }] }]\n");
    const cases: [string[], RegExp][] = [
      [
        ["--unit", "1,2", "--port", "0"],
        /scripts\[0\]\.unit 5 is not served, only 1, 2; --unit names/,
      ],
      [["--serial", "/nowhere/tty"], /scripts\[0\]\.unit 5 is not served, only 1;/],
    ];
    for (const [args, told] of cases) {
      const ended = await run("simulate", ...args, "--faults", script);
      assert.equal(ended.code, 78, ended.stderr);
      assert.match(ended.stderr, told);
    }
  },
);

test("a mistake on the command line is one line, with what is allowed", LIMIT, async (t) => {
  const { run } = await createPlace(t);
  const all = MISTAKES.map(async ([args, code, told]) => {
    const ended = await run("simulate", ...args);
    assert.equal(ended.code, code, args.join(" ") + ended.stderr);
    assert.match(ended.stderr, told);
    assert.equal(ended.stderr.trim().split("\n").length, 1);
  });
  await Promise.all(all);
});
