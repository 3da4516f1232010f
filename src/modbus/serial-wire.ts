/** A serial line as a wire. */
import { messageOf } from "../core/errors.ts";
import type { SerialConnection } from "../core/model.ts";
import { openError } from "./serial-error.ts";
import type { Dial, Wire, WireEvents } from "./wire.ts";

/** More than any answer with its echo takes. */
const READ_BUFFER = 512;

/** What is used of an open port of `serialport`. */
interface OpenPort {
  read(buffer: Buffer, offset: number, length: number): Promise<{ readonly bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Where a line is and how it is spoken. */
export type SerialSettings = Pick<SerialConnection, "path" | "baud" | "parity" | "stopBits">;

/** Opens a line under its name as it is at that moment: an adapter may come back as another device. */
export function dialSerial(settings: SerialSettings): Dial {
  return (events) => new SerialWire(settings, events);
}

/** Nothing of it outlives it; an open that does not return keeps it from being closed. */
class SerialWire implements Wire {
  readonly gone = "the serial line went away before the device answered";
  readonly closed: Promise<void>;
  readonly #events: WireEvents;
  readonly #dropped: Promise<void>;
  #drop: () => void = () => undefined;
  #isDropped = false;
  #port: OpenPort | undefined;

  constructor(settings: SerialSettings, events: WireEvents) {
    this.#events = events;
    this.#dropped = new Promise((resolve) => (this.#drop = resolve));
    this.closed = this.#live(settings);
  }

  send(frame: Buffer): void {
    this.#port?.write(frame).catch(this.#broke);
  }

  async clear(): Promise<void> {
    await this.#port?.flush().catch(this.#broke);
  }

  release(): void {
    this.drop();
  }

  drop(): void {
    this.#isDropped = true;
    this.#drop();
  }

  async #live(settings: SerialSettings): Promise<void> {
    let port: OpenPort;
    try {
      port = await openPort(settings);
    } catch (error) {
      this.#events.lost(await openError(settings.path, error));
      return;
    }
    this.#port = port;
    if (!this.#isDropped) {
      void this.#readAll(port);
      this.#events.opened();
    }
    await this.#dropped;
    this.#port = undefined;
    // What it says of an adapter that was unplugged changes nothing.
    await port.close().catch(() => undefined);
  }

  async #readAll(port: OpenPort): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BUFFER);
    try {
      let isWanted = true;
      while (isWanted) {
        const { bytesRead } = await port.read(buffer, 0, buffer.length);
        isWanted = this.#events.received(buffer.subarray(0, bytesRead));
      }
    } catch (error) {
      this.#broke(error);
    }
  }

  readonly #broke = (error: unknown): void => {
    if (!this.#isDropped) this.#events.lost(new Error(messageOf(error), { cause: error }));
  };
}

/** The package is loaded with the first line, so that a node without lines does not carry it. */
async function openPort({ path, baud, parity, stopBits }: SerialSettings): Promise<OpenPort> {
  const { SerialPort } = await import("serialport");
  const settings = { path, baudRate: baud, parity, stopBits, dataBits: 8, lock: true } as const;
  return SerialPort.binding.open(settings);
}
