/**
 * Finds the registers for which a device refuses a request (exception 2 or 3), within regular slots: one
 * request is cut in two from one slot to the next, so that no slot sends one twice.
 */
import { halvesOf, replaced, type Halves } from "../core/halves.ts";
import type { Refusal } from "../core/model.ts";
import type { DevicePlan, Plan, PlannedRequest } from "../core/plan.ts";
import type { RequestResult } from "../core/reading.ts";
import { isAboutRegisters } from "../core/refusals.ts";
import type { DeviceResult } from "./poll-task.ts";

/** Requests that a search adds to a poll at most, while nothing at all is read. */
const MOST_MORE = 16;

/** What was found out. */
export interface Found extends Refusal {
  readonly device: string;
  /** A `point` is refused itself, a `gap` lies between points, which are read. */
  readonly kind: "point" | "gap";
}

/** A request that is being looked into. */
interface Stage {
  readonly device: string;
  /** The plan without any cuts. */
  readonly base: Plan;
  /** What is refused. */
  readonly whole: PlannedRequest;
  readonly parts: Halves;
  readonly exception: number;
  /** Both parts were read: the whole is asked for once more, so that a passing whim is not remembered. */
  readonly isCheck: boolean;
}

type Verdict = "read" | "refused" | "unknown";

/** The search of one schedule. */
export class Bisection {
  #stage: Stage | undefined;
  /** Requests of which every part is refused: cutting them tells nothing, until they are read. */
  readonly #hopeless = new Set<PlannedRequest>();

  /** Takes the results of a poll of `plan`; gives back the plan of the next one, and what is known now. */
  polled(plan: Plan, results: readonly DeviceResult[]): { plan: Plan; found?: Found } {
    const stage = this.#stage;
    if (stage === undefined) return { plan: this.#begin(plan, results) };
    const own = results.find(({ device }) => device.id === stage.device)?.results ?? [];
    if (stage.isCheck) return this.#checked(stage, plan, own);
    const [first, second] = stage.parts.map((part) => verdictOn(own, part));
    if (first === "unknown" || second === "unknown") return { plan };
    if (first === "read" && second === "read") {
      this.#stage = { ...stage, isCheck: true };
      return { plan: changed(plan, stage.device, stage.parts, [stage.whole]) };
    }
    return this.#cut(stage, plan, own, stage.parts[first === "refused" ? 0 : 1]);
  }

  #begin(plan: Plan, results: readonly DeviceResult[]): Plan {
    for (const { device, results: own } of results) {
      for (const { request, last } of own) {
        if (typeof last !== "string" && last.ok) this.#hopeless.delete(request);
        if (this.#hopeless.has(request) || verdictOn(own, request) !== "refused") continue;
        const parts = halvesOf(request);
        if (parts === undefined) continue;
        const exception = exceptionOf(own, request);
        const base = { device: device.id, base: plan, whole: request };
        this.#stage = { ...base, parts, exception, isCheck: false };
        return changed(plan, device.id, [request], parts);
      }
    }
    return plan;
  }

  #checked(stage: Stage, plan: Plan, own: readonly RequestResult[]): { plan: Plan; found?: Found } {
    const verdict = verdictOn(own, stage.whole);
    if (verdict === "unknown") return { plan };
    this.#stage = undefined;
    if (verdict === "read") return { plan: stage.base };
    const [before, behind] = stage.parts;
    const address = before.address + before.count;
    const stretch = { table: behind.table, address, count: behind.address - address };
    const { base, device, exception } = stage;
    return { plan: base, found: { device, kind: "gap", ...stretch, exception } };
  }

  /** Goes on with a part that is refused; a part that can't be cut is what was looked for, when others are read. */
  #cut(
    stage: Stage,
    plan: Plan,
    own: readonly RequestResult[],
    part: PlannedRequest,
  ): { plan: Plan; found?: Found } {
    const { base, device } = stage;
    const asked = own.map(({ request }) => request);
    const isAnyRead = asked.some((request) => verdictOn(own, request) === "read");
    const exception = exceptionOf(own, part);
    if (halvesOf(part) === undefined && isAnyRead) {
      this.#stage = undefined;
      const { table, address, count } = part;
      return { plan: base, found: { device, kind: "point", table, address, count, exception } };
    }
    // Nothing at all is read yet: the other parts may tell more.
    const more = own.length - requestsOf(base, device).length;
    for (const whole of more < MOST_MORE ? [part, ...asked] : []) {
      const parts = verdictOn(own, whole) === "refused" ? halvesOf(whole) : undefined;
      if (parts === undefined) continue;
      this.#stage = { device, base, whole, parts, exception, isCheck: false };
      return { plan: changed(plan, device, [whole], parts) };
    }
    this.#stage = undefined;
    for (const each of requestsOf(base, device)) this.#hopeless.add(each);
    return { plan: base };
  }
}

function requestsOf(plan: Plan, device: string): readonly PlannedRequest[] {
  return plan.devices.find((planned) => planned.device.id === device)?.requests ?? [];
}

function verdictOn(own: readonly RequestResult[], request: PlannedRequest): Verdict {
  const last = own.find((result) => result.request === request)?.last;
  if (last === undefined || typeof last === "string") return "unknown";
  if (last.ok) return "read";
  return isAboutRegisters(last.exception) ? "refused" : "unknown";
}

function exceptionOf(own: readonly RequestResult[], request: PlannedRequest): number {
  const last = own.find((result) => result.request === request)?.last;
  return last === undefined || typeof last === "string" || last.ok ? 0 : (last.exception ?? 0);
}

/** The plan with other requests in place of some of a device. */
function changed(
  plan: Plan,
  device: string,
  old: readonly PlannedRequest[],
  by: readonly PlannedRequest[],
): Plan {
  const change = (planned: DevicePlan): DevicePlan => {
    if (planned.device.id !== device) return planned;
    return { ...planned, requests: replaced(planned.requests, old, by) };
  };
  return { devices: plan.devices.map(change) };
}
