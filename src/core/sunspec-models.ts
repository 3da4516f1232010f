/** The information models of SunSpec that are read, and their values as points. */
import type { Point } from "./model.ts";
import { FLOAT_INVERTER, INVERTER } from "./sunspec-inverter.ts";
import { METER } from "./sunspec-meter.ts";

/** Of the common model. Source: github.com/sunspec/models, json/model_1.json; a text has its length for a unit. */
const COMMON = `
   2  Mn   manufacturer  string  16
  18  Md   model         string  16
  34  Opt  options       string   8
  42  Vr   version       string   8
  50  SN   serial        string  16
`;

/** A value of a model: a point whose address and scale register count from the id of the model. */
export interface ModelValue {
  /** Its name in the model, such as `PhVphA`. */
  readonly name: string;
  readonly point: Point;
}

/** A model that is read. */
export interface Model {
  readonly kind: "common" | "inverter" | "meter";
  readonly title: string;
  /** Registers behind id and length. */
  readonly length: number;
  readonly values: readonly ModelValue[];
}

/** Raw values of a type by which a device says that it has none (SunSpec Device Information Model Specification). */
const KINDS: Readonly<Record<string, Pick<Point, "type" | "invalid">>> = {
  int16: { type: "int16", invalid: [-0x8000] },
  uint16: { type: "uint16", invalid: [0xffff] },
  enum16: { type: "uint16", invalid: [0xffff] },
  bitfield32: { type: "uint32", invalid: [0xffff_ffff] },
  acc32: { type: "uint32", invalid: [0] },
  // NaN is none in any case.
  float32: { type: "float32" },
  string: { type: "string" },
};

const STATES = {
  ...{ "1": "off", "2": "sleeping", "3": "starting", "4": "mppt", "5": "throttled" },
  ...{ "6": "shutting-down", "7": "fault", "8": "standby" },
};

/** Energies are in kWh, as in the profiles. */
const KILO = 0.001;

function valuesOf(table: string): ModelValue[] {
  return table.trim().split("\n").map(valueOf);
}

function valueOf(line: string): ModelValue {
  const [offset, name = "", id = "", type = "", unit = "-", factor] = line.trim().split(/\s+/);
  const kind = KINDS[type] ?? { type: "raw" };
  const place = { id, table: "holding", address: Number(offset), order: "ABCD" } as const;
  const isEnergy = /^(W|VA|var)h$/.test(unit);
  const point: Point = {
    ...{ ...place, ...kind, interval: 1000 },
    ...(type === "string" ? { length: Number(unit) } : unit === "-" ? {} : { unit }),
    ...(isEnergy ? { unit: `k${unit}`, scale: KILO } : {}),
    ...(factor === undefined ? {} : { scaleRegister: Number(factor) }),
    ...(id === "state" ? { enum: STATES } : {}),
  };
  return { name, point };
}

function series(
  first: number,
  titles: readonly string[],
  model: Omit<Model, "title">,
): (readonly [number, Model])[] {
  return titles.map((title, n) => [first + n, { ...model, title }]);
}

const INVERTERS = ["single phase", "split phase", "three phases"].map(
  (text) => `inverter, ${text}`,
);
const METERS = ["split phase", "three phases, wye", "three phases, delta"].map(
  (text) => `meter, ${text}`,
);
/** What the model of one phase calls differently. */
const SINGLE_METER = METER.replace(/\bPhVph(AB|BC|CA)\b/g, "PPVph$1");

const MODELS = new Map<number, Model>([
  ...series(1, ["common"], { kind: "common", length: 66, values: valuesOf(COMMON) }),
  ...series(101, INVERTERS, { kind: "inverter", length: 50, values: valuesOf(INVERTER) }),
  ...series(
    111,
    INVERTERS.map((title) => `${title}, float`),
    { kind: "inverter", length: 60, values: valuesOf(FLOAT_INVERTER) },
  ),
  ...series(201, ["meter, single phase"], {
    ...{ kind: "meter", length: 105, values: valuesOf(SINGLE_METER) },
  }),
  ...series(202, METERS, { kind: "meter", length: 105, values: valuesOf(METER) }),
]);

/** The model with an id, undefined for one that is not read. */
export function sunSpecModel(id: number): Model | undefined {
  return MODELS.get(id);
}
