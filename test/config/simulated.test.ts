/** The files that a simulator reads: fault scripts, register images and profiles. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FAULT_KINDS } from "../../src/config/fault-kinds.ts";
import { readLineFaults, readTcpFaults } from "../../src/config/fault-script.ts";
import { loadProfile } from "../../src/config/profile-points.ts";
import { readImage } from "../../src/config/register-image.ts";
import { fileOf, refusal } from "./plant.ts";

const IMAGES = fileURLToPath(new URL("register-images/", import.meta.url));

/** What is said of a file, without its name and the lines that show the place. */
function faultsOf(read: (path: string) => unknown, text: string): string[] {
  const path = fileOf(text);
  const lines = refusal(() => read(path)).message.split("\n");
  return lines.flatMap((line) => (line.startsWith(path) ? [line.slice(path.length + 1)] : []));
}

test("a script is read as the tests write it", () => {
  const path = fileOf(`scripts:
  - steps:
      - { kind: refuse, for: 30s }
      - { kind: delay, ms: 800, jitter: 200, requests: 3 }
      - { kind: close, at: middle, requests: 1 }
    repeat: true
  - unit: 2
    registers: { table: input, address: 70 }
    steps: [{ kind: exception, code: 4 }]
`);
  assert.deepEqual(readTcpFaults(path), [
    {
      steps: [
        { kind: "refuse", for: 30_000 },
        { kind: "delay", ms: 800, jitter: 200, requests: 3 },
        { kind: "close", at: "middle", requests: 1 },
      ],
      repeat: true,
    },
    {
      unit: 2,
      registers: { table: "input", address: 70, count: 1 },
      steps: [{ kind: "exception", code: 4 }],
      repeat: false,
    },
  ]);
  const line = fileOf("scripts: [{ steps: [{ kind: noise-before, hex: 00fe, requests: 2 }] }]");
  const steps = [{ kind: "noise-before", hex: "00fe", requests: 2 }];
  assert.deepEqual(readLineFaults(line), [{ repeat: false, steps }]);
});

test("a mistake in a script is named with its place and what is allowed", () => {
  const text = `scripts:
  - unit: 1
    steps:
      - { kind: refuse, requests: 3 }
      - { kind: silnt }
      - { kind: silent, code: 2 }
      - { kind: delay }
      - { kind: bad-crc, for: 3s, requests: 3 }
      - { kind: garbage, hex: zz }
  - unit: 1
    steps: []
`;
  assert.deepEqual(faultsOf(readTcpFaults, text), [
    "4:17  scripts[0].steps[0].kind refuse is of a whole port; it belongs in a script without unit and registers",
    "4:25  scripts[0].steps[0].requests never ends under refuse, which lets none in; give it a time with for",
    `5:17  scripts[0].steps[1].kind must be ${FAULT_KINDS.slice(0, -1).join(", ")} or master, not silnt; did you mean silent?`,
    "6:9  scripts[0].steps[2] lasts for ever, so that nothing comes after it; give it requests or for",
    "6:25  scripts[0].steps[2].code does not belong to silent, which has no key of its own",
    "7:9  scripts[0].steps[3] has no ms, which delay needs",
    "8:17  scripts[0].steps[4].kind bad-crc is of serial lines; --serial makes one",
    "8:26  scripts[0].steps[4].for must not stand beside requests: one of them ends it",
    "9:31  scripts[0].steps[5].hex must be bytes in hexadecimal, such as 00ff; in quotes when they are digits only, not zz",
    "10:5  scripts[1] is for the same requests as script 1 of the list",
    "11:12  scripts[1].steps must be a list with at least one entry, not an empty list",
  ]);
  const tcp = "scripts: [{ repeat: true, steps: [{ kind: wrong-tid }] }]";
  assert.deepEqual(faultsOf(readLineFaults, tcp), [
    "1:35  scripts[0].steps[0] lasts for ever, so that nothing comes after it; give it requests or for",
    "1:43  scripts[0].steps[0].kind wrong-tid is of Modbus/TCP, which a serial line knows nothing of",
  ]);
});

