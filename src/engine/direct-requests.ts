/** Reads and writes outside the grid, asked for by a person at the command line: through the lane, never beside it. */
import { UnavailableError, UsageError } from "../core/errors.ts";
import type { Gateway, LineSettings } from "../core/model.ts";
import type { Answer, Clock, Link, ReadRequest, WriteRequest } from "../core/ports.ts";
import { referenceOf } from "../core/reference.ts";
import { shellWord } from "../core/shell.ts";
import { answerOf, type DirectAnswer } from "./direct-answer.ts";
import { carryOut, type DirectWrite, type Verdict, type Written } from "./direct-write.ts";
import type { Gateways, RunningGateway } from "./gateways.ts";
import type { Happening, Journal } from "./journal.ts";
import type { Endpoint } from "./opening.ts";
import { Nap } from "./pace.ts";

/** Requests that wait for their turns; more are refused. */
const MOST_WAITING = 16;
/** ms within which a request has its turn, before polls that are due later. */
const PATIENCE = 1000;

/** Where a request goes: to an endpoint by its key, or a gateway by its id. */
export interface Direction {
  readonly endpoint?: string;
  readonly gateway?: string;
  /** How a line is to be spoken. */
  readonly line?: LineSettings;
  /** ms for each request. */
  readonly timeout: number;
}

/** A read and where it goes. */
export type DirectRead = ReadRequest & Direction;

/** What direct requests work with. */
export interface DirectWorld {
  readonly clock: Clock;
  readonly gateways: Gateways;
  readonly endpoint: (gateway: Gateway) => Endpoint;
  readonly journal: Pick<Journal, "note">;
}

/** Carries direct requests out. */
export class DirectRequests {
  readonly #world: DirectWorld;
  #waiting = 0;

  constructor(world: DirectWorld) {
    this.#world = world;
  }

  /**
   * Reads once. Throws `UnavailableError` when this node has no such endpoint or too many requests wait,
   * `UsageError` when it speaks otherwise on that line.
   */
  async read(read: DirectRead): Promise<DirectAnswer> {
    const running = this.#find(read);
    return answerOf(
      await this.#inTurn(running, read, read, (link, timeout) => link.read(read, timeout)),
    );
  }

  /** Writes and reads back, and puts on the audit trail what was sent. Throws as `read`. */
  async write(write: DirectWrite & Direction, by: string): Promise<Written> {
    const running = this.#find(write);
    const send = (request: Request, ask: Send) => this.#inTurn(running, write, request, ask);
    const written = await carryOut(write, {
      read: async (request) =>
        answerOf(await send(request, (link, timeout) => link.read(request, timeout))),
      write: (request) => send(request, (link, timeout) => link.write(request, timeout)),
    });
    const gateway = running.gateway.id;
    if (wasSent(written))
      await this.#world.journal.note({ ...eventOf(write, written), gateway, by });
    return written;
  }

  async #inTurn(
    { gateway, schedules }: RunningGateway,
    direction: Direction,
    { unitId }: Request,
    send: Send,
  ): Promise<Answer> {
    const [schedule] = schedules;
    if (schedule === undefined) throw absent(direction);
    if (this.#waiting >= MOST_WAITING) {
      const text = "Too many requests wait for their turn; try again.";
      throw new UnavailableError("NO_ANSWER", text);
    }
    const { clock } = this.#world;
    const { lane, link } = schedule;
    this.#waiting++;
    let turn: () => void = () => undefined;
    const granted = new Promise<void>((resolve) => (turn = resolve));
    const ticket = lane.enterCommand(clock.elapsed() + PATIENCE, turn);
    try {
      await granted;
      // A silent unit must not cost the polls more than one of their own would.
      const timeout = Math.min(direction.timeout, schedule.timeout);
      if (gateway.pause) await lane.pace.keep(unitId, gateway.pause, new Nap(clock));
      const answer = await send(link, timeout);
      if (answer.sentAt !== null) lane.pace.ended(unitId, answer.endedAt);
      return answer;
    } finally {
      ticket.leave();
      if (gateway.closeAfterPoll === true && lane.isFree) link.release();
      this.#waiting--;
    }
  }

  #find(direction: Direction & Request): RunningGateway {
    const { endpoint, gateway } = direction;
    const all = [...this.#world.gateways.all];
    const found = all.find((running) =>
      endpoint === undefined
        ? running.gateway.id === gateway
        : this.#world.endpoint(running.gateway).key === endpoint,
    );
    if (found === undefined) throw absent(direction);
    refuseOtherSettings(direction, found.gateway);
    return found;
  }
}

type Request = Pick<ReadRequest | WriteRequest, "unitId">;
type Send = (link: Link, timeout: number) => Promise<Answer>;

/** A line has one speed and parity at a time: those of the polls. */
function refuseOtherSettings({ line, unitId }: Direction & Request, { id, connection }: Gateway) {
  if (line === undefined || connection.kind !== "serial") return;
  const [wanted, spoken] = [line, connection].map(
    ({ baud, parity, stopBits }) =>
      `baud=${String(baud)}&parity=${parity}&stop=${String(stopBits)}`,
  );
  if (wanted === spoken) return;
  throw new UsageError(
    "USAGE",
    `Gateway ${id} of the node that runs speaks ${String(spoken)} on this line, not ${String(wanted)}: a line ` +
      `has one setting at a time. Next: the same with ${shellWord(`${connection.url}/${String(unitId)}`)}`,
  );
}

function absent({ endpoint, gateway }: Direction): UnavailableError {
  const what = endpoint ?? gateway ?? "endpoint";
  return new UnavailableError("NO_ANSWER", `The node that runs has no ${what}.`);
}

/** How a write is told on the audit trail. */
const TOLD: Readonly<Record<Verdict, string>> = {
  unasked: "was not sent",
  unsent: "was not sent",
  refused: "was refused",
  confirmed: "was read back",
  differs: "was answered, but it holds something else",
  unconfirmed: "was answered, but can't be read back",
  unchanged: "was not answered, and it holds what it held",
  unknown: "was not answered; whether it was carried out is not known",
};

function wasSent({ verdict }: Written): boolean {
  return verdict !== "unasked" && verdict !== "unsent";
}

function eventOf(write: DirectWrite & Direction, written: Written): Happening {
  const { unitId, table, address, words } = write;
  const { verdict, before, after, failure, function: code } = written;
  const change = `${before === undefined ? "?" : hexOf(before)} -> ${hexOf(words)}`;
  const where = `${table} ${String(address)} (${referenceOf(table, address)}) of unit ${String(unitId)}`;
  const exception = failure?.exception === undefined ? {} : { exception: failure.exception };
  return {
    kind: "registers-written",
    text: `the write of ${where}, ${change}, ${TOLD[verdict]}`,
    data: { unitId, table, address, function: code, words, before, after, verdict, ...exception },
  };
}

function hexOf(words: readonly number[]): string {
  return words.map((word) => word.toString(16).toUpperCase().padStart(4, "0")).join(" ");
}
