/** Commands, from MQTT or the control socket: checked, carried out once, answered. */
import {
  commandOf,
  fieldsOf,
  Refused,
  targetsOf,
  transactionOf,
  verbOf,
  type Command,
  type Reply,
} from "../core/command.ts";
import { StoreError, messageOf } from "../core/errors.ts";
import type { Clock, Incoming, Log, Message, Write } from "../core/ports.ts";
import { responseTopicFault, type Topics } from "../core/topics.ts";
import type { Audit } from "./audit.ts";
import type { Changes } from "./changes.ts";
import type { Committer } from "./committer.ts";
import type { Faults } from "./faults.ts";
import type { Gateways } from "./gateways.ts";
import type { Health } from "./health.ts";
import type { Integrity } from "./integrity.ts";
import type { Current, Reload } from "./reload.ts";
import type { Transactions } from "./transactions.ts";
import { turns } from "./turns.ts";

/** Commands that wait while one is carried out; more are refused. */
const MOST_WAITING = 64;
/** Audits at a time, one carried out and the others waiting. */
const MOST_AUDITS = 4;

/** What commands work with. */
export interface CommandsWorld {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly topics: Topics;
  readonly current: Current;
  readonly committer: Committer;
  readonly gateways: Gateways;
  readonly health: Health;
  readonly integrity: Integrity;
  readonly audit: Pick<Audit, "run">;
  readonly changes: Changes;
  readonly reload: Reload;
  readonly transactions: Transactions;
  readonly reply: (message: Message) => void;
  readonly faults: Pick<Faults, "note">;
}

/** Carries commands out, one after the other. */
export class Commands {
  readonly #world: CommandsWorld;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #audits = 0;
  readonly #auditInTurn = turns();

  constructor(world: CommandsWorld) {
    this.#world = world;
  }

  /** Takes a message of the command topics and sends the reply. Never throws, never rejects. */
  receive = (message: Incoming): void => {
    const { topics, log } = this.#world;
    const name = topics.verbOf(message.topic);
    if (name === undefined) return;
    if (message.retain) {
      log.warn({ topic: message.topic }, "a retained command is ignored; clear it");
      return;
    }
    void this.ask(name, message.payload, "mqtt").then((reply) => {
      this.#send(name, message, reply);
    });
  };

