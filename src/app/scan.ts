/** Finds the units behind an endpoint: one request each, one after the other, with pauses between. */
import { LockedError, UnavailableError } from "../core/errors.ts";
import type { Answer, Clock } from "../core/ports.ts";
import type { FoundUnit, Scan } from "../core/scan.ts";
import type { ConnectingLink } from "../modbus/connecting-link.ts";
import { createClock } from "../system/clock.ts";
import { EndpointUse } from "./endpoint-use.ts";
import type { Reachable } from "./links.ts";
import { lookAt } from "./scan-unit.ts";

/** ms between requests. */
const PAUSE = 50;
/** ms after a connect that failed, and how many in a row end the scan. */
const AFTER_FAILED_CONNECT = 1000;
const MOST_FAILED_CONNECTS = 3;
/** Exceptions of a gateway that has no answer of the unit itself. */
const NOT_THE_UNIT: readonly number[] = [10, 11];

/** Where to look. */
export interface ScanOptions {
  /** The same endpoint in each of the settings to try. */
  readonly connections: readonly [Reachable, ...Reachable[]];
  readonly unitIds: readonly number[];
  /** ms for each answer. */
  readonly timeout: number;
  /** Ends the scan with what was found so far. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Told how far it is. */
export interface Progress {
  asking(connection: Reachable, unitId: number): void;
  found(unit: FoundUnit): void;
  /** For how many ms a line is listened to first. */
  readonly listens: (ms: number) => void;
}

/** Scans an endpoint under its lock. Throws `LockedError` when a node polls it, `UnavailableError` when it can't be connected. */
export function scan(options: ScanOptions): Promise<Scan> {
  return new Scanning(options).run();
}

/** A scan under way. */
class Scanning {
  readonly #clock: Clock = createClock();
  readonly #options: ScanOptions;
  readonly #units: FoundUnit[] = [];
  readonly #garbled: { unitId: number; connection: string; detail: string }[] = [];
  readonly #slow: { unitId: number; connection: string }[] = [];
  #asked = 0;
  #hasConnected = false;
  #trouble: string | undefined;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  async run(): Promise<Scan> {
    for (const connection of this.#options.connections) {
      if (this.#isOver()) break;
      const { timeout, progress } = this.#options;
      const manner = { connection, timeout, listens: progress.listens };
      const use = await EndpointUse.of(manner, "scan");
      await use.locked((link) => this.#scanIn(link, connection)).catch(this.#keepFound);
    }
    const unsure = { garbled: this.#garbled, slow: this.#slow };
    const found = { asked: this.#asked, units: this.#units, ...unsure };
    const trouble = this.#trouble === undefined ? {} : { trouble: this.#trouble };
    return { complete: !this.#isOver(), ...found, ...trouble };
  }

  #isOver(): boolean {
    return this.#options.signal.aborted || this.#trouble !== undefined;
  }

  /** A node that took the endpoint between two settings ends the scan, not what it found. */
  readonly #keepFound = (error: unknown): void => {
    if (!(error instanceof LockedError) || this.#units.length === 0) throw error;
    this.#trouble = error.message;
  };

  /** All units that were not found in other settings; what goes on is cut off when the scan is ended. */
  async #scanIn(link: ConnectingLink, connection: Reachable): Promise<void> {
    const { signal, unitIds, progress } = this.#options;
    const cut = () => void link.close();
    signal.addEventListener("abort", cut);
    try {
      for (const unitId of unitIds) {
        if (this.#isOver()) return;
        if (this.#units.some((unit) => unit.unitId === unitId)) continue;
        progress.asking(connection, unitId);
        await this.#scanUnit(link, connection, unitId);
      }
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  async #scanUnit(link: ConnectingLink, { url }: Reachable, unitId: number): Promise<void> {
    const { timeout, progress } = this.#options;
    const request = { unitId, table: "holding", address: 0, count: 1 } as const;
    const answer = await this.#politely(() => link.read(request, timeout));
    if (answer === undefined) return;
    this.#asked++;
    if (!answer.ok && answer.reason === "bad_frame") {
      this.#garbled.push({ unitId, connection: url, detail: answer.detail });
    }
    if (!answer.ok && answer.late === true) this.#slow.push({ unitId, connection: url });
    const said = saidIn(answer);
    if (said === undefined) return;
    const described = await lookAt({
      identify: () => this.#politely(() => link.identify(unitId, timeout)),
      read: (place) => this.#politely(() => link.read({ unitId, ...place }, timeout)),
    });
    const rtt = Math.round((answer.endedAt - (answer.sentAt ?? answer.endedAt)) * 10) / 10;
    const unit = { unitId, connection: url, answer: said, rtt, ...described };
    this.#units.push(unit);
    progress.found(unit);
  }

  /** Sends after a pause; a connect that fails is tried again. Undefined when the scan is over. */
  async #politely<A extends object>(send: () => Promise<A>): Promise<A | undefined> {
    for (let failed = 1; !this.#isOver(); failed++) {
      await this.#sleep(PAUSE);
      if (this.#isOver()) return undefined;
      const answer = await send();
      if (this.#options.signal.aborted) return undefined;
      const detail = unsent(answer);
      if (detail === undefined) {
        this.#hasConnected = true;
        return answer;
      }
      if (!this.#hasConnected) throw this.#unreachable(detail);
      if (failed === MOST_FAILED_CONNECTS) this.#trouble = detail;
      else await this.#sleep(AFTER_FAILED_CONNECT);
    }
    return undefined;
  }

  #unreachable(detail: string): UnavailableError {
    const [{ url, kind }] = this.#options.connections;
    const done = kind === "serial" ? "used" : "connected";
    return new UnavailableError(
      "NO_ANSWER",
      `${url} can't be ${done}, so nothing was asked: ${detail}`,
    );
  }

  /** Ends early with the scan. */
  #sleep(ms: number): Promise<void> {
    const { signal } = this.#options;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#clock.timer(ms, end);
      if (signal.aborted) end();
      else signal.addEventListener("abort", end);
    });
  }
}

function saidIn(answer: Answer): FoundUnit["answer"] | undefined {
  if (answer.ok) return { value: answer.words[0] ?? 0 };
  const { exception } = answer;
  return exception === undefined || NOT_THE_UNIT.includes(exception) ? undefined : { exception };
}

/** Why nothing was sent; undefined when it was. */
function unsent(answer: object): string | undefined {
  // What comes of a request, an identification or its failure: all may be looked at so.
  const { reason, detail } = answer as { readonly reason?: unknown; readonly detail?: unknown };
  return reason === "connect_failed" ? String(detail) : undefined;
}
