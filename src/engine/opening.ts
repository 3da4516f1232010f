/** The start: every gateway of the configuration is taken up from the store, what left it is closed. */
import { schedulesOf } from "../core/account-change.ts";
import type { Step } from "../core/grid.ts";
import { intervalsOf, scheduleId, type Gateway } from "../core/model.ts";
import { planSchedule } from "../core/plan.ts";
import { withRefusals } from "../core/refusals.ts";
import type { Clock, Link, Store } from "../core/ports.ts";
import { keys, type GatewayRecord } from "../core/records.ts";
import type { Devices, GatewayDevices } from "./devices.ts";
import type { Gateways } from "./gateways.ts";
import type { Journal } from "./journal.ts";
import { Lane } from "./lane.ts";
import { lastGoodSlot } from "./last-good.ts";
import type { Ledger } from "./ledger.ts";
import type { Current } from "./reload.ts";
import { leftSchedules, restore, type Restored } from "./restore.ts";
import { Schedule, type Slot } from "./schedule.ts";

/** The way to a gateway's endpoint; gateways with the same key share a lane. */
export interface Endpoint {
  readonly key: string;
  readonly link: Link;
}

/** What was found when the schedules were taken up. */
export interface StartReport {
  /** Slots claimed without an outcome. */
  readonly unknown: number;
  /** Slots that passed while the node was away. */
  readonly missed: number;
  readonly stopped: readonly { gateway: string; since: number; by: string | null }[];
  readonly schedules: number;
  /** Ids of schedules whose account ended, for they have left the configuration. */
  readonly closed: readonly string[];
  /** Those that began an account; none at the very first start, where all do. */
  readonly opened: readonly string[];
  /** Schedules that the store knew. */
  readonly known: number;
  /** Elapsed time of the first slot, null when nothing runs. */
  readonly firstDue: number | null;
}

/** What opening works with. */
export interface OpeningWorld {
  readonly current: Current;
  readonly clock: Clock;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly devices: Devices;
  readonly gateways: Gateways;
  readonly journal: Journal;
  readonly endpoint: (gateway: Gateway) => Endpoint;
  /** The wall clock was stepped while the node was away. */
  readonly stepped: (schedule: Schedule, step: Step) => void;
}

/** Takes up all gateways. */
export class Opening {
  readonly #world: OpeningWorld;
  readonly #lanes = new Map<string, Lane>();
  #anew = false;

  constructor(world: OpeningWorld) {
    this.#world = world;
  }

  /** Restores all gateways, `anew` with new epochs, and closes the accounts of schedules that left the configuration. */
  async restore(anew = false): Promise<StartReport> {
    this.#anew = anew;
    const { current, gateways } = this.#world;
    const { site } = current;
    const closed = await this.#closeLeft();
    const begun: string[] = [];
    let unknown = 0;
    let missed = 0;
    let known = 0;
    for (const gateway of site.gateways) {
      for (const found of await this.take(gateway)) {
        unknown += found.unknown;
        missed += found.missed;
        if (found.found) known++;
        else begun.push(scheduleId(gateway.id, found.next.interval));
      }
    }
    const opened = known + closed.length === 0 ? [] : begun;
    this.#anew = false;
    const all = [...gateways.all];
    const stopped = all.filter(({ desired }) => desired.desired === "stopped");
    const schedules = all.flatMap((running) => running.schedules);
    const dues = schedules.filter(({ running }) => running).map(({ next }) => next.due);
    return {
      ...{ unknown, missed, known, schedules: schedules.length, closed, opened },
      stopped: stopped.map(({ gateway, desired }) => ({ gateway: gateway.id, ...desired })),
      firstDue: dues.length === 0 ? null : dues.reduce((a, b) => Math.min(a, b)),
    };
  }

