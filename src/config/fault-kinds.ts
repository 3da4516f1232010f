/** The kinds of fault that a script can have, and the keys of each. */
import type { Fault, LineFault } from "../core/fault.ts";

/** Name of a fault. */
export type FaultKind = (Fault | LineFault)["kind"];

/** Keys that only some kinds have. */
export const STEP_KEYS = ["ms", "jitter", "code", "at", "length", "hex"] as const;

/** One of `STEP_KEYS`. */
export type StepKey = (typeof STEP_KEYS)[number];

/** What there is to know of a kind. */
export interface KindRow {
  readonly needs?: readonly StepKey[];
  readonly takes?: readonly StepKey[];
  /** Where alone it can be shown. */
  readonly on?: "tcp" | "line";
  /** Whether it is about a port, whatever the unit. */
  readonly ofPort?: boolean;
}

/** Every kind by name; `docs/simulate.md` says what each does. */
export const KINDS = {
  normal: {},
  silent: {},
  delay: { needs: ["ms"], takes: ["jitter"] },
  hold: {},
  exception: { needs: ["code"] },
  garbage: { takes: ["hex"] },
  truncated: {},
  split: {},
  duplicate: {},
  "wrong-unit": {},
  "wrong-function": {},
  "wrong-bytecount": {},
  late: { needs: ["ms"], on: "tcp" },
  close: { needs: ["at"], on: "tcp" },
  rst: { needs: ["at"], on: "tcp" },
  unasked: { on: "tcp" },
  extra: { on: "tcp" },
  glued: { on: "tcp" },
  "wrong-tid": { on: "tcp" },
  "wrong-protocol": { on: "tcp" },
  "wrong-length": { needs: ["length"], on: "tcp" },
  refuse: { on: "tcp", ofPort: true },
  stall: { on: "tcp", ofPort: true },
  "one-connection": { on: "tcp", ofPort: true },
  "close-idle": { needs: ["ms"], on: "tcp", ofPort: true },
  "bad-crc": { on: "line" },
  "noise-before": { takes: ["hex"], on: "line" },
  "noise-inside": { takes: ["hex"], on: "line" },
  "noise-after": { takes: ["hex"], on: "line" },
  "noise-later": { takes: ["ms", "hex"], on: "line" },
  echo: { on: "line" },
  "echo-first": { takes: ["ms"], on: "line" },
  master: { on: "line" },
} as const satisfies Readonly<Record<FaultKind, KindRow>>;

/** All names. */
// The keys of `KINDS` are those of its type, and at least one.
export const FAULT_KINDS = Object.keys(KINDS) as [FaultKind, ...FaultKind[]];

/** The row of a kind. */
export function kindOf(kind: FaultKind): KindRow {
  return KINDS[kind];
}
