/**
 * The profiles of real meters against register images. An image gives the registers as a published
 * table of the meter has them, and the values that they stand for; it was not made from the profile.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Table } from "../../src/core/model.ts";
import { planSchedule, type PlannedRequest } from "../../src/core/plan.ts";
import { load } from "./plant.ts";

const IMAGES = new URL("register-images/", import.meta.url);

interface RegisterImage {
  readonly profile: string;
  readonly table: Table;
  /** Words in hexadecimal by the address of the first. */
  readonly registers: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number>>;
}

for (const file of readdirSync(IMAGES)) {
  const image: RegisterImage = JSON.parse(readFileSync(new URL(file, IMAGES), "utf8"));
  test(`${image.profile} reads every value of its register image`, () => {
    const requests = requestsOf(image.profile);
    const words = wordsOf(image);
    const read = requests.flatMap(({ table, address, count, points }) => {
      assert.equal(table, image.table);
      const answer = Uint16Array.from({ length: count }, (_, at) => words.get(address + at) ?? 0);
      return points.map(({ point, at, decode }) => [point.id, decode(answer, at)] as const);
    });
    const expected = Object.entries(image.values).map(([id, value]) => [id, { value }] as const);
    assert.deepEqual(Object.fromEntries(read), Object.fromEntries(expected));
  });
}

test("every profile of a real meter has its register image", () => {
  const profiles = new URL("../../config/profiles/", import.meta.url);
  const names = readdirSync(profiles, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && !name.startsWith("edgepoll/"))
    .map((name) => name.replace(".yaml", "").replace("/", "-"));
  const images = readdirSync(IMAGES).map((name) => name.replace(".json", ""));
  assert.deepEqual(names.sort(), images.sort());
});

test("an SDM630 is never asked for more than 50 registers at once", () => {
  const counts = requestsOf("eastron/sdm630").map(({ count }) => count);
  assert.ok(Math.max(...counts) <= 50, String(counts));
});

/** What a poll of a device with this profile sends. */
function requestsOf(profile: string): readonly PlannedRequest[] {
  const { site } = load(`gateways:
  - id: hall
    connection: tcp://10.0.0.5
    interval: 10s
    devices: [{ id: meter, unitId: 1, profile: ${profile} }]
`);
  const [gateway] = site.gateways;
  assert.ok(gateway);
  return planSchedule(gateway, 10_000).devices.flatMap(({ requests }) => requests);
}

function wordsOf({ registers }: RegisterImage): Map<number, number> {
  const words = new Map<number, number>();
  for (const [address, text] of Object.entries(registers)) {
    for (const [at, word] of text.split(" ").entries()) {
      words.set(Number(address) + at, Number.parseInt(word, 16));
    }
  }
  return words;
}
