import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "../../src/core/errors.ts";
import { loadConfig, readStateDir } from "../../src/config/load.ts";

const folder = mkdtempSync(join(tmpdir(), "edgepoll-damage-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const host = { hostName: "box", defaultStateDir: () => "/state" };
const demo = readFileSync(new URL("../../config/edgepoll.yaml", import.meta.url), "utf8");
const runs = Number(process.env["RUNS"] ?? 150);

test("a damaged file loads or is refused with its place, and never ends the process otherwise", () => {
  const path = join(folder, "edgepoll.yaml");
  const indicators = "{}[]:-,&*!|>'\"%@`#?~\t\n \r\0\u2028".split("");
  const odd = fc.constantFrom(...indicators, "${", "<<: ", "- ", "\n---\n", "null");
  const piece = fc.oneof(odd, fc.string({ unit: "binary", maxLength: 5 }));
  const cut = fc.record({ at: fc.nat(demo.length), length: fc.nat(40), piece });
  fc.assert(
    fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
      const text = cuts.reduce(
        (damaged, { at, length, piece }) =>
          damaged.slice(0, at) + piece + damaged.slice(at + length),
        demo,
      );
      writeFileSync(path, text);
      for (const read of [loadConfig, readStateDir]) {
        try {
          read(path, () => undefined, host);
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.match(
            error.message,
            /^[^\n]+\.yaml:\d+:\d+ {2}\S[^]*\d mistakes?(, of which .*)?$/,
          );
        }
      }
    }),
    { numRuns: runs, includeErrorInReport: true },
  );
});
