/**
 * Finds what a device tells by SunSpec: the place of its marker, then model behind model, each with its
 * id and length (SunSpec Device Information Model Specification; base addresses as pysunspec2 tries them).
 */
import { decoderOf, type Decoded } from "./decode.ts";
import type { Point } from "./model.ts";
import { sunSpecModel, type Model } from "./sunspec-models.ts";
import { SunSpecRegisters, type SunSpecRead } from "./sunspec-registers.ts";
import { reachOf } from "./types.ts";

/** Where a map may begin, the usual place first. */
export const SUNSPEC_BASES = [40_000, 0, 50_000] as const;

/** "SunS". */
const MARKER = [0x5375, 0x6e53] as const;
const END = 0xffff;
/** No device has nearly as many. */
const MOST_MODELS = 100;

/** A model that a device has. */
export interface FoundModel {
  readonly id: number;
  /** Of the register with its id. */
  readonly address: number;
  /** Registers behind id and length, as the device says. */
  readonly length: number;
  /** Undefined when edgepoll does not read such. */
  readonly model: Model | undefined;
  readonly values: readonly FoundValue[];
}

/** A value of a model. */
export interface FoundValue {
  /** Its name in the model. */
  readonly name: string;
  readonly point: Point;
  /** Its own registers and those up to its scale factor, undefined when the device did not give them. */
  readonly words: Uint16Array | undefined;
  /** The power of ten that its scale register holds. */
  readonly factor?: number;
  /** The value; the reason is `invalid` or `not_a_number` when the device says that it has none. */
  readonly decoded: Decoded | undefined;
}

/** All that was found. */
export interface SunSpecWalk {
  readonly base: number;
  readonly models: readonly FoundModel[];
  /** What is odd about the map, in words. */
  readonly notes: readonly string[];
  /** Registers that the device takes in one request, 125 unless it refused so many. */
  readonly maxRegisters: number;
}

/**
 * Walks through a device; undefined when there is no marker, `silent` when it gave no answer at all. The
 * values of all models are read, or of those of one kind.
 */
export async function walkSunSpec(
  read: SunSpecRead,
  kind?: Model["kind"],
): Promise<SunSpecWalk | "silent" | undefined> {
  const registers = new SunSpecRegisters(read);
  const answers: string[] = [];
  for (const base of SUNSPEC_BASES) {
    answers.push(await registers.ask(base, MARKER.length));
    const words = registers.at(base, base + MARKER.length);
    if (words?.[0] !== MARKER[0] || words[1] !== MARKER[1]) continue;
    const { heads, notes } = await chainFrom(base + MARKER.length, registers);
    const models: FoundModel[] = [];
    for (const head of heads) {
      const model = sunSpecModel(head.id);
      const isRead = model !== undefined && (kind === undefined || model.kind === kind);
      const values = isRead ? await valuesOf(head, model, registers, notes) : [];
      models.push({ ...head, model, values });
    }
    return { base, models: named(models), notes, maxRegisters: registers.limit };
  }
  return answers.every((answer) => answer === "silent") ? "silent" : undefined;
}

type Head = Pick<FoundModel, "id" | "address" | "length">;

async function chainFrom(start: number, registers: SunSpecRegisters) {
  const heads: Head[] = [];
  const notes: string[] = [];
  for (let address = start; ; ) {
    const head = await headAt(address, registers);
    if (typeof head === "string") notes.push(`${head}${behind(heads)}`);
    if (typeof head === "string" || head.id === END) return { heads, notes };
    heads.push(head);
    address += 2 + head.length;
    if (heads.length < MOST_MODELS) continue;
    notes.push(`more than ${String(MOST_MODELS)} models: the rest is not looked at`);
    return { heads, notes };
  }
}

/** A model's id and length, or what is wrong in its place. */
async function headAt(address: number, registers: SunSpecRegisters): Promise<Head | string> {
  const place = String(address);
  if (address > 0xffff) return "no end marker up to the last address";
  // Some have no length behind the end marker.
  let answer = address === 0xffff ? "refused" : await registers.ask(address, 2);
  if (answer === "refused") answer = await registers.ask(address, 1);
  const [id] = registers.at(address, address + 1) ?? [];
  if (id === undefined)
    return `no end marker: ${place} is ${answer === "silent" ? "not answered" : "refused"}`;
  if (id === END) return { id, address, length: 0 };
  if (id === 0) return `no end marker: ${place} holds 0, which is no model`;
  const [length] = registers.at(address + 1, address + 2) ?? [];
  if (length === undefined) return `model ${String(id)} at ${place} has no length`;
  if (address + 2 + length <= 0x1_0000) return { id, address, length };
  return `model ${String(id)} at ${place} claims ${String(length)} registers, beyond the last address`;
}

function behind(heads: readonly Head[]): string {
  const last = heads.at(-1);
  return last === undefined ? "" : `, behind model ${String(last.id)}`;
}

async function valuesOf(
  { id, address, length }: Head,
  model: Model,
  registers: SunSpecRegisters,
  notes: string[],
): Promise<FoundValue[]> {
  const end = address + 2 + Math.min(length, model.length);
  const where = `model ${String(id)} at ${String(address)}`;
  if (!(await registers.load(address, end))) notes.push(`${where} can't be read whole`);
  // The last register of the common model is padding, which may be left out.
  if (length < model.length - (model.kind === "common" ? 1 : 0)) {
    notes.push(`${where} has ${String(length)} registers in place of ${String(model.length)}`);
  }
  return model.values
    .map(({ name, point }) => valueAt(name, placed(point, address), registers))
    .filter(({ point }) => point.address + reachOf(point).to <= end);
}

function placed(point: Point, base: number): Point {
  const { address, scaleRegister } = point;
  const scaled = scaleRegister === undefined ? {} : { scaleRegister: base + scaleRegister };
  return { ...point, address: base + address, ...scaled };
}

function valueAt(name: string, point: Point, registers: SunSpecRegisters): FoundValue {
  const { address, scaleRegister } = point;
  const words = registers.at(address, address + reachOf(point).to);
  if (words === undefined) return { name, point, words, decoded: undefined };
  const decoded = told(decoderOf(point)(words, 0));
  if (scaleRegister === undefined) return { name, point, words, decoded };
  const factor = ((words[scaleRegister - address] ?? 0) << 16) >> 16;
  return { name, point, words, factor, decoded };
}

/** An empty text says that there is none. */
function told(decoded: Decoded): Decoded {
  return "value" in decoded && decoded.value === "" ? { reason: "invalid" } : decoded;
}

/** Values of all models but the first that measures have ids that begin with what the model is, and its number. */
function named(models: readonly FoundModel[]): FoundModel[] {
  const counts = new Map<string, number>();
  let isFirst = true;
  return models.map((found) => {
    const kind = found.model?.kind;
    if (kind === undefined || kind === "common") return found;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const prefix = isFirst ? "" : `${kind}-${count === 1 ? "" : `${String(count)}-`}`;
    isFirst = false;
    const values = found.values.map((value) => {
      return { ...value, point: { ...value.point, id: prefix + value.point.id } };
    });
    return { ...found, values };
  });
}
