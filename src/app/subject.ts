/** What the simulator serves: a model, a profile, or register images. */
import { basename } from "node:path";
import { loadProfile } from "../config/profile-points.ts";
import { readImage } from "../config/register-image.ts";
import { UsageError } from "../core/errors.ts";
import type { Point, Table } from "../core/model.ts";
import type { Device } from "../simulator/device.ts";
import { imageDevice, type RegisterImage } from "../simulator/image-device.ts";
import { modelDevice } from "../simulator/models.ts";
import { profileDevice } from "../simulator/profile-device.ts";

/** Where a subject comes from. */
export type Source =
  | { readonly kind: "model"; readonly name: string }
  | { readonly kind: "profile"; readonly name: string }
  | { readonly kind: "images"; readonly files: readonly string[] };

/** A value to try first. */
export type First = Pick<Point, "table" | "address" | "type" | "order">;

/** A kind of device. */
export interface Subject {
  readonly name: string;
  /** A device of this kind; those of different seeds show different values. */
  readonly deviceOf: (seed: string) => Device;
  /** What there is to read. */
  readonly rows: readonly (readonly string[])[];
  readonly first: First;
}

/** What an energy meter holds; addresses are 0-based. */
const ENERGY_METER = [
  ["input", "0", "float32 ABCD", "voltage V"],
  ["input", "6", "float32 ABCD", "current A"],
  ["input", "12", "float32 ABCD", "power W"],
  ["input", "70", "float32 ABCD", "frequency Hz"],
  ["input", "72", "float32 ABCD", "imported energy kWh"],
  ["holding", "0", "uint16", "status"],
  ["holding", "1", "uint16", "demand period, minutes"],
  ["discrete", "0", "bool", "alarm"],
  ["coil", "0", "bool", "relay"],
];
const VOLTAGE: First = { table: "input", address: 0, type: "float32", order: "ABCD" };
/** Words of a run that are shown. */
const MOST_SHOWN = 8;

/** Finds a subject. Throws `UsageError`, `ConfigError`, `FileError`, `UnavailableError`. */
export function subjectOf(source: Source): Subject {
  if (source.kind === "images") return imagesOf(source.files);
  if (source.kind === "profile") return profileOf(source.name);
  const { name } = source;
  return {
    name,
    deviceOf: (seed) => modelDevice(name, seed),
    rows: ENERGY_METER,
    first: VOLTAGE,
  };
}

function profileOf(name: string): Subject {
  const loaded = loadProfile(name);
  if ("fault" in loaded) throw new UsageError("USAGE", `--profile ${loaded.fault}`);
  const { points } = loaded;
  return {
    name,
    deviceOf: (seed) => profileDevice({ name, ...loaded }, seed),
    rows: points.map(({ table, address, type, order, id, unit = "" }) => {
      const written = order === "ABCD" ? type : `${type} ${order}`;
      return [table, String(address), written, `${id} ${unit}`.trimEnd()];
    }),
    first: points[0] ?? VOLTAGE,
  };
}

function imagesOf(files: readonly string[]): Subject {
  const images = files.map((file) => ({ file, ...readImage(file) }));
  refuseTwice(images);
  const name = basename(files[0] ?? "").replace(/\.\w+$/, "");
  const runs = images.flatMap(({ table, entries }) => runsOf(table, entries));
  const { table = "holding", address = 0 } = runs[0] ?? {};
  const isBit = table === "coil" || table === "discrete";
  return {
    name,
    deviceOf: () => imageDevice(name, images),
    rows: runs.map((run) => [run.table, String(run.address), wordsText(run)]),
    first: { table, address, type: isBit ? "bool" : "uint16", order: "ABCD" },
  };
}

/** Refuses images of which two claim one address. Throws `UsageError`. */
function refuseTwice(images: readonly (RegisterImage & { readonly file: string })[]): void {
  const claimed = new Map<string, string>();
  for (const { file, table, entries } of images) {
    for (const address of entries.keys()) {
      const place = `${table} ${String(address)}`;
      const other = claimed.get(place);
      if (other !== undefined) {
        const text = `${file} and ${other} both claim ${place}; no address may be claimed twice`;
        throw new UsageError("USAGE", `--image ${text}`);
      }
      claimed.set(place, file);
    }
  }
}

interface Run {
  readonly table: Table;
  readonly address: number;
  readonly words: number[];
}

/** The registers that lie next to each other. */
function runsOf(table: Table, entries: RegisterImage["entries"]): Run[] {
  const runs: Run[] = [];
  for (const [address, word] of [...entries].sort(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last.address + last.words.length === address) last.words.push(word);
    else runs.push({ table, address, words: [word] });
  }
  return runs;
}

function wordsText({ table, words }: Run): string {
  const isBits = table === "coil" || table === "discrete";
  const shown = words.slice(0, MOST_SHOWN).map((word) => {
    return isBits ? String(word) : word.toString(16).padStart(4, "0");
  });
  const rest = words.length - shown.length;
  return rest > 0 ? `${shown.join(" ")} and ${String(rest)} more` : shown.join(" ");
}
