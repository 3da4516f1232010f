/** What goes out for a request, faults included. */

/** Bytes, and the ms after the request at which they go out; null: when the fault ends. */
export interface Piece {
  readonly after: number | null;
  readonly bytes: Buffer;
}

/** An answer in pieces, and what becomes of its connection. */
export interface Outgoing {
  readonly pieces: readonly Piece[];
  /** How the connection ends behind the pieces. */
  readonly ending?: "end" | "reset";
  /** Whether pieces go out on the newest connection when the request's own is gone. */
  readonly wanders?: boolean;
}

/** Pieces that go out at once. */
export function atOnce(...parts: readonly Buffer[]): Outgoing {
  return { pieces: [{ after: 0, bytes: Buffer.concat(parts) }] };
}

/** One piece that goes out later. */
export function later(after: number | null, bytes: Buffer): Outgoing {
  return { pieces: [{ after, bytes }] };
}

/** The bytes one by one, a millisecond apart. */
export function oneByOne(bytes: Buffer): Outgoing {
  const pieces = Array.from(bytes, (byte, after) => ({ after, bytes: Buffer.of(byte) }));
  return { pieces };
}

/** A frame with everything wrong. */
export const GARBAGE = "deadbeefffff01030200";
