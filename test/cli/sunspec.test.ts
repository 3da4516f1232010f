/** `read --sunspec` against devices from another code base (pymodbus). */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { END, imageOf, mapOf, MARKER } from "../core/sunspec-images.ts";
import { startPython } from "../modbus/rig.ts";
import { createPlace, type Ended } from "./program.ts";

const DEVICE = fileURLToPath(new URL("../support/pymodbus-image.py", import.meta.url));

/** A device with these registers from a base on, as `tcp://…/7`. */
async function served(t: TestContext, base: number, words: string, most = 125): Promise<string> {
  const image = JSON.stringify({ [base]: words });
  const port = await startPython(t, [DEVICE, "7", image, String(most)]);
  return `tcp://127.0.0.1:${String(port)}/7`;
}

interface Told {
  readonly base: number;
  readonly maxRegisters: number;
  readonly notes: readonly string[];
  readonly models: readonly {
    readonly id: number;
    readonly values: readonly { point: string; name: string; value: unknown; factor?: number }[];
  }[];
}

function toldBy({ stdout }: Pick<Ended, "stdout">): Told {
  // As `--json` prints it.
  return JSON.parse(stdout) as Told;
}

function valuesOf({ models }: Told, id: number): Record<string, unknown> {
  const values = models.find((model) => model.id === id)?.values ?? [];
  return Object.fromEntries(values.map(({ point, value }) => [point, value]));
}

test("a map is read at each of its three places, and of a device with small requests", async (t) => {
  const { run } = await createPlace(t);
  const devices = await Promise.all([
    served(t, 40_000, mapOf(1, 103, 203)),
    served(t, 0, mapOf(1, 103)),
    served(t, 50_000, mapOf(1, 203), 20),
  ]);
  const ended = await Promise.all(
    devices.map((device) => run("read", device, "--sunspec", "--json")),
  );
  const told = ended.map(toldBy);
  assert.deepEqual(
    told.map(({ base, maxRegisters, notes }) => [base, maxRegisters, notes]),
    [
      [40_000, 125, []],
      [0, 125, []],
      [50_000, 20, []],
    ],
  );
  const [both, inverter, meter] = told;
  assert.ok(both && inverter && meter);
  assert.equal(valuesOf(inverter, 103)["power"], -101.4);
  assert.deepEqual(valuesOf(both, 103), valuesOf(inverter, 103));
  assert.equal(valuesOf(both, 203)["meter-energy-import"], valuesOf(meter, 203)["energy-import"]);
});

test("what a profile made by a walk reads is what the walk showed, and follows the scale factors", async (t) => {
  const { run, directory } = await createPlace(t);
  const map = mapOf(1, 103, 203);
  // The same device at another time of the day: its power has another scale factor.
  const later = map.replace("fc0a ffff", "fc0a fffe");
  assert.notEqual(later, map);
  const devices = await Promise.all([served(t, 40_000, map), served(t, 40_000, later)]);
  const profile = join(directory, "inverter.yaml");
  const walk = await run("read", devices[0], "--sunspec", "--json", "--write-profile", profile);
  assert.equal(walk.code, 0, walk.stderr);
  const shown = toldBy(walk);
  const [now, then] = await Promise.all(devices.map(polled));
  assert.deepEqual(now, { ...valuesOf(shown, 103), ...valuesOf(shown, 203) });
  assert.deepEqual([now["power"], then?.["power"]], [-101.4, -10.14]);

  async function polled(device: string, n: number): Promise<Record<string, unknown>> {
    const config = join(directory, `site-${String(n)}.yaml`);
    const unit = { id: "inverter", unitId: 7, profile: "./inverter.yaml" };
    const gateway = { id: "roof", connection: device.slice(0, -2), devices: [unit] };
    writeFileSync(config, JSON.stringify({ gateways: [gateway] }));
    const { stdout } = await run("read", "roof/inverter", "--config", config, "--json");
    // As `--json` prints it.
    const { points } = JSON.parse(stdout) as { points: { point: string; value: unknown }[] };
    return Object.fromEntries(points.map(({ point, value }) => [point, value]));
  }
});

