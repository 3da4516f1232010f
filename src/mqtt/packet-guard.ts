/** Holds what a client sends to bounds, before anything of a packet is kept in memory. */
import type { Duplex } from "node:stream";

/** Bytes of the first packet, the CONNECT: nobody has logged in before it is complete. */
const LARGEST_LOGIN = 64 * 1024;
/** Bytes of any other packet. */
const LARGEST_PACKET = 256 * 1024;
/** Bytes that a remaining length has at most (MQTT 3.1.1, 2.2.3). */
const LENGTH_BYTES = 4;

/**
 * Destroys the socket, with an error that says why, when a packet announces more than 256 KiB, or the
 * first one more than 64 KiB. To be called when the socket has its reader: it looks at each chunk as the
 * reader takes it, at fixed headers only.
 */
export function guardPackets(socket: Duplex): void {
  const sizes = new PacketSizes();
  socket.on("data", (chunk: Buffer) => {
    const tooMuch = sizes.exceeded(chunk);
    if (tooMuch !== undefined) socket.destroy(new Error(tooMuch));
  });
}

/** Follows the packets of a stream by their fixed headers. */
class PacketSizes {
  #most = LARGEST_LOGIN;
  /** Bytes of the present packet's body that are still to come. */
  #left = 0;
  /** Bytes of the present fixed header seen so far; 0 between packets. */
  #header = 0;
  #length = 0;

  /** Takes the next bytes; says what is too much, if anything is. */
  exceeded(chunk: Buffer): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const problem = this.#readHeader(chunk[at++] ?? 0);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #readHeader(byte: number): string | undefined {
    if (this.#header++ === 0) return undefined;
    this.#length += (byte & 0x7f) * 128 ** (this.#header - 2);
    const goesOn = (byte & 0x80) !== 0;
    if (goesOn && this.#header <= LENGTH_BYTES) return undefined;
    if (goesOn || this.#header + this.#length > this.#most) return this.#problem();
    this.#left = this.#length;
    this.#header = this.#length = 0;
    this.#most = LARGEST_PACKET;
    return undefined;
  }

  #problem(): string {
    const most = String(this.#most);
    return `a packet announces ${String(this.#length)} bytes or more, ${most} are taken`;
  }
}