  /** Takes up one gateway, as the store has it. */
  async take(gateway: Gateway): Promise<Restored[]> {
    const { devices, gateways, clock } = this.#world;
    const kept = await this.#kept(gateway.id);
    const { desired, since, by } = kept ?? { desired: "running", since: clock.wall(), by: null };
    const lastGood = await this.#lastGood(gateway, kept);
    const own = devices.add(gateway, kept?.devices ?? {}, lastGood);
    this.#tellElsewhere(own);
    const { link, lane } = this.#way(gateway);
    const known = withRefusals(gateway, (id) => own.states.get(id)?.learned.refused ?? []);
    const schedules: Schedule[] = [];
    const restored: Restored[] = [];
    for (const interval of intervalsOf(gateway)) {
      const found = await restore(
        { ...this.#world, anew: this.#anew },
        gateway,
        interval,
        desired === "stopped",
      );
      const plan = planSchedule(known, interval);
      const account = found.ended ?? found.account;
      const way = { plan, link, lane, devices: own };
      const parts = { gateway, interval, ...way, account, next: found.next };
      const schedule = await this.#adopt(new Schedule(parts), found);
      if (found.step !== undefined) this.#world.stepped(schedule, found.step);
      schedules.push(schedule);
      restored.push(found);
    }
    gateways.add({ gateway, schedules, desired: { desired, since, by } });
    return restored;
  }

  /** On record since the gateway last changed, or since then by its outcomes. */
  async #lastGood(gateway: Gateway, kept: GatewayRecord | undefined): Promise<number | null> {
    const { store } = this.#world;
    let last = kept?.lastGood ?? null;
    for (const interval of intervalsOf(gateway)) {
      const slot = await lastGoodSlot(store, scheduleId(gateway.id, interval), interval);
      if (slot !== null && slot > (last ?? 0)) last = slot;
    }
    return last;
  }

  #tellElsewhere({ gateway: { id }, elsewhere }: GatewayDevices): void {
    if (elsewhere.length === 0) return;
    const text = `${elsewhere.join(", ")} of ${id}, left out until now: probed at once, as connection or unit id have changed`;
    const data = { devices: elsewhere };
    void this.#world.journal.note({ kind: "devices-enabled", gateway: id, text, data });
  }

  /** Writes what was found out about a schedule; where an epoch ended, the new one begins after that. */
  async #adopt(schedule: Schedule, found: Restored): Promise<Schedule> {
    const { ledger } = this.#world;
    if (!found.found) return schedule;
    ledger.adopt(schedule, found.changes, positionOf(found));
    if (found.ended !== undefined) {
      await ledger.close(schedule, false);
      schedule.account = found.account;
      schedule.settled = 0;
    }
    return schedule;
  }

  async #kept(gateway: string): Promise<GatewayRecord | undefined> {
    const text = await this.#world.store.get(keys.gateway(gateway));
    // As written by Gateways: the store has checked its checksum.
    return text === undefined ? undefined : (JSON.parse(text) as GatewayRecord);
  }

  /** Gives back whose accounts these are. */
  async #closeLeft(): Promise<string[]> {
    const { current, store, ledger, devices } = this.#world;
    const { site } = current;
    const configured = new Set(schedulesOf(site));
    const closed: string[] = [];
    for (const { gateway, interval, phase } of await leftSchedules(store, configured)) {
      const gone = goneGateway(gateway, phase);
      const stopped = (await this.#kept(gateway))?.desired === "stopped";
      const found = await restore({ ...this.#world, anew: this.#anew }, gone, interval, stopped);
      const account = found.ended ?? found.account;
      const plan = { devices: [] };
      const { link, lane } = { link: NO_LINK, lane: new Lane() };
      const way = { plan, link, lane, devices: devices.make(gone, {}) };
      const parts = { gateway: gone, interval, ...way, account, next: found.next };
      const schedule = new Schedule(parts);
      ledger.adopt(schedule, found.changes, positionOf(found));
      ledger.tellOpen(schedule);
      await ledger.close(schedule, true);
      closed.push(schedule.id);
    }
    return closed;
  }

  #way(gateway: Gateway): { link: Link; lane: Lane } {
    const { key, link } = this.#world.endpoint(gateway);
    const lane = this.#lanes.get(key) ?? new Lane();
    this.#lanes.set(key, lane);
    return { link, lane };
  }
}

/** The last slot that is accounted, up to which the claim is to reach; a new epoch has claims of its own. */
function positionOf({ ended, next }: Restored): Slot | undefined {
  const { seq, slot, due, interval } = next;
  if (ended !== undefined) return undefined;
  return { seq: seq - 1, slot: slot - interval, due: due - interval };
}

/** A gateway that left the configuration: only its account is of interest. */
function goneGateway(id: string, phase: number): Gateway {
  const connection = { kind: "tcp", url: "", host: "", port: 0 } as const;
  const rules = { retries: 0, failureThreshold: 1, probe: "never" } as const;
  return { id, connection, timeout: { default: 1000 }, ...rules, phase, devices: [] };
}

const NO_LINK: Link = {
  read: () => Promise.reject(new Error("a gateway that is gone is not polled")),
  write: () => Promise.reject(new Error("nor is anything written to it")),
  release: () => undefined,
  close: () => Promise.resolve(),
};
