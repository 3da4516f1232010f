/** What polls find out about devices beyond their configuration: registers that they refuse. */
import type { Refusal } from "../core/model.ts";
import { planSchedule } from "../core/plan.ts";
import { stretchText, withRefusals } from "../core/refusals.ts";
import { Bisection, type Found } from "./bisection.ts";
import type { GatewayDevices } from "./devices.ts";
import type { Journal } from "./journal.ts";
import type { DeviceResult } from "./poll-task.ts";
import type { Schedule } from "./schedule.ts";

/** Learns, and has plans keep to it. */
export class Learning {
  readonly #journal: Journal;
  readonly #schedules: (gateway: string) => readonly Schedule[];
  readonly #changed: (gateway: string) => void;

  /** `schedules` gives all of a gateway; `changed` is told when something was found out about its devices. */
  constructor(
    journal: Journal,
    schedules: (gateway: string) => readonly Schedule[],
    changed: (gateway: string) => void,
  ) {
    this.#journal = journal;
    this.#schedules = schedules;
    this.#changed = changed;
  }

  /** Takes what came of a poll of the schedule's plan. */
  polled(schedule: Schedule, results: readonly DeviceResult[]): void {
    const { plan, found } = schedule.bisection.polled(schedule.plan, results);
    schedule.plan = plan;
    if (found !== undefined) this.#learn(schedule.devices, found);
  }

  /** Forgets what is known of these devices, or of all of the gateway; gives back those of which something was. */
  forget(devices: GatewayDevices, wanted: readonly string[] | undefined): string[] {
    const states = [...devices.states.values()].filter(({ id, learned }) => {
      return learned.refused.length > 0 && (wanted?.includes(id) ?? true);
    });
    for (const state of states) state.learned = { ...state.learned, refused: [] };
    if (states.length > 0) this.#replan(devices);
    return states.map(({ id }) => id);
  }

  #learn(devices: GatewayDevices, { device, kind, ...refusal }: Found): void {
    const state = devices.states.get(device);
    if (state === undefined) return;
    state.learned = { ...state.learned, refused: [...state.learned.refused, refusal] };
    this.#replan(devices);
    const gateway = devices.gateway.id;
    this.#changed(gateway);
    const text = `${device} ${said(kind, refusal)}`;
    const data = { ...refusal, kind };
    void this.#journal.note({ kind: "registers-refused", gateway, device, text, data });
  }

  #replan({ gateway, states }: GatewayDevices): void {
    const known = withRefusals(gateway, (id) => states.get(id)?.learned.refused ?? []);
    for (const schedule of this.#schedules(gateway.id)) {
      schedule.plan = planSchedule(known, schedule.interval);
      schedule.bisection = new Bisection();
    }
  }
}

function said(kind: Found["kind"], refusal: Refusal): string {
  const why = `with exception ${String(refusal.exception)}`;
  const stretch = stretchText(refusal);
  if (kind === "point") return `refuses ${stretch} ${why}: read alone from now on`;
  if (refusal.count === 0)
    return `refuses to have ${stretch} read at once, ${why}: read apart from now on`;
  return `refuses ${stretch}, which no point needs, ${why}: not read from now on`;
}
