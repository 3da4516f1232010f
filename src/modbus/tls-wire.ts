/** A TLS connection as a wire (Modbus/TCP Security). */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";
import type { TlsFiles } from "../core/model.ts";
import { socketOptions, socketWire, type Target } from "./tcp-wire.ts";
import { fileError, hungUp, tlsError } from "./tls-error.ts";
import type { Dial, Wire, WireEvents } from "./wire.ts";

type Certificates = Pick<ConnectionOptions, "ca" | "cert" | "key">;

/** Connects to a host and port, and trusts nobody whose certificate can't be verified. */
export function dialTls(target: Target, files: TlsFiles): Dial {
  return (events, timeout) => new TlsWire(target, files, events, timeout);
}

/** Reads the certificates, then connects. */
class TlsWire implements Wire {
  readonly gone = "connection closed by the device before it answered";
  readonly closed: Promise<void>;
  readonly #events: WireEvents;
  #socket: Wire | undefined;
  #dropped = false;

  constructor(target: Target, files: TlsFiles, events: WireEvents, timeout: number) {
    this.#events = events;
    this.closed = readAll(files).then(
      (certificates) => this.#connect(target, certificates, timeout),
      (error: unknown) => {
        events.lost(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  send(frame: Buffer): void {
    this.#socket?.send(frame);
  }

  async clear(): Promise<void> {
    await this.#socket?.clear();
  }

  release(): void {
    this.#socket?.release();
  }

  drop(): void {
    this.#dropped = true;
    this.#socket?.drop();
  }

  #connect(target: Target, certificates: Certificates, timeout: number): Promise<void> | undefined {
    if (this.#dropped) return undefined;
    let isSecure = false;
    const events = {
      ...this.#events,
      lost: (error: Error) => {
        this.#events.lost(tlsError(error));
      },
      ended: () => {
        if (isSecure) this.#events.ended();
        else this.#events.lost(hungUp());
      },
    };
    try {
      const socket = connect({
        ...socketOptions(target, events, timeout),
        ...certificates,
        ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
      });
      socket.once("secureConnect", () => {
        isSecure = true;
        events.opened();
      });
      // A socket under TLS can't be reset; what a device answers later meets a closed connection.
      this.#socket = socketWire(socket, events, () => {
        socket.destroy();
      });
      return this.#socket.closed;
    } catch (error) {
      // Certificate and key don't fit, or are none.
      this.#events.lost(fileError(error));
      return undefined;
    }
  }
}

/** Throws with the key of the file that can't be read. */
async function readAll(files: TlsFiles): Promise<Certificates> {
  const { ca, cert, key } = files;
  const read = async (name: string, path: string | undefined) => {
    if (path === undefined) return {};
    try {
      return { [name]: await readFile(path) };
    } catch (error) {
      throw new Error(`tls.${name} can't be read: ${String(error)}`, { cause: error });
    }
  };
  return { ...(await read("ca", ca)), ...(await read("cert", cert)), ...(await read("key", key)) };
}
