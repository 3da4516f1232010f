/** Gateways at run time: their schedules and what was last commanded. */
import type { Gateway } from "../core/model.ts";
import type { Clock, Write } from "../core/ports.ts";
import { keys, type GatewayRecord } from "../core/records.ts";
import type { Devices } from "./devices.ts";
import type { Learning } from "./learning.ts";
import type { Journal } from "./journal.ts";
import type { Schedule } from "./schedule.ts";
import type { Scheduler } from "./scheduler.ts";

/** Last command to a gateway. */
export interface Desired {
  readonly desired: "running" | "stopped";
  /** Wall time, ms. */
  readonly since: number;
  readonly by: string | null;
}

/** A gateway that is configured. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly schedules: readonly Schedule[];
  desired: Desired;
}

/** What the gateways work with. */
export interface GatewaysWorld {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly devices: Devices;
  readonly journal: Journal;
  readonly learning: Learning;
  /** The state of a gateway changed. */
  readonly changed: (gateway: string) => void;
}

/** Starts and stops gateways. */
export class Gateways {
  readonly #world: GatewaysWorld;
  readonly #all = new Map<string, RunningGateway>();

  constructor(world: GatewaysWorld) {
    this.#world = world;
  }

  /** Knows a gateway from now on. */
  add(running: RunningGateway): void {
    this.#all.set(running.gateway.id, running);
    for (const schedule of running.schedules) {
      this.#world.scheduler.add(schedule, running.desired.desired === "running");
    }
  }

  /** Knows a gateway no more. */
  remove(id: string): void {
    this.#all.delete(id);
  }

  /** Has its schedules, which were stopped, not run again; others may take their place. */
  retire(running: RunningGateway): void {
    for (const schedule of running.schedules) this.#world.scheduler.remove(schedule);
  }

  get all(): IterableIterator<RunningGateway> {
    return this.#all.values();
  }

  get ids(): string[] {
    return [...this.#all.keys()];
  }

  get(id: string): RunningGateway | undefined {
    return this.#all.get(id);
  }

  /** The record that makes a command durable; to be written before `apply` for a start, after it for a stop. */
  desire(id: string, desired: "running" | "stopped", by: string): Write {
    const running = this.#all.get(id);
    if (running?.desired.desired === desired) return this.keep(running);
    const since = Math.round(this.#world.clock.wall());
    return this.#record(id, { desired, since, by });
  }

  /** Carries a command out. */
  apply(id: string, desired: "running" | "stopped", by: string): void {
    const running = this.#all.get(id);
    if (running === undefined || running.desired.desired === desired) return;
    running.desired = { desired, since: Math.round(this.#world.clock.wall()), by };
    for (const schedule of running.schedules) {
      if (desired === "running") this.#world.scheduler.start(schedule);
      else void this.#world.scheduler.stop(schedule, "stopped");
    }
    this.#world.changed(id);
    const kind = desired === "running" ? "gateway-started" : "gateway-stopped";
    const text = `${id} was ${desired === "running" ? "started" : "stopped"} by ${by}`;
    void this.#world.journal.note({ kind, gateway: id, by, text });
  }

  /** Has devices that are left out probed in the next slots: these, or all of the gateway. */
  enable(id: string, wanted: readonly string[] | undefined, by: string): void {
    const { clock, devices, journal, changed } = this.#world;
    const own = devices.of(id);
    if (own === undefined) return;
    const enabled = own.breakers.ask(wanted ?? [...own.states.keys()], clock.elapsed());
    if (enabled.length === 0) return;
    changed(id);
    const text = `${enabled.join(", ")} of ${id} ${enabled.length === 1 ? "was" : "were"} enabled by ${by}`;
    void journal.note({
      kind: "devices-enabled",
      gateway: id,
      by,
      text,
      data: { devices: enabled },
    });
  }

  /** Forgets what polls found out about devices: these, or all of the gateway. */
  forget(id: string, wanted: readonly string[] | undefined, by: string): void {
    const { devices, journal, learning, changed } = this.#world;
    const own = devices.of(id);
    const forgotten = own === undefined ? [] : learning.forget(own, wanted);
    if (forgotten.length === 0) return;
    changed(id);
    const text = `what was known of ${forgotten.join(", ")} of ${id} was forgotten by ${by}`;
    const data = { devices: forgotten };
    void journal.note({ kind: "facts-forgotten", gateway: id, by, text, data });
  }

  /** The record of a gateway as it is now. */
  keep(running: RunningGateway): Write {
    return this.#record(running.gateway.id, running.desired);
  }

  #record(id: string, desired: Desired): Write {
    const { devices } = this.#world;
    const lastGood = devices.of(id)?.lastGood ?? null;
    const record: GatewayRecord = {
      ...desired,
      ...(lastGood === null ? {} : { lastGood }),
      devices: devices.keep(id),
    };
    return { key: keys.gateway(id), value: JSON.stringify(record) };
  }

  /** Ends all schedules; settles when every poll has ended. */
  async close(): Promise<void> {
    const schedules = [...this.#all.values()].flatMap((running) => running.schedules);
    await Promise.all(schedules.map((schedule) => this.#world.scheduler.stop(schedule, "down")));
  }
}
