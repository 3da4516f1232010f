/** One direction of one connection through the fault proxy. */
import type { Socket } from "node:net";
import { setTimeout as pass } from "node:timers/promises";

/** What is done to the bytes of one direction; several hold together. */
export interface Damage {
  /** ms until a piece goes on; pieces overlap, as on a long line. */
  readonly latency?: number;
  /** Bytes a second. */
  readonly bandwidth?: number;
  /** Bytes go on in pieces of this size, each a packet of its own. */
  readonly slice?: number;
  /** Loss as TCP shows it: a piece and all behind it stand still for `stall` ms; `random` as Math.random. */
  readonly loss?: { readonly share: number; readonly stall: number; readonly random: () => number };
  /** Nothing goes on and nobody is told, not even of the end: the other side is half-open. */
  readonly drop?: boolean;
  /** All goes on only under the next damage. */
  readonly hold?: boolean;
  /** Every piece goes on twice. */
  readonly duplicate?: boolean;
  /** Of two pieces the second goes on first. */
  readonly swap?: boolean;
  /** After so many bytes of this direction of a connection the receiver sees it end, and so does the sender. */
  readonly cut?: { readonly after: number; readonly how: "fin" | "rst" };
}

/** Told of everything that comes in, goes out or ends. */
export type Watch = (event: "in" | "out" | "fin" | "rst", bytes: Buffer) => void;

const NOTHING = Buffer.alloc(0);

/** Hands on what comes, in order, with the damage that holds when it comes. */
export class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #watch: Watch;
  #damage: Damage;
  /** What is on its way, in order. */
  #way: Promise<unknown> = Promise.resolve();
  #released: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;
  /** The first of two pieces to swap. */
  #first: Buffer | undefined;
  #passed = 0;

  constructor(options: { from: Socket; to: Socket; damage: Damage }, watch: Watch) {
    this.#from = options.from;
    this.#to = options.to;
    this.#watch = watch;
    this.#damage = options.damage;
    this.suffer(options.damage);
    this.#from.on("data", (bytes: Buffer) => {
      watch("in", bytes);
      this.#take(bytes);
    });
    this.#from.on("end", () => {
      watch("fin", NOTHING);
      this.#end("fin");
    });
    this.#from.on("error", () => {
      watch("rst", NOTHING);
      this.#end("rst");
    });
  }

  /** Changes the damage; what was held goes on. */
  suffer(damage: Damage): void {
    this.#damage = damage;
    this.#release();
    if (damage.hold !== true) return;
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  #take(bytes: Buffer): void {
    const damage = this.#damage;
    if (damage.drop === true) return;
    if (damage.swap === true && this.#first === undefined) {
      this.#first = bytes;
      return;
    }
    const pieces = [bytes, ...(this.#first === undefined ? [] : [this.#first])];
    this.#first = undefined;
    for (const piece of pieces) {
      this.#send(piece, damage);
      if (damage.duplicate === true) this.#send(piece, damage);
    }
  }

  #send(bytes: Buffer, damage: Damage): void {
    const { latency = 0, bandwidth = Infinity, slice = bytes.length, loss } = damage;
    const released = this.#released;
    const due = performance.now() + latency;
    this.#queue(async () => {
      await released;
      if (loss !== undefined && loss.random() < loss.share) await pass(loss.stall);
      if (due > performance.now()) await pass(due - performance.now());
      for (let at = 0; at < bytes.length; at += slice) {
        const piece = bytes.subarray(at, at + slice);
        if (bandwidth < Infinity) await pass((1000 * piece.length) / bandwidth);
        await this.#write(piece, damage.cut);
        // So that the next piece is a packet of its own.
        if (slice < bytes.length) await pass(1);
      }
    });
  }

  async #write(piece: Buffer, cut: Damage["cut"]): Promise<void> {
    if (!this.#to.writable) return;
    const left = cut === undefined ? piece.length : Math.max(0, cut.after - this.#passed);
    const whole = piece.subarray(0, left);
    this.#passed += whole.length;
    if (whole.length > 0) {
      this.#watch("out", whole);
      await new Promise((resolve) => this.#to.write(whole, resolve));
    }
    if (cut === undefined || this.#passed < cut.after) return;
    for (const side of [this.#to, this.#from]) {
      if (cut.how === "fin") side.end();
      else side.resetAndDestroy();
    }
  }

  #end(how: "fin" | "rst"): void {
    if (this.#damage.drop === true) return;
    const released = this.#released;
    this.#queue(async () => {
      await released;
      if (how === "fin") this.#to.end();
      else this.#to.resetAndDestroy();
    });
  }

  #queue(step: () => Promise<void>): void {
    // Whoever is written to may be gone; its own end is in the log.
    this.#way = this.#way.then(step).catch(() => undefined);
  }
}
