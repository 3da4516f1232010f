/** Takes another configuration while the node runs: gateways come, go and change, all others go on untouched. */
import { accountParts } from "../core/account-change.ts";
import { Refused } from "../core/command.ts";
import { EdgepollError, messageOf } from "../core/errors.ts";
import type { Site } from "../core/model.ts";
import { siteAfter, siteChange, type Reloaded, type SiteChange } from "../core/site-change.ts";
import type { Committer } from "./committer.ts";
import type { Devices } from "./devices.ts";
import type { Gateways, RunningGateway } from "./gateways.ts";
import type { Happening, Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Opening } from "./opening.ts";
import type { Reporter } from "./reporter.ts";
import type { Scheduler } from "./scheduler.ts";
import { turns } from "./turns.ts";

/** A configuration that was read anew, with the ways to its gateways. */
export interface Reread {
  readonly site: Site;
  /** From now on the ways of this configuration are those that are given. */
  use(): void;
  /** Frees what only the configuration before needed. */
  settle(): Promise<void>;
  /** The configuration is not used: frees what only this one needs. */
  drop(): Promise<void>;
}

/** The configuration in force. */
export interface Current {
  site: Site;
}

/** What a reload works with. */
export interface ReloadWorld {
  readonly current: Current;
  readonly committer: Committer;
  readonly devices: Devices;
  readonly gateways: Gateways;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly opening: Opening;
  readonly reporter: Reporter;
  readonly scheduler: Scheduler;
  /** Reads the configuration. Rejects with `EdgepollError`, every mistake in its message. */
  readonly reread: () => Promise<Reread>;
}

/** Runs what must not run beside other commands. */
type InTurn = <T>(act: () => Promise<T>) => Promise<T>;

/** See the head of this file. */
export class Reload {
  readonly #world: ReloadWorld;
  readonly #inOrder = turns();

  constructor(world: ReloadWorld) {
    this.#world = world;
  }

  /** Reads and applies. Throws `Refused`: then the node goes on as it was. */
  run(by: string, inTurn: InTurn): Promise<Reloaded> {
    return this.#inOrder(async () => {
      try {
        return await this.#applyInTurn(await this.#read(), by, inTurn);
      } catch (error) {
        if (error instanceof Refused) await this.#world.journal.note(refusedEvent(error, by));
        throw error;
      }
    });
  }

  async #read(): Promise<Reread> {
    try {
      return await this.#world.reread();
    } catch (error) {
      if (!(error instanceof EdgepollError)) throw error;
      const text = `the node goes on with the configuration it has:\n${error.message}`;
      throw new Refused("config_refused", text);
    }
  }

  async #applyInTurn(next: Reread, by: string, inTurn: InTurn): Promise<Reloaded> {
    const turn = { hasCome: false };
    try {
      return await inTurn(() => {
        turn.hasCome = true;
        return this.#apply(next, by);
      });
    } catch (error) {
      // Too many commands wait: its turn never came.
      if (!turn.hasCome) await next.drop();
      throw error;
    }
  }

  async #apply(next: Reread, by: string): Promise<Reloaded> {
    const { current, devices, gateways, opening, reporter } = this.#world;
    const change = siteChange(current.site, next.site);
    const leaving = [...change.removed, ...change.changed].flatMap((id) => gateways.get(id) ?? []);
    await this.#hold(leaving, next);
    for (const running of leaving) gateways.retire(running);
    next.use();
    // Before the new ways are gone: a serial line opens once.
    await next.settle();
    current.site = siteAfter(current.site, next.site, change);
    const entering = new Set([...change.added, ...change.changed]);
    for (const gateway of current.site.gateways) {
      if (entering.has(gateway.id)) await opening.take(gateway);
    }
    await this.#close(leaving, new Set(change.closed));
    for (const id of change.removed) {
      gateways.remove(id);
      devices.remove(id);
    }
    reporter.renew();
    const text = `${by} had the configuration read again: ${inWords(change)}`;
    await this.#world.journal.note({ kind: "reloaded", by, text, data: { ...change } });
    return { ...change, config: `sha256:${current.site.hash}` };
  }

  /** Ends the polls of gateways and puts all of them on disk, from where they are taken up again. */
  async #hold(leaving: readonly RunningGateway[], next: Reread): Promise<void> {
    const { committer, gateways, ledger, scheduler } = this.#world;
    const schedules = leaving.flatMap((running) => running.schedules);
    await Promise.all(schedules.map((schedule) => scheduler.stop(schedule, "stopped")));
    await ledger.written();
    try {
      for (const schedule of schedules) await ledger.close(schedule, false);
      await committer.commit(leaving.map((running) => gateways.keep(running)));
    } catch (error) {
      for (const { desired, schedules } of leaving) {
        if (desired.desired === "running") for (const one of schedules) scheduler.start(one);
      }
      await next.drop();
      throw new Refused("store_failed", `nothing was changed: ${messageOf(error)}`);
    }
  }

  /** Ends the accounts of schedules that are gone. */
  async #close(left: readonly RunningGateway[], closed: ReadonlySet<string>): Promise<void> {
    const { ledger, scheduler } = this.#world;
    for (const schedule of left.flatMap((running) => running.schedules)) {
      if (!closed.has(schedule.id)) continue;
      scheduler.catchUp(schedule);
      ledger.tellOpen(schedule);
      await ledger.close(schedule, true);
    }
  }
}

/** Mistakes can be many and long; the reply and the log have all of them. */
function refusedEvent({ code, message }: Refused, by: string): Happening {
  const [first = "", second] = message.split("\n");
  const why = code === "config_refused" ? (second ?? first) : first;
  const text = `${by} had the configuration read again, and it was refused; the node goes on as it was: ${why}`;
  return { kind: "reload-refused", by, text, data: { code } };
}

function inWords({ added, removed, changed, closed, opened, restart }: SiteChange): string {
  const parts = [
    ...(added.length > 0 ? [`added ${added.join(", ")}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.join(", ")}`] : []),
    ...(changed.length > 0 ? [`changed ${changed.join(", ")}`] : []),
    ...accountParts(closed, opened),
    ...(restart.length > 0 ? [`${restart.join(", ")} from the next start on`] : []),
  ];
  return parts.length === 0 ? "nothing has changed" : parts.join("; ");
}