test("a device without values, one whose map breaks off, and one without a map are told apart", async (t) => {
  const { run, directory } = await createPlace(t);
  const none = [MARKER, imageOf(1).words, imageOf(103).none, END].join(" ");
  const file = join(directory, "none.yaml");
  const [without, broken, other] = await Promise.all([
    served(t, 40_000, none),
    served(t, 40_000, `${MARKER} ${imageOf(101).words}`),
    served(t, 40_000, "0000 0000 0000"),
  ]);
  const [empty, cut, nothing] = await Promise.all([
    run("read", without, "--sunspec", "--write-profile", file),
    run("read", broken, "--sunspec"),
    run("read", other, "--sunspec"),
  ]);
  assert.match(empty.stdout, /^without a value: current, current-l1, .*vendor-events-4$/m);
  assert.match(empty.stderr, /no value that could be polled, so that no profile was written/);
  assert.throws(() => readFileSync(file), /ENOENT/);
  assert.match(
    cut.stdout,
    /^tcp:\S+\/7 {2}A device that says nothing of itself\nSunSpec at holding 40000 /,
  );
  assert.match(cut.stdout, /^power +W +40016 +FC0A +-1 +-101\.4 W$/m);
  assert.match(cut.stdout, /^note {2}no end marker: 40054 is refused, behind model 101$/m);
  assert.match(nothing.stderr, /no SunSpec marker at holding 40000, 0 or 50000 of unit 7: it may/);
  assert.deepEqual([empty.code, cut.code, nothing.code], [69, 0, 69]);
});

test("a profile takes no other's place, and mistakes of the command line are named", async (t) => {
  const { run, directory } = await createPlace(t);
  const file = join(directory, "there.yaml");
  writeFileSync(file, "mine");
  const device = await served(t, 40_000, mapOf(1, 113));
  const [taken, address, alone, type] = await Promise.all([
    run("read", device, "--sunspec", "--write-profile", file),
    run("read", device, "40001", "--sunspec"),
    run("read", device, "--write-profile", file),
    run("read", device, "--sunspec", "--write-profile", join(directory, "profile.txt")),
  ]);
  assert.deepEqual(
    [taken, address, alone, type].map(({ code }) => code),
    [74, 64, 64, 64],
  );
  assert.match(taken.stderr, /There is a file .*there\.yaml already\. Choose another name/);
  assert.equal(readFileSync(file, "utf8"), "mine");
  assert.match(address.stderr, /--sunspec takes no ADDRESS: it finds all there is/);
  assert.match(type.stderr, /ends in \.yaml/);
});

test("a walk goes through the node that owns the endpoint, and comes to the same", async (t) => {
  const { run, begin, port, directory } = await createPlace(t);
  const device = await served(t, 40_000, mapOf(1, 103));
  const config = join(directory, "owner.yaml");
  const points = [
    { id: "power", table: "holding", address: 40_084, type: "int16", scaleRegister: 40_085 },
  ];
  const gateway = { id: "roof", connection: device.slice(0, -2), interval: "1m" };
  const devices = [{ id: "inverter", unitId: 7, points }];
  const mqtt = { broker: "embedded", embedded: { port } };
  writeFileSync(config, JSON.stringify({ mqtt, gateways: [{ ...gateway, devices }] }));
  const alone = toldBy(await run("read", device, "--sunspec", "--json"));
  const node = begin("start", "--config", config, "--state-dir", join(directory, "state"));
  await node.line(/^watch it:/);
  const through = await run("read", device, "--sunspec", "--json");
  assert.equal(through.code, 0, through.stderr);
  assert.deepEqual(toldBy(through), alone);
});
