/** Simulated units on a serial line; the line itself is passed in. */
import type { FaultScript, LineFault } from "../core/fault.ts";
import type { Clock, Random } from "../core/ports.ts";
import { lineOutgoing } from "./line-faults.ts";
import { rangeOf } from "./pdu.ts";
import { Postbox } from "./postbox.ts";
import { takeRtu, type RtuFrame } from "./rtu-frames.ts";
import { Scripts } from "./script.ts";
import type { Counts } from "./tcp-server.ts";
import type { Units } from "./units.ts";

/** What to simulate, and the way out. */
export interface LineOptions {
  /** Puts bytes on the line. */
  readonly send: (bytes: Buffer) => void;
  /** ms of silence that an answer keeps from its request (Modbus over Serial Line 2.5.1.1). */
  readonly silence: number;
  readonly units: Units;
  readonly clock: Clock;
  /** For what a script leaves to chance. */
  readonly random: Random;
  readonly scripts: readonly FaultScript<LineFault>[];
}

/** ms without a byte after which what came is no longer waited with: longer than an adapter holds bytes back. */
const SILENT = 100;
/** Bytes that may wait for the rest of a request; the longest has 256. */
const MOST_WAITING = 512;

/** The units on a line. */
export class LineSimulator {
  readonly #options: LineOptions;
  readonly #scripts: Scripts<LineFault>;
  readonly #postbox: Postbox;
  #waiting: Buffer = Buffer.alloc(0);
  #cancelSilence: () => void = () => undefined;
  #requests = 0;
  #faults = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#postbox = new Postbox(options.clock);
    this.#scripts = new Scripts(options.scripts, options.clock, () => {
      this.#postbox.release();
    });
  }

  /** Takes what came over the line. */
  received(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#waiting, bytes]);
    this.#take(all.subarray(-MOST_WAITING), false);
  }

  counts(): Counts {
    return { requests: this.#requests, faults: this.#faults };
  }

  /** Sends nothing any more. */
  close(): void {
    this.#cancelSilence();
    this.#scripts.stop();
    this.#postbox.close();
  }

  #take(bytes: Buffer, isSilent: boolean): void {
    this.#cancelSilence();
    const { frames, rest } = takeRtu(bytes, isSilent);
    this.#waiting = rest;
    for (const frame of frames) this.#answer(frame);
    if (rest.length === 0) return;
    this.#cancelSilence = this.#options.clock.timer(SILENT, () => {
      this.#take(this.#waiting, true);
    });
  }

  #answer(request: RtuFrame): void {
    const { units, random, silence, send } = this.#options;
    const { unitId, pdu } = request;
    if (unitId === 0) {
      units.broadcast(pdu);
      return;
    }
    const right = units.answer(unitId, pdu);
    // It is for somebody else on the line.
    if (right === undefined) return;
    this.#requests++;
    const fault = this.#scripts.take({ unitId, range: rangeOf(pdu) });
    if (fault.kind !== "normal") this.#faults++;
    const { pieces } = lineOutgoing(request, right, fault, random);
    this.#postbox.post(pieces, send, Math.ceil(silence));
  }
}
