/** What carries the bytes of a connection: a socket, or a serial line. */

/** What a wire tells its connection. */
export interface WireEvents {
  /** Bytes can be sent. */
  opened(): void;
  /** Bytes came; the buffer is used again. Tells whether more are wanted. */
  received(bytes: Uint8Array): boolean;
  /** It could not be opened, or broke. */
  lost(error: Error): void;
  /** The other side has ended it. */
  ended(): void;
}

/** An open wire, or one being opened; never used again when it is gone. */
export interface Wire {
  /** What it means for a request in flight that it is lost. */
  readonly gone: string;
  /** Settles when it is gone for good. */
  readonly closed: Promise<void>;
  /** Sends bytes; a failure is told as `lost`. */
  send(frame: Buffer): void;
  /** Hands over, or throws away, what has come so far and the process did not get to. */
  clear(): Promise<void>;
  /** Closes it in good order; one that does not come to its end is dropped later. */
  release(): void;
  /** Lets it go, in whatever state it is. */
  drop(): void;
}

/** Begins to open a wire, which may take `timeout` ms; the caller counts them. */
export type Dial = (events: WireEvents, timeout: number) => Wire;

/** An error in words; one that stands for several (one an address) has no message of its own. */
export function textOf(error: NodeJS.ErrnoException): string {
  return error.message || (error.code ?? error.name);
}
