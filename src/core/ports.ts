/** Every interface the engine needs from the world, on one page. */
import type { Table } from "./model.ts";
import type { BrokerLook } from "./retained-topics.ts";

/** Time as the engine sees it. All values in ms, fractions allowed. */
export interface Clock {
  /** Wall clock, ms since 1970 UTC; may jump. */
  wall(): number;
  /** Time on the boot time line: monotonic time plus every suspend noticed so far; never jumps back. */
  elapsed(): number;
  /** Adds suspends that happened since the last call to `elapsed` and returns their length, 0 if none. */
  noticeSuspend(): number;
  /** Identity of this boot of the machine; elapsed times of different boots can't be compared. */
  readonly bootId: string;
  /** Calls `wake` once after `delay` ms (whole ms, at most 2^31 - 1); the returned function cancels. */
  timer(delay: number, wake: () => void): () => void;
}

/** One Modbus read of a contiguous range. */
export interface ReadRequest {
  readonly unitId: number;
  readonly table: Table;
  /** 0-based. */
  readonly address: number;
  /** Registers (1 to 125), or bits of `coil` and `discrete` (1 to 2000). */
  readonly count: number;
}

/** One Modbus write of a contiguous range, as one request. */
export interface WriteRequest {
  readonly unitId: number;
  readonly table: "coil" | "holding";
  /** 0-based. */
  readonly address: number;
  /** One entry a register (1 to 123), or one entry (0 or 1) a coil (1 to 1968). */
  readonly words: Uint16Array;
  /** By the function for several (15, 16) though it is one; several always are. */
  readonly asSeveral: boolean;
}

/** What came of a request. Times are of `Clock.elapsed`. `sentAt` is null when no byte was sent. */
export type Answer =
  | {
      readonly ok: true;
      /** One entry a register, or one entry (0 or 1) a bit; none of a write. */
      readonly words: Uint16Array;
      readonly sentAt: number;
      readonly endedAt: number;
    }
  | {
      readonly ok: false;
      readonly reason: "timeout" | "connect_failed" | "bad_frame" | "exception";
      /** Exception code of the device (Modbus Application Protocol 7); only with reason `exception`. */
      readonly exception?: number;
      readonly sentAt: number | null;
      readonly endedAt: number;
      /** For the log: what was seen, in words. */
      readonly detail: string;
      /** Set when an answer came after all, too late to be used. */
      readonly late?: true;
    };

/** The connection to one endpoint. One request at a time; the caller sees to that. */
export interface Link {
  /** Connects if need be, sends once, and waits at most `timeout` ms for the connect and again for the answer. Never rejects. */
  read(request: ReadRequest, timeout: number): Promise<Answer>;
  /** The same for a write. One that failed after it was sent may have been carried out all the same. */
  write(request: WriteRequest, timeout: number): Promise<Answer>;
  /** Closes the connection in good order; the next read makes a new one. To be called between requests. */
  release(): void;
  /** Ends a request in flight as `timeout`, frees the socket. Settles within a second. */
  close(): Promise<void>;
}

/** A message to the broker. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** MQTT 5 correlation data of a reply, hex. */
  readonly correlation?: string;
}

/** A message from the broker. */
export interface Incoming {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly responseTopic?: string;
  /** MQTT 5 correlation data, hex. */
  readonly correlation?: string;
}

/** What the connection to the broker is like now. */
export interface BusState {
  readonly connected: boolean;
  /** MQTT protocol version spoken: 5, or 4 for 3.1.1. */
  readonly version: 4 | 5;
  /** Whether an acknowledged message outlives this process (false for the embedded broker). */
  readonly durable: boolean;
  /** Whether the subscription to the commands stands. */
  readonly commands: boolean;
  /** Elapsed time of the last change of `connected`. */
  readonly since: number;
  /** Why it is not connected, in words. */
  readonly reason?: string;
  /** The broker ends our connections again and again, as it does when another client has our client id. */
  readonly contested?: boolean;
}

/** The way to the broker. Nothing is queued inside: a publish while not connected rejects at once. */
export interface Bus {
  readonly state: BusState;
  /** Messages that may be in flight at once. */
  readonly window: number;
  /** Settles at the acknowledgement without error (QoS 1) or when written (QoS 0). Rejects with `PublishError`. */
  publish(message: Message): Promise<void>;
  /** Called on every connect (after the command subscription) and disconnect. */
  onState(listener: (state: BusState) => void): void;
  /** Called for each message on the command topics; the listener must not throw or block. */
  onMessage(listener: (message: Incoming) => void): void;
  /** What the broker retains on topics of these filters; takes some seconds at most. Rejects while not connected. */
  retained(filters: readonly string[]): Promise<BrokerLook>;
  /** Begins to connect; settles at once, never fails because a broker is away. */
  open(): Promise<void>;
  /** Ends the session without the last will; settles within a second. */
  close(): Promise<void>;
}

/** One change to the store; without a value the key is deleted. */
export interface Write {
  readonly key: string;
  readonly value?: string;
}

/** A key and its value as read. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** A range of keys, `from` included, `to` not. */
export interface Range {
  readonly from: string;
  readonly to: string;
  readonly limit?: number;
  /** From the end. */
  readonly reverse?: boolean;
  /** Told of each record that can't be read, which is then left out; without it the first one rejects. */
  readonly damaged?: (key: string, why: string) => void;
}

/** An ordered map of text on disk. Keys are ASCII, ordered by byte. Rejects with `StoreError`. */
export interface Store {
  /** All or nothing; with `sync` the disk has confirmed it when this settles. */
  write(batch: readonly Write[], sync: boolean): Promise<void>;
  get(key: string): Promise<string | undefined>;
  range(range: Range): Promise<Entry[]>;
  /** The records of a range page by page, as they were when the first was asked for, whatever is written meanwhile. */
  scan(range: Pick<Range, "from" | "to">): AsyncGenerator<readonly Entry[]>;
  /** Gives the room of what was deleted from a range back to the disk; takes its time, others may go on meanwhile. */
  compact(range: Pick<Range, "from" | "to">): Promise<void>;
  close(): Promise<void>;
}

/** The log. Fields first, then a sentence. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** A source of numbers in [0, 1). */
export type Random = () => number;
