/** Watches over the ledger: proves it every few minutes and when asked, one after the other. */
import { Refused } from "../core/command.ts";
import { messageOf } from "../core/errors.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import type { Finding, Validation } from "../core/validation.ts";
import type { Journal } from "./journal.ts";
import type { InTurn } from "./turns.ts";
import { validateStore, type Proven, type ValidateQuery } from "./validate.ts";

/** ms between two looks, and between two that read all records, not only new ones. */
const LOOK_EVERY = 300_000;
const READ_ALL_EVERY = 86_400_000;
/** A look of its own takes at most one part of so many of the time, so that polls are not delayed. */
const SHARE = 10;
/** Looks that were asked for and wait; more are refused. */
const MOST_WAITING = 4;

/** What the watch works with. */
export interface IntegrityWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly journal: Journal;
  /** Schedules that were found stalled. */
  readonly stalls: () => readonly Finding[];
  /** Work on the store that must not run beside a look, such as retention, in its turn. */
  readonly inTurn: InTurn;
}

/** See the head of this file. */
export class Integrity {
  readonly #world: IntegrityWorld;
  #proven: Proven | undefined;
  #readAllAt = -Infinity;
  readonly #standing: Finding[] = [];
  #findings = 0;
  #waiting = 0;
  #cancel: (() => void) | undefined;
  #open = false;

  constructor(world: IntegrityWorld) {
    this.#world = world;
  }

  /** What the last look found, and schedules that stalled since. */
  get findings(): number {
    return this.#findings + this.#world.stalls().length;
  }

  /** Is a finding of every look until the node ends. */
  stand(finding: Finding): void {
    this.#standing.push(finding);
  }

  /** Begins to look. */
  open(): void {
    this.#open = true;
    this.#arm();
    // To be seen in health at once.
    if (this.#standing.length > 0) void this.look();
  }

  /** Looks no more; one that is on its way breaks off. */
  close(): void {
    this.#open = false;
    this.#cancel?.();
  }

  /** Reads all that is on disk. Throws `Refused`. */
  async validate(query: Pick<ValidateQuery, "since" | "gateways">): Promise<Validation> {
    if (this.#waiting >= MOST_WAITING)
      throw new Refused("busy", "the ledger is being validated; ask again in a while");
    this.#waiting++;
    try {
      return await this.#world.inTurn(() => this.#run(query, 1));
    } catch (error) {
      throw new Refused("store_failed", `the ledger can't be read: ${messageOf(error)}`);
    } finally {
      this.#waiting--;
    }
  }

  /** A look of its own; never rejects. */
  async look(): Promise<void> {
    const { clock, log, inTurn } = this.#world;
    const all = clock.elapsed() - this.#readAllAt >= READ_ALL_EVERY;
    const proven = all ? undefined : this.#proven;
    try {
      await inTurn(() =>
        this.#run({ since: 0, ...(proven === undefined ? {} : { proven }) }, SHARE),
      );
    } catch (error) {
      if (this.#open) log.error({ error: messageOf(error) }, "the ledger can't be validated");
    }
  }

  #arm(): void {
    this.#cancel = this.#world.clock.timer(LOOK_EVERY, () => {
      void this.look().then(() => {
        if (this.#open) this.#arm();
      });
    });
  }

  async #run(query: ValidateQuery, share: number): Promise<Validation> {
    const { store, clock } = this.#world;
    const began = clock.elapsed();
    const pause = this.#pacer(share);
    const { validation, proven } = await validateStore({ store, live: true, pause }, query);
    const { more } = validation;
    const findings = [...this.#standing, ...validation.findings];
    if (query.proven === undefined) this.#readAllAt = began;
    const found = findings.length + more;
    // What is wrong is read again at the next look, or it would seem to be mended.
    this.#proven = found === this.#standing.length ? proven : undefined;
    this.#say(findings, found);
    return { ...validation, findings: [...findings, ...this.#world.stalls()] };
  }

  /** Lets others have their turn after each page, for so many times as long as the page took. */
  #pacer(share: number): () => Promise<void> {
    const { clock } = this.#world;
    let resumed = clock.elapsed();
    return async () => {
      if (!this.#open) throw new Error("the node ends");
      const wait = Math.max(1, Math.ceil((clock.elapsed() - resumed) * (share - 1)));
      await new Promise<void>((resolve) => clock.timer(wait, resolve));
      resumed = clock.elapsed();
    };
  }

  #say(findings: readonly Finding[], found: number): void {
    if (found === this.#findings) return;
    this.#findings = found;
    const [first] = findings;
    const text =
      first === undefined
        ? "the ledger has no findings any more"
        : `the ledger has ${String(found)} finding${found === 1 ? "" : "s"}: ${first.text}; edgepoll validate shows ${found === 1 ? "it" : "all"}`;
    void this.#world.journal.note({ kind: "findings", text, data: { findings: found } });
  }
}
