import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "../../src/core/errors.ts";
import { loadConfig, loadEffective, readStateDir } from "../../src/config/load.ts";

const folder = mkdtempSync(join(tmpdir(), "edgepoll-damage-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const host = { hostName: "box", defaultStateDir: () => "/state" };
const demo = readFileSync(new URL("../../config/edgepoll.yaml", import.meta.url), "utf8");
const profile = readFileSync(
  new URL("../../config/profiles/edgepoll/energy-meter.yaml", import.meta.url),
  "utf8",
);
const runs = Number(process.env["RUNS"] ?? 150);

const indicators = "{}[]:-,&*!|>'\"%@`#?~\t\n \r\0\u2028".split("");
const odd = fc.constantFrom(...indicators, "${", "<<: ", "- ", "\n---\n", "null");
const piece = fc.oneof(odd, fc.string({ unit: "binary", maxLength: 5 }));

/** A text with up to four damages. */
function damaged(text: string): fc.Arbitrary<string> {
  const cut = fc.record({ at: fc.nat(text.length), length: fc.nat(40), piece });
  return fc.array(cut, { minLength: 1, maxLength: 4 }).map((cuts) => {
    return cuts.reduce(
      (before, { at, length, piece: put }) => before.slice(0, at) + put + before.slice(at + length),
      text,
    );
  });
}

function loadsOrIsRefused(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, /^[^\n]+\.yaml:\d+:\d+ {2}\S[^]*\d mistakes?(, of which .*)?$/);
  }
}

test("a damaged file loads or is refused with its place, and never ends the process otherwise", () => {
  const path = join(folder, "edgepoll.yaml");
  fc.assert(
    fc.property(damaged(demo), (text) => {
      writeFileSync(path, text);
      for (const read of [loadConfig, loadEffective, readStateDir]) {
        loadsOrIsRefused(() => read(path, () => undefined, host));
      }
    }),
    { numRuns: runs, includeErrorInReport: true },
  );
});

test("a damaged profile loads or is refused with its place, and never ends the process otherwise", () => {
  const path = join(folder, "site.yaml");
  const device = "{ id: meter, unitId: 1, profile: meter.yaml }";
  writeFileSync(path, `gateways: [{ id: hall, connection: "tcp://box", devices: [${device}] }]\n`);
  fc.assert(
    fc.property(damaged(profile), (text) => {
      writeFileSync(join(folder, "meter.yaml"), text);
      for (const read of [loadConfig, loadEffective]) {
        loadsOrIsRefused(() => read(path, () => undefined, host));
      }
    }),
    { numRuns: runs, includeErrorInReport: true },
  );
});
