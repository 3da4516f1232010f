/** Reads outside the grid, asked for by a person at the command line: through the lane, never beside it. */
import { UnavailableError } from "../core/errors.ts";
import type { Gateway } from "../core/model.ts";
import type { Answer, Clock, ReadRequest } from "../core/ports.ts";
import type { Gateways, RunningGateway } from "./gateways.ts";
import type { Endpoint } from "./opening.ts";
import { Nap } from "./pace.ts";

/** Reads that wait for their turns; more are refused. */
const MOST_WAITING = 16;
/** ms within which a read has its turn, before polls that are due later. */
const PATIENCE = 1000;

/** A read, of an endpoint by its key or of a gateway by its id. */
export interface DirectRead extends ReadRequest {
  readonly endpoint?: string;
  readonly gateway?: string;
  /** ms. */
  readonly timeout: number;
}

/** An answer as it goes over the control socket. */
export type DirectAnswer =
  | { readonly ok: true; readonly words: readonly number[]; readonly rtt: number }
  | Pick<Extract<Answer, { ok: false }>, "ok" | "reason" | "exception" | "detail">;

/** What direct reads work with. */
export interface DirectReadsWorld {
  readonly clock: Clock;
  readonly gateways: Gateways;
  readonly endpoint: (gateway: Gateway) => Endpoint;
}

/** Carries direct reads out. */
export class DirectReads {
  readonly #world: DirectReadsWorld;
  #waiting = 0;

  constructor(world: DirectReadsWorld) {
    this.#world = world;
  }

  /** Reads once. Throws `UnavailableError` when this node has no such endpoint or too many reads wait. */
  async read(read: DirectRead): Promise<DirectAnswer> {
    const running = this.#find(read);
    const [schedule] = running?.schedules ?? [];
    if (running === undefined || schedule === undefined) {
      const what = read.endpoint ?? read.gateway ?? "endpoint";
      throw new UnavailableError("NO_ANSWER", `The node that runs has no ${what}.`);
    }
    if (this.#waiting >= MOST_WAITING) {
      throw new UnavailableError("NO_ANSWER", "Too many reads wait for their turn; try again.");
    }
    const { clock } = this.#world;
    const { gateway } = running;
    const { lane, link } = schedule;
    this.#waiting++;
    let turn: () => void = () => undefined;
    const granted = new Promise<void>((resolve) => (turn = resolve));
    const ticket = lane.enterCommand(clock.elapsed() + PATIENCE, turn);
    try {
      await granted;
      // A silent unit must not cost the polls more than one of their own would.
      const timeout = Math.min(read.timeout, schedule.timeout);
      if (gateway.pause) await lane.pace.keep(read.unitId, gateway.pause, new Nap(clock));
      const answer = await link.read(read, timeout);
      if (answer.sentAt !== null) lane.pace.ended(read.unitId, answer.endedAt);
      return answerOf(answer);
    } finally {
      ticket.leave();
      if (gateway.closeAfterPoll === true && lane.isFree) link.release();
      this.#waiting--;
    }
  }

  #find({ endpoint, gateway }: DirectRead): RunningGateway | undefined {
    const all = [...this.#world.gateways.all];
    return all.find((running) =>
      endpoint === undefined
        ? running.gateway.id === gateway
        : this.#world.endpoint(running.gateway).key === endpoint,
    );
  }
}

/** An answer in a form that goes over the control socket. */
export function answerOf(answer: Answer): DirectAnswer {
  if (!answer.ok) {
    const { ok, reason, exception, detail } = answer;
    return { ok, reason, detail, ...(exception === undefined ? {} : { exception }) };
  }
  const { words, sentAt, endedAt } = answer;
  return { ok: true, words: [...words], rtt: Math.round((endedAt - sentAt) * 10) / 10 };
}
