/** How a simulated device misbehaves: the format of fault scripts, the same for users and for tests. */

/** Faults of one answer; `ms` are counted from the request. */
export type AnswerFault =
  | {
      readonly kind:
        | "normal"
        /** Takes the request, never answers. */
        | "silent"
        /** Answers when the fault ends; on the newest connection if the request's own is gone. */
        | "hold"
        /** The right answer, and eight bytes more when the fault ends. */
        | "unasked"
        | "wrong-tid"
        | "wrong-protocol"
        | "wrong-unit"
        | "wrong-function"
        /** One register, whatever was asked, in a frame that is right in itself. */
        | "wrong-bytecount"
        /** The first half of the answer, then nothing. */
        | "truncated"
        /** The right answer, one byte a millisecond. */
        | "split"
        /** The right answer with 20 bytes behind it, in one piece. */
        | "extra"
        /** The right answer twice, in one piece. */
        | "duplicate"
        /** The right answer and one to the next transaction id, in one piece. */
        | "glued";
    }
  /** The connection ends: `before` the answer, in its `middle`, or `after` it. */
  | { readonly kind: "close" | "rst"; readonly at: "before" | "middle" | "after" }
  | { readonly kind: "delay"; readonly ms: number }
  /** As `delay`; if the connection is gone by then, the answer goes out on the newest one. */
  | { readonly kind: "late"; readonly ms: number }
  | { readonly kind: "exception"; readonly code: number }
  /** Any number in the length field of the header, 0 to 65535. */
  | { readonly kind: "wrong-length"; readonly length: number }
  /** These bytes instead of an answer; by default a frame with everything wrong. */
  | { readonly kind: "garbage"; readonly hex?: string };

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

/** One way to misbehave. */
export type Fault = AnswerFault | PortFault;

/** A fault and how long it lasts: so many requests, or until the script is replaced. */
export type FaultStep = Fault & { readonly requests?: number };

/** What happens one after the other; after the last step the device is normal again. */
export interface FaultScript {
  /** The unit it holds for; without it for every unit that has no script of its own. */
  readonly unit?: number;
  readonly steps: readonly FaultStep[];
}