test("a script for a unit that is not served is refused, with those that are", () => {
  const text = "scripts: [{ unit: 5, steps: [{ kind: silent }] }]";
  const said = "1:19  scripts[0].unit 5 is not served, only 1, 2; --unit names those that are";
  for (const read of [readTcpFaults, readLineFaults]) {
    assert.deepEqual(
      faultsOf((path) => read(path, [1, 2]), text),
      [said],
    );
    assert.equal(read(fileOf(text), [5]).length, 1);
    assert.equal(read(fileOf(text)).length, 1);
  }
});

test("docs/simulate.md names every kind of fault, and no other", () => {
  const page = readFileSync(new URL("../../docs/simulate.md", import.meta.url), "utf8");
  const cells = [...page.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = ""]) => cell);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, kind]) => kind));
  assert.deepEqual(named.sort(), [...FAULT_KINDS].sort());
});

test("a file that is not there is told as one, and exit 74 is meant", () => {
  assert.throws(() => readTcpFaults("/nowhere/faults.yaml"), {
    name: "FileError",
    code: "FILE_FAILED",
    message: "/nowhere/faults.yaml does not exist.",
  });
});

test("the register images of the tests are images that are served", () => {
  const names = readdirSync(IMAGES);
  assert.ok(names.length > 5);
  for (const name of names) {
    const { table, registers } = JSON.parse(readFileSync(IMAGES + name, "utf8")) as {
      table: string;
      registers: Record<string, string>;
    };
    const image = readImage(IMAGES + name);
    assert.equal(image.table, table);
    for (const [address, text] of Object.entries(registers)) {
      const words = text.split(" ").map((_, i) => image.entries.get(Number(address) + i));
      assert.deepEqual(
        words,
        text.split(" ").map((word) => Number.parseInt(word, 16)),
        name,
      );
    }
  }
});

test("an image may be of bits, and its mistakes are named", () => {
  const path = fileOf('{ table: coil, registers: { "3": "0 1 1" } }');
  assert.deepEqual(
    [...readImage(path).entries],
    [
      [3, 0],
      [4, 1],
      [5, 1],
    ],
  );
  const text = `table: holding
registers:
  "0x10000": "0001"
  "65535": "0001 0002"
  "7": "1 0"
  "8": 1234
  "9": "12345"
  "here": 5
`;
  const words =
    'must be words of four hexadecimal digits, such as "4366 8000"; of coil and discrete bits, such as "0 1 1"; in quotes';
  const address = "must be an address from 0 to 65535 or 0xffff";
  assert.deepEqual(faultsOf(readImage, text), [
    `3:3  registers.0x10000 ${address}`,
    "4:3  registers.65535 goes beyond address 65535",
    `5:8  registers.7 ${words}`,
    `6:8  registers.8 ${words}, not 1234`,
    `7:8  registers.9 ${words}, not 12345`,
    `8:3  registers.here ${address}`,
    `8:11  registers.here ${words}, not 5`,
  ]);
});

test("entries of an image that claim the same address are refused, both by name", () => {
  const text = `table: holding
registers:
  "0x0010": "0001 0002 0003"
  "0x0013": "0004"
  "0x12": "0005"
  "16": "0006 0007"
`;
  assert.deepEqual(faultsOf(readImage, text), [
    "3:3  registers.0x0010 claims address 16, as registers.16 does",
    "5:3  registers.0x12 claims address 18, as registers.0x0010 does",
  ]);
});

test("a profile is found by name and by path, and what is wrong with it is said", () => {
  const found = loadProfile("eastron/sdm630");
  assert.ok("points" in found);
  assert.equal(found.merge.maxRegisters, 50);
  const path = fileOf("points: [{ id: a, table: coil, address: 0, type: bool }]");
  const own = loadProfile(path);
  assert.ok("points" in own && own.points.length === 1);
  const unknown = loadProfile("eastron/sdm12");
  assert.ok("fault" in unknown);
  assert.match(unknown.fault, /did you mean eastron\/sdm120\?/);
  const wrong = fileOf("points: [{ id: a, table: coil, address: 0, type: boll }]");
  assert.match(refusal(() => loadProfile(wrong)).message, /:1:\d+ {2}points\[a\]\.type must be/);
});
