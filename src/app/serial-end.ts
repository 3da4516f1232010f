/** The end of a serial line that answers. */
import { messageOf, UnavailableError } from "../core/errors.ts";
import type { SerialConnection } from "../core/model.ts";
import { dialSerial } from "../modbus/serial-wire.ts";

/** An open line. */
export interface SerialEnd {
  send(bytes: Buffer): void;
  /** Rejects with `UnavailableError` when the line goes away; never settles otherwise. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/** Opens a line; `received` is told what comes. Throws `UnavailableError`. */
export async function openSerialEnd(
  connection: SerialConnection,
  received: (bytes: Uint8Array) => void,
): Promise<SerialEnd> {
  let lose: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => (lose = reject));
  // Whoever waits for it hears of it; until then it is no unhandled one.
  lost.catch(() => undefined);
  let isOpen = false;
  const fail = (error: unknown): void => {
    // What the driver says of a line that went away, such as "bad file descriptor", tells nothing.
    const text = isOpen
      ? `${connection.path} went away while the simulator answered on it: the adapter was unplugged, or whoever made the pseudo terminal has ended.`
      : `The simulator can't use the line: ${messageOf(error)}`;
    lose(new UnavailableError("ADDRESS_UNAVAILABLE", text, error));
  };
  let wire: ReturnType<ReturnType<typeof dialSerial>> | undefined;
  const opened = new Promise<void>((resolve) => {
    wire = dialSerial(connection)(
      {
        opened: () => {
          isOpen = true;
          resolve();
        },
        received: (bytes) => {
          received(bytes);
          return true;
        },
        lost: fail,
        ended: () => {
          fail(new Error("it was closed"));
        },
      },
      0,
    );
  });
  await Promise.race([opened, lost]);
  // What came before is for nobody.
  await wire?.clear();
  return {
    lost,
    send: (bytes) => {
      wire?.send(bytes);
    },
    close: async () => {
      wire?.drop();
      await wire?.closed;
    },
  };
}
