/** The endpoint that a command works at: under its lock, or through the node that holds it. */
import { existsSync } from "node:fs";
import { askControl } from "../control/client.ts";
import { LockedError } from "../core/errors.ts";
import { longestAnswer, type Gateway, type LineSettings } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { ConnectingLink } from "../modbus/connecting-link.ts";
import { Names } from "../modbus/names.ts";
import { createClock } from "../system/clock.ts";
import { pid } from "../system/facts.ts";
import { askHolder } from "../system/locks.ts";
import { endpointKey } from "./endpoint-key.ts";
import { lockEndpoint } from "./endpoint-lock.ts";
import { refuseDenied } from "./line-denial.ts";
import { openLink, type Reachable } from "./links.ts";
import { author } from "./remote.ts";

/** What a command needs to know of a gateway besides its connection. */
export type Manners = Pick<Gateway, "pause" | "tls" | "maxAnswerTime">;

/** How a command works at an endpoint. */
export interface Manner {
  readonly connection: Reachable;
  readonly manners?: Manners;
  /** ms, of a request. */
  readonly timeout: number;
  /** Told for how many ms a line is listened to before the first request. */
  readonly listens: (ms: number) => void;
}

/** An endpoint, its name known, not locked yet. */
export class EndpointUse {
  readonly clock: Clock;
  readonly #names: Names;
  readonly #key: string;
  /** The command, for those who find the endpoint locked. */
  readonly #command: string;
  readonly #manner: Manner;

  private constructor(manner: Manner, clock: Clock, names: Names, key: string, command: string) {
    this.#manner = manner;
    this.clock = clock;
    this.#names = names;
    this.#key = key;
    this.#command = command;
  }

  /** The endpoint of a connection. */
  static async of(manner: Manner, command: string): Promise<EndpointUse> {
    const clock = createClock();
    const names = new Names(clock);
    const key = await endpointKey(manner.connection, names, clock);
    return new EndpointUse(manner, clock, names, key, command);
  }

  /** Works with a link of the command's own, under the lock of the endpoint. Throws `LockedError`, `PermissionError`. */
  async locked<T>(work: (link: ConnectingLink) => Promise<T>): Promise<T> {
    const holder = { pid, node: `edgepoll ${this.#command}`, stateDir: "", control: "" };
    const { connection } = this.#manner;
    const lock = await lockEndpoint({ key: this.#key, connection }, holder, this.clock);
    let { isSilent } = lock;
    try {
      if (connection.kind === "serial") await refuseDenied(connection.path);
      const link = this.#link(isSilent);
      try {
        return await work(link);
      } finally {
        await link.close();
        ({ isSilent } = link);
      }
    } finally {
      await lock.release(isSilent);
    }
  }

  #link(isSilent: boolean): ConnectingLink {
    const { connection, manners = {}, timeout, listens } = this.#manner;
    const { pause, tls, maxAnswerTime } = manners;
    if (!isSilent && isThere(connection)) listens(longestAnswer(maxAnswerTime, timeout));
    const afterConnect = pause?.afterConnect ?? 0;
    const parts = { maxBackoff: 1000, afterConnect, tls, maxAnswerTime, isSilent };
    return openLink(connection, { clock: this.clock, names: this.#names, ...parts });
  }

  /**
   * Works with a link of one's own, or asks the node that holds the endpoint for the same; `patience` in ms.
   * Throws `LockedError` when somebody holds it who can't be asked.
   */
  async work<T>(
    alone: (link: ConnectingLink) => Promise<T>,
    payload: object,
    patience?: number,
  ): Promise<T> {
    // As a node of this version answers.
    return this.either(alone, (ask) => ask(payload, patience) as Promise<T>);
  }

  /** The same for work of several requests, each of which goes through that node. Throws as `work`. */
  async either<T>(
    alone: (link: ConnectingLink) => Promise<T>,
    through: (ask: (payload: object, patience?: number) => Promise<unknown>) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.locked(alone);
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      const owner = await askHolder(this.#lock);
      if (owner === undefined || owner.control === "") throw error;
      return through((payload, patience) => {
        const { connection } = this.#manner;
        const line = connection.kind === "serial" ? { line: settingsOf(connection) } : {};
        const args = { payload: { ...payload, ...line, endpoint: this.#key }, by: author() };
        return askControl(owner.control, this.#command, args, patience);
      });
    }
  }

  get #lock(): string {
    return `endpoint:${this.#key}`;
  }
}

function settingsOf({ baud, parity, stopBits }: LineSettings): LineSettings {
  return { baud, parity, stopBits };
}

/** Nobody listens to a line that is not there. */
function isThere(connection: Reachable): boolean {
  return connection.kind !== "serial" || existsSync(connection.path);
}