  /** Carries out a command given by its verb and payload; never rejects. */
  async ask(name: string, payload: string, by: string): Promise<Reply> {
    let transaction: string | undefined;
    try {
      const fields = fieldsOf(payload);
      transaction = transactionOf(fields);
      const command = commandOf(verbOf(name), fields);
      // It takes its time, and nobody who wants to stop the plant shall wait for it.
      if (command.verb === "validate") return await this.#validate(command);
      if (command.verb === "audit") return await this.#audit(command, by);
      if (command.verb === "reload") return await this.#reload(command, by);
      return await this.#inTurn(() => this.#once(command, by));
    } catch (error) {
      return this.#refuse(error, transaction);
    }
  }

  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING) throw new Refused("busy", "too many commands are waiting");
    this.#waiting++;
    const turn = this.#tail.then(act);
    this.#tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  async #once(command: Command, by: string): Promise<Reply> {
    const { transactions } = this.#world;
    const { transaction } = command;
    const answered = transaction === undefined ? undefined : transactions.answered(transaction);
    if (answered !== undefined) return answered;
    this.#refuseExpired(command);
    return command.verb === "status" ? this.#status(command) : this.#change(command, by);
  }

  #refuseExpired({ expiresAt }: Command): void {
    if (expiresAt === undefined || this.#world.clock.wall() <= expiresAt) return;
    throw new Refused("expired", "the command came after its expiresAt; it was not carried out");
  }

  async #validate(command: Command): Promise<Reply> {
    this.#refuseExpired(command);
    const targets = this.#targets(command);
    // All: also those that have left the configuration.
    const gateways = command.gateways === "*" ? {} : { gateways: targets };
    const data = await this.#world.integrity.validate({ since: command.since ?? 0, ...gateways });
    return this.#ok(data, command);
  }

  /** One after the other, so that the same transaction, coming twice, is carried out once. */
  async #audit(command: Command, by: string): Promise<Reply> {
    if (this.#audits >= MOST_AUDITS)
      throw new Refused("busy", "an audit is on its way; ask again in a while");
    this.#audits++;
    try {
      return await this.#auditInTurn(() => this.#auditOnce(command, by));
    } finally {
      this.#audits--;
    }
  }

  async #auditOnce(command: Command, by: string): Promise<Reply> {
    const { audit, transactions } = this.#world;
    const { transaction, clean = false } = command;
    const answered = transaction === undefined ? undefined : transactions.answered(transaction);
    if (answered !== undefined) return answered;
    this.#refuseExpired(command);
    const targets = command.gateways === "*" ? undefined : this.#targets(command);
    const data = await audit.run({ clean, ...(targets === undefined ? {} : { targets }) }, by);
    const reply = this.#ok(data, command);
    if (transaction === undefined || !clean) return reply;
    await this.#keep(this.#answerWrites(command, reply), "what is listed was removed, but that");
    transactions.remember(transaction, reply);
    return reply;
  }

  /** Reading the configuration takes its time as well; only the change itself is made in turn. */
  async #reload(command: Command, by: string): Promise<Reply> {
    const { reload, transactions } = this.#world;
    const { transaction } = command;
    const answered = transaction === undefined ? undefined : transactions.answered(transaction);
    if (answered !== undefined) return answered;
    this.#refuseExpired(command);
    const reply = this.#ok(await reload.run(by, this.#inTurn.bind(this)), command);
    await this.#keep(
      this.#answerWrites(command, reply),
      "the configuration was read again, but that",
    );
    if (transaction !== undefined) transactions.remember(transaction, reply);
    return reply;
  }

  async #status(command: Command): Promise<Reply> {
    const { gateways, health } = this.#world;
    const found = this.#targets(command).flatMap((id) => gateways.get(id) ?? []);
    const data = {
      node: await health.node(),
      gateways: found.map((running) => health.gateway(running)),
    };
    return this.#ok(data, command);
  }

  async #change(command: Command, by: string): Promise<Reply> {
    const { changes, transactions } = this.#world;
    const change = changes.of(command, this.#targets(command), by);
    change.before();
    const writes = change.writes();
    const reply = this.#ok(change.data(), command);
    await this.#keep([...writes, ...this.#answerWrites(command, reply)], change.unwritten);
    if (command.transaction !== undefined) transactions.remember(command.transaction, reply);
    change.after();
    return reply;
  }

  async #keep(writes: readonly Write[], unwritten: string): Promise<void> {
    if (writes.length === 0) return;
    try {
      await this.#world.committer.commit(writes);
    } catch (error) {
      const why = `could not be written to disk: ${messageOf(error)}`;
      throw new Refused("store_failed", `${unwritten} ${why}`);
    }
  }

  #targets(command: Command): string[] {
    const { gateways, current } = this.#world;
    return targetsOf(command.gateways, gateways.ids, current.site.disabledGateways);
  }

  #answerWrites({ transaction }: Command, reply: Reply): Write[] {
    return transaction === undefined ? [] : [this.#world.transactions.write(transaction, reply)];
  }

  #ok(data: unknown, { transaction }: Command): Reply {
    const { node } = this.#world;
    return { node, status: "ok", data, ...(transaction === undefined ? {} : { transaction }) };
  }

  #refuse(error: unknown, transaction: string | undefined): Reply {
    const { node, faults } = this.#world;
    const refused = refusalOf(error);
    if (refused.code === "internal") faults.note(error, "in a command");
    const { code, message } = refused;
    const echo = transaction === undefined ? {} : { transaction };
    return { node, status: "error", error: { code, message }, ...echo };
  }

  #send(name: string, { responseTopic, correlation }: Incoming, reply: Reply): void {
    const { topics, log } = this.#world;
    const fault =
      responseTopic === undefined ? undefined : responseTopicFault(topics, responseTopic);
    if (fault !== undefined)
      log.warn({ responseTopic }, `a response topic is refused: it ${fault}`);
    if (fault !== undefined || !/^[a-z]+$/.test(name)) return;
    this.#world.reply({
      topic: responseTopic ?? topics.reply(name),
      payload: JSON.stringify(reply),
      qos: 1,
      retain: false,
      ...(correlation === undefined ? {} : { correlation }),
    });
  }
}

/** A disk that fails is no error in edgepoll itself. */
function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  const code = error instanceof StoreError ? "store_failed" : "internal";
  return new Refused(code, messageOf(error));
}
