/** Walks through devices with SunSpec whose registers were made from the published models. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { profileText } from "../../src/config/sunspec-profile.ts";
import type { SunSpecRead } from "../../src/core/sunspec-registers.ts";
import { walkSunSpec, type SunSpecWalk } from "../../src/core/sunspec-walk.ts";
import { folder, load } from "../config/plant.ts";
import { deviceOf, END, imageOf, IMAGES, mapOf, MARKER } from "./sunspec-images.ts";

async function walked(base: number, text: string, most?: number): Promise<SunSpecWalk> {
  return found(await walkSunSpec(deviceOf(base, text, most).read));
}

function found(walk: Awaited<ReturnType<typeof walkSunSpec>>): SunSpecWalk {
  assert.ok(walk !== undefined && walk !== "silent");
  return walk;
}

/** What a walk came to, by the names of the models; null where there is no value. */
function valuesOf({ models }: SunSpecWalk, id: number): Record<string, unknown> {
  const values = models.find((model) => model.id === id)?.values ?? [];
  const rows = values.map(({ name, decoded }) => {
    return [name, decoded !== undefined && "value" in decoded ? decoded.value : null] as const;
  });
  return Object.fromEntries(rows);
}

const UNITS: Readonly<Record<string, string>> = {
  ...{ C: "°C", Pct: "%", Wh: "kWh", VAh: "kVAh", varh: "kvarh" },
};

for (const image of IMAGES) {
  test(`model ${String(image.id)} is read as published, every value of it`, async () => {
    const walk = await walked(40_000, mapOf(image.id));
    const expected = Object.entries(image.values).map(([name, [value, unit]]) => {
      if (name === "St") return [name, "mppt"];
      return [name, unit?.endsWith("h") ? Number(`${String(value)}e-3`) : value];
    });
    assert.deepEqual(valuesOf(walk, image.id), Object.fromEntries(expected));
    assert.deepEqual([walk.notes, walk.maxRegisters], [[], 125]);
    for (const { name, point } of walk.models[0]?.values ?? []) {
      const unit = image.values[name]?.[1] ?? undefined;
      assert.equal(point.unit, unit === undefined ? unit : (UNITS[unit] ?? unit), name);
    }
  });

  test(`model ${String(image.id)} of a device without any value is null throughout`, async () => {
    const walk = await walked(40_000, `${MARKER} ${image.none} ${END}`);
    const values = Object.values(valuesOf(walk, image.id));
    assert.deepEqual([...new Set(values)], [null]);
    assert.equal(values.length, Object.keys(image.values).length);
    assert.equal(profileText(walk, "none"), undefined);
  });
}

test("a map is found at 40000, 0 and 50000, and nothing is asked for behind it", async () => {
  for (const base of [40_000, 0, 50_000]) {
    const { read, asked } = deviceOf(base, mapOf(1, 103));
    const walk = found(await walkSunSpec(read));
    assert.deepEqual(
      walk.models.map(({ id, address }) => [id, address - base]),
      [
        [1, 2],
        [103, 70],
      ],
    );
    assert.ok(asked.includes(`${String(base + 122)}+2`) && asked.length < 10, asked.join(" "));
  }
});

test("without the marker there is nothing, and a device that never answers is told apart", async () => {
  assert.equal(await walkSunSpec(deviceOf(40_000, "5375 6e54 0001").read), undefined);
  assert.equal(await walkSunSpec(deviceOf(100, "0001").read), undefined);
  assert.equal(await walkSunSpec(() => Promise.resolve("silent")), "silent");
});

test("models that are not read are passed over by their length, a length of 0 among them", async () => {
  const other = `00a0 0003 0001 0002 0003 fa01 0000`;
  const walk = await walked(0, `${MARKER} ${other} ${imageOf(101).words} ${END}`);
  assert.deepEqual(
    walk.models.map(({ id, length, values }) => [id, length, values.length > 0]),
    [
      [160, 3, false],
      [0xfa01, 0, false],
      [101, 50, true],
    ],
  );
});

const BROKEN: readonly [what: string, map: string, note: RegExp][] = [
  [
    "ends without a marker",
    `${MARKER} ${imageOf(103).words}`,
    /40054 is refused, behind model 103/,
  ],
  ["has no length behind its end marker", `${MARKER} ${imageOf(103).words} ffff`, /^$/],
  ["goes on in zeros", `${mapOf(103).slice(0, -9)}0000 0000 0000`, /40054 holds 0, .* model 103/],
  ["claims more than there are addresses", `${MARKER} 0067 f000`, /103 at 40002 claims 61440/],
  ["ends behind an id", `${MARKER} ${imageOf(101).words} 0067`, /model 103 at 40054 has no length/],
];

for (const [what, map, note] of BROKEN) {
  test(`a map that ${what} is read as far as it goes`, async () => {
    const walk = await walked(40_000, map);
    assert.match(walk.notes.join("; "), note);
    const read = walk.models.filter(({ values }) => values.length > 0);
    assert.equal(read.length, map.length > 100 ? 1 : 0);
  });
}

test("a map of models without end is given up", async () => {
  const chain: SunSpecRead = (address, count) => {
    const at = (n: number) => (n < 2 ? [0x5375, 0x6e53][n] : [0x00a0, 0x0000][n % 2]) ?? 0;
    return Promise.resolve(Array.from({ length: count }, (_, n) => at(address - 40_000 + n)));
  };
  const walk = found(await walkSunSpec(chain));
  assert.equal(walk.models.length, 100);
  assert.match(walk.notes.join(), /more than 100 models/);
});

