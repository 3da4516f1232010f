/** How a simulated device misbehaves: the format of fault scripts, the same for users and for tests. */
import type { Table } from "./model.ts";

/** Faults of one answer on any transport; `ms` are counted from the request. */
type AnyAnswerFault =
  | {
      readonly kind:
        | "normal"
        /** Takes the request, never answers. */
        | "silent"
        /** Answers when the fault ends; on the newest connection if the request's own is gone. */
        | "hold"
        | "wrong-unit"
        | "wrong-function"
        /** One register, whatever was asked, in a frame that is right in itself. */
        | "wrong-bytecount"
        /** The first half of the answer, then nothing. */
        | "truncated"
        /** The right answer, one byte a millisecond. */
        | "split"
        /** The right answer twice, in one piece. */
        | "duplicate";
    }
  /** The right answer after `ms`, and up to `jitter` ms more. */
  | { readonly kind: "delay"; readonly ms: number; readonly jitter?: number }
  | { readonly kind: "exception"; readonly code: number }
  /** These bytes instead of an answer; by default a frame with everything wrong. */
  | { readonly kind: "garbage"; readonly hex?: string };

/** Faults of one answer over TCP. */
export type AnswerFault =
  | AnyAnswerFault
  | {
      readonly kind: /** The right answer, and eight bytes more when the fault ends. */
        | "unasked"
        | "wrong-tid"
        | "wrong-protocol"
        /** The right answer with 20 bytes behind it, in one piece. */
        | "extra"
        /** The right answer and one to the next transaction id, in one piece. */
        | "glued";
    }
  /** The connection ends: `before` the answer, in its `middle`, or `after` it. */
  | { readonly kind: "close" | "rst"; readonly at: "before" | "middle" | "after" }
  /** As `delay`; if the connection is gone by then, the answer goes out on the newest one. */
  | { readonly kind: "late"; readonly ms: number }
  /** Any number in the length field of the header, 0 to 65535. */
  | { readonly kind: "wrong-length"; readonly length: number };

/** Faults of a whole port, whatever the unit. */
export type PortFault =
  /** Drops its connections and listens no more. */
  | { readonly kind: "refuse" }
  /** Reads nothing; when the fault ends it takes up all that has come. */
  | { readonly kind: "stall" }
  /** Turns everybody away while one connection is open. */
  | { readonly kind: "one-connection" }
  /** Closes a connection on which nothing came for `ms`. */
  | { readonly kind: "close-idle"; readonly ms: number };

/** One way to misbehave over TCP. */
export type Fault = AnswerFault | PortFault;

/** One way to misbehave on a serial line, or with RTU frames over TCP. */
export type LineFault =
  | AnyAnswerFault
  | {
      readonly kind:
        | "bad-crc"
        /** The request comes back in front of the answer, as from a two-wire adapter. */
        | "echo"
        /** Another master asks another unit, which answers, before the answer comes. */
        | "master";
    }
  /** These bytes beside the answer; by default 00 ff. */
  | {
      readonly kind: "noise-before" | "noise-inside" | "noise-after";
      readonly hex?: string;
    }
  /** The same `ms` after the answer; by default 5. */
  | { readonly kind: "noise-later"; readonly ms?: number; readonly hex?: string }
  /** The request comes back, and `ms` later the answer; by default 5. */
  | { readonly kind: "echo-first"; readonly ms?: number };

/** A fault and how long it lasts: so many requests, so many ms, or until the script is replaced. */
export type FaultStep<F = Fault> = F & { readonly requests?: number; readonly for?: number };

/** Registers or bits next to each other. */
export interface Registers {
  readonly table: Table;
  /** 0-based. */
  readonly address: number;
  /** 1 unless given. */
  readonly count?: number;
}

/**
 * What happens one after the other; after the last step the device is normal again.
 *
 * Of several scripts that fit a request one for registers goes before one for a unit, and that
 * before one for all. Faults of a whole port stand in the script for all.
 */
export interface FaultScript<F = Fault> {
  /** The unit it holds for; without it for every unit that has no script of its own. */
  readonly unit?: number;
  /** It holds for requests that touch these only. */
  readonly registers?: Registers;
  /** Whether it begins again after the last step. */
  readonly repeat?: boolean;
  readonly steps: readonly FaultStep<F>[];
}
