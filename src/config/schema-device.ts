/** Devices and points. */
import { z } from "zod";
import { POINT_TYPES } from "../core/model.ts";
import { parseReference } from "./reference.ts";
import {
  flag,
  id,
  integer,
  interval,
  judged,
  later,
  listOf,
  number,
  oneOf,
  rawNumber,
  refused,
  section,
  text,
} from "./schema-kinds.ts";

const REFERENCE =
  "must be a 5- or 6-digit reference: 0xxxx coil, 1xxxx discrete, 3xxxx input or 4xxxx holding, " +
  "such as 40001 or 400001";

const referenceFault = (written: string) =>
  parseReference(written) === undefined ? REFERENCE : undefined;

const LABELS = "must be a section of whole numbers and their labels";
const RAW_NUMBERS = "must be a list of raw values";

/** Digits as labels have them; one way to write a number, so that none is there twice. */
const DIGITS = /^(0|-?[1-9]\d{0,19})$/;

const writable = section({
  min: number().optional().describe("Smallest value that may be written."),
  max: number().optional().describe("Largest value that may be written."),
  step: number()
    .positive({ error: "must be a number above 0" })
    .optional()
    .describe("Grid of values."),
});

/** When neighbouring points share a request. */
export const merge = section({
  maxGap: integer(0, 2000)
    .optional()
    .describe(
      "Unused registers or bits that may lie between two points of a request; " +
        "default: 8 over a network, 2000 on a serial line.",
    ),
  maxRegisters: integer(1, 125).optional().describe("Registers of one request; default: 125."),
  maxBits: integer(1, 2000).optional().describe("Bits of one request; default: 2000."),
});

/** A named value of a device. */
export const point = section({
  id: id().describe("Name of the point in readings."),
  table: oneOf(["coil", "discrete", "holding", "input"])
    .optional()
    .describe("Modbus table; with address."),
  address: integer(0, 65_535, " (5- and 6-digit notation goes under reference)")
    .optional()
    .describe("0-based protocol address; with table."),
  reference: judged(REFERENCE, referenceFault)
    .optional()
    .describe("Table and 1-based number in one, such as 40001; in place of table and address."),
  type: oneOf(POINT_TYPES).describe("Type of the value."),
  byte: oneOf(["high", "low"])
    .optional()
    .describe("Byte of the register, for int8 and uint8; default: low."),
  length: integer(1, 125).optional().describe("Registers that a string or raw spans."),
  order: oneOf(["ABCD", "DCBA", "BADC", "CDAB"])
    .prefault("ABCD")
    .describe(
      "Order of the bytes; ABCD is the order of the Modbus specification. DCBA and CDAB turn the " +
        "registers round (not those of string and raw), DCBA and BADC swap the bytes of each: " +
        "8 bytes are HGFEDCBA, GHEFCDAB and BADCFEHG.",
    ),
  bit: integer(0, 15)
    .optional()
    .describe("Bit of a register, 0 is the least significant; for a bool in holding or input."),
  scale: number()
    .refine((value) => value !== 0, { error: "must be a number other than 0" })
    .optional()
    .describe("Factor on the raw value; default: 1."),
  scaleRegister: integer(0, 65_535)
    .optional()
    .describe(
      "With address: where in the same table the device holds a power of ten, -10 to 10, by which " +
        "the value is scaled as well, such as a scale factor of SunSpec. It is read in the same request.",
    ),
  offset: number().optional().describe("Added to the scaled value; default: 0."),
  decimals: integer(0, 10)
    .optional()
    .describe("Digits kept after the decimal point; default: all."),
  unit: text(32).optional().describe("Engineering unit, such as kW."),
  min: number().optional().describe("Smallest plausible value; below it is uncertain."),
  max: number().optional().describe("Largest plausible value; above it is uncertain."),
  invalid: z
    .array(rawNumber(), { error: RAW_NUMBERS })
    .min(1, { error: RAW_NUMBERS })
    .optional()
    .describe("Raw values by which the device says that it has none."),
  enum: z
    .record(z.string().regex(DIGITS), text(64), { error: LABELS })
    .refine((labels) => Object.keys(labels).length > 0, {
      error: "has no labels, of which it needs at least one",
    })
    .optional()
    .describe("Labels of raw values; the value is the label, and uncertain when it has none."),
  onChange: later(flag().optional().describe("Whether it is published only when it changed.")),
  maxSilence: later(
    interval().optional().describe("With onChange: published at least this often."),
  ),
  deadband: later(number().optional().describe("With onChange: the smallest change that counts.")),
  interval: interval().optional().describe("Time between two slots; default: that of the device."),
  writable: refused(writable.optional().describe("Limits within which the point may be written.")),
});

/** One Modbus unit behind a gateway. */
export const device = section({
  id: id().describe("Name of the device in topics."),
  unitId: integer(0, 255).describe("Modbus unit identifier."),
  profile: text(4096)
    .optional()
    .describe(
      "Points of a model: the name of a profile that comes with edgepoll, such as edgepoll/energy-meter, or the path of one. " +
        "Points of the device are added, and replace those of the same id.",
    ),
  interval: interval().optional().describe("Time between two slots; default: that of the gateway."),
  retain: flag()
    .prefault(false)
    .describe("Whether readings of the device's shortest interval are retained."),
  merge: merge.optional().describe("When neighbouring points share a request."),
  points: listOf(point).optional().describe("The values that are read, with those of the profile."),
});