test("a model that ends before its length has the values that are there", async () => {
  const cut = imageOf(103).words.split(" ").slice(0, 18).join(" ");
  const walk = await walked(40_000, `${MARKER} ${cut}`);
  const values = valuesOf(walk, 103);
  assert.deepEqual(
    [values["W"], values["PhVphC"], values["Hz"], values["WH"]],
    [-101.4, 10.12, 1016, null],
  );
  assert.match(walk.notes.join("; "), /40054 is refused.*103 at 40002 can't be read whole/);
});

test("a model that is shorter than published has none of what is cut off, and says so", async () => {
  const short = `0067 0014 ${imageOf(103).words.split(" ").slice(2, 22).join(" ")}`;
  const walk = await walked(40_000, `${MARKER} ${short} ${END}`);
  const names = Object.keys(valuesOf(walk, 103));
  assert.deepEqual([names.includes("VAr"), names.includes("PF")], [true, false]);
  assert.deepEqual(walk.notes, ["model 103 at 40002 has 20 registers in place of 50"]);
  const common = `0001 0041 ${imageOf(1).words.split(" ").slice(2, 67).join(" ")}`;
  assert.deepEqual((await walked(40_000, `${MARKER} ${common} ${END}`)).notes, []);
});

test("how many registers a device takes at once is found out exactly, and kept to", async () => {
  for (const most of [2, 10, 40, 77, 104]) {
    const { read, asked } = deviceOf(40_000, mapOf(1, 203), most);
    const walk = found(await walkSunSpec(read));
    assert.equal(walk.maxRegisters, most);
    assert.deepEqual(valuesOf(walk, 203), valuesOf(await walked(40_000, mapOf(1, 203)), 203));
    assert.ok(asked.length < 130, String(asked.length));
  }
});

test("a device that refuses every register of its models is not asked for ever", async () => {
  let asked = 0;
  const heads: SunSpecRead = (address, count) => {
    asked++;
    if (address === 40_000) return Promise.resolve([0x5375, 0x6e53]);
    const isHead = (address - 40_002) % 107 === 0 && count <= 2;
    return Promise.resolve(isHead ? [203, 105] : "refused");
  };
  const walk = found(await walkSunSpec(heads));
  assert.equal(asked, 1000);
  assert.ok(walk.notes.length > 90);
});

test("a device that falls silent on the way is not asked any more", async () => {
  const { read } = deviceOf(40_000, mapOf(1, 101, 103));
  let silences = 0;
  const silent: SunSpecRead = (address, count) => {
    if (count <= 2 || address < 40_070) return read(address, count);
    silences++;
    return Promise.resolve("silent");
  };
  const walk = found(await walkSunSpec(silent));
  assert.equal(valuesOf(walk, 1)["Mn"], "Mn text");
  assert.deepEqual([...new Set(Object.values(valuesOf(walk, 103)))], [null]);
  assert.equal(silences, 1);
});

test("a second model of measurements has ids of its own, and the profile of all of them holds", async () => {
  const walk = await walked(40_000, mapOf(1, 103, 1, 203, 203, 101));
  const ids = walk.models.map(({ values }) => values.at(-1)?.point.id);
  assert.deepEqual(ids, [
    ...["serial", "vendor-events-4", "serial", "meter-events", "meter-2-events"],
    "inverter-2-vendor-events-4",
  ]);
  const { points, warnings } = loaded(profileText(walk, "Maker Model"));
  assert.deepEqual(warnings, []);
  const all = walk.models.flatMap(({ model, values }) => (model?.kind === "common" ? [] : values));
  assert.deepEqual(
    points,
    all.map(({ point }) => ({ ...point, interval: 10_000 })),
  );
});

test("the profile of floating-point models holds too, without warnings", async () => {
  const walk = await walked(40_000, mapOf(1, 113));
  const { points, warnings } = loaded(profileText(walk, "Maker Model"));
  assert.deepEqual([points.length, warnings], [31, []]);
  assert.deepEqual(points[0]?.address, 40_072);
});

test("a profile leaves as comments what has no value, and what is too far from its scale factor", async () => {
  const some = mapOf(203).replace(" 0243 d5f2", " 0000 0000");
  assert.notEqual(some, mapOf(203));
  const text = profileText(await walked(40_000, some, 20), "Maker Model") ?? "";
  assert.match(text, /^merge: { maxRegisters: 20 }$/m);
  assert.match(
    text,
    /^ {2}- { id: energy-import, .*, scaleRegister: 40056, scale: 0\.001, unit: kWh, /m,
  );
  assert.match(text, /one request of this device\n {2}# - { id: reactive-import-q1, /);
  assert.match(text, /had none when this was written.*\n {2}# - { id: energy-export, /);
  const { points } = loaded(text);
  assert.ok(!points.some(({ id }) => id === "energy-export" || id === "reactive-import-q1"));
});

/** The points that a device with this profile has. */
function loaded(text: string | undefined) {
  assert.ok(text !== undefined);
  writeFileSync(`${folder}/sunspec.yaml`, text);
  const { site, warnings } = load(`gateways:
  - id: roof
    connection: tcp://10.0.0.5
    devices: [{ id: inverter, unitId: 1, profile: ./sunspec.yaml }]
`);
  return { points: site.gateways[0]?.devices[0]?.points ?? [], warnings };
}
