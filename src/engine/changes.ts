/** What `start`, `stop` and `enable` do to gateways, and how these stand afterwards. */
import { Refused, type Command } from "../core/command.ts";
import { EdgepollError } from "../core/errors.ts";
import type { Write } from "../core/ports.ts";
import type { Devices } from "./devices.ts";
import type { Gateways } from "./gateways.ts";
import type { Health } from "./health.ts";

/** A change, in the steps in which it is made. */
export interface Change {
  /** What acts before it is on disk. */
  before(): void;
  /** What makes it durable. */
  writes(): Write[];
  /** The data of the reply. */
  data(): object;
  /** What must be on disk before it acts. */
  after(): void;
  /** What holds when it can't be written. */
  readonly unwritten: string;
}

/** What changes work with. */
export interface ChangesWorld {
  readonly gateways: Gateways;
  readonly devices: Devices;
  readonly health: Health;
}

/** Makes changes. */
export class Changes {
  readonly #world: ChangesWorld;

  constructor(world: ChangesWorld) {
    this.#world = world;
  }

  /** The change of a command to these gateways. Throws `Refused` for devices that none of them has. */
  of(command: Command, targets: readonly string[], by: string): Change {
    if (command.verb === "enable") return this.#enable(targets, command, by);
    return this.#desire(targets, command.verb === "start" ? "running" : "stopped", by);
  }

  /** A stop acts at once and is made durable then; a start must be durable before anything is polled. */
  #desire(targets: readonly string[], desired: "running" | "stopped", by: string): Change {
    const { gateways } = this.#world;
    const changing = targets.filter((id) => gateways.get(id)?.desired.desired !== desired);
    const act = () => {
      for (const id of changing) gateways.apply(id, desired, by);
    };
    const nothing = () => undefined;
    const stops = desired === "stopped";
    return {
      before: stops ? act : nothing,
      // All of them: an earlier stop may be in force and not on disk.
      writes: () => targets.map((id) => gateways.desire(id, desired, by)),
      data: () => ({ gateways: targets.map((id) => this.#stands(id, desired)) }),
      after: stops ? nothing : act,
      unwritten: stops ? "polling is stopped, but that" : "nothing was started: it",
    };
  }

  #enable(targets: readonly string[], { devices: wanted, forget }: Command, by: string): Change {
    const { gateways } = this.#world;
    this.#refuseUnknown(targets, wanted);
    return {
      before: () => {
        for (const id of targets) {
          gateways.enable(id, wanted, by);
          if (forget === true) gateways.forget(id, wanted, by);
        }
      },
      writes: () =>
        targets.flatMap((id) => gateways.get(id) ?? []).map((one) => gateways.keep(one)),
      data: () => ({ gateways: targets.map((id) => this.#stands(id)) }),
      after: () => undefined,
      unwritten: "the devices will be probed, but that",
    };
  }

  #stands(id: string, commanded?: "running" | "stopped"): object {
    const { gateways, health, devices } = this.#world;
    const running = gateways.get(id);
    if (running === undefined) throw new EdgepollError("INTERNAL", `no gateway ${id}`);
    const desired = commanded ?? running.desired.desired;
    const state = desired === "stopped" ? "stopped" : health.stateWhenRunning(running);
    const states = [...(devices.of(id)?.states.values() ?? [])];
    const open = states.filter(({ breaker }) => breaker.state === "open");
    return { gateway: id, state, desired, open: open.map((device) => device.id) };
  }

  #refuseUnknown(targets: readonly string[], wanted: readonly string[] = []): void {
    const { devices } = this.#world;
    const known = new Set(targets.flatMap((id) => [...(devices.of(id)?.states.keys() ?? [])]));
    const stranger = wanted.find((id) => !known.has(id));
    if (stranger === undefined) return;
    const there = [...known].slice(0, 20).join(", ");
    const text = `there is no device ${stranger} on ${targets.join(", ")}; there are ${there}`;
    throw new Refused("device_unknown", text);
  }
}
