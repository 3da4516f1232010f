/** Configurations written by a test, and what becomes of them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { ConfigError } from "../../src/core/errors.ts";
import type { Point, Site } from "../../src/core/model.ts";
import { loadConfig, type Loaded } from "../../src/config/load.ts";

/** Where the files lie. */
export const folder = mkdtempSync(join(tmpdir(), "edgepoll-config-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** A machine whose name is no id. */
export const host = { hostName: "Box_1.plant.local", defaultStateDir: () => "/default/state" };
/** An environment without variables. */
export const none = () => undefined;
let files = 0;

/** A file of that text. */
export function fileOf(text: string | Uint8Array): string {
  const path = join(folder, `${String(files++)}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** The text as a loaded configuration. */
export function load(text: string, env: Readonly<Record<string, string>> = {}): Loaded {
  return loadConfig(fileOf(text), (name) => env[name], host);
}

/** The error of what must be refused. */
export function refusal(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "it was accepted" });
}

/** A gateway with one device and the given points. */
export function plant(points: string[], { gateway = "", device = "" } = {}): string {
  const list = points.map((point) => `          - ${point}\n`).join("");
  return `gateways:
  - id: boiler-room
    connection: tcp://10.0.0.5
${gateway}    devices:
      - id: plc
        unitId: 2
${device}        points:
${list}`;
}

/** A point. */
export const POWER = "{ id: power, table: holding, address: 0, type: float32 }";

/** The points of the first device. */
export function pointsOf(site: Site): readonly Point[] {
  return site.gateways[0]?.devices[0]?.points ?? [];
}
