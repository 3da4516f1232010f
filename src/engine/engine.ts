/** The running engine: puts its parts together, starts and stops them in order. */
import type { Reply } from "../core/command.ts";
import type { Refusal, Site } from "../core/model.ts";
import { infoOf, type AuditEvent } from "../core/payloads.ts";
import type { Entry, Range } from "../core/ports.ts";
import { EVERYTHING, keys } from "../core/records.ts";
import { topicsOf } from "../core/topics.ts";
import { Age } from "./age.ts";
import type { Audit } from "./audit.ts";
import { BrokerNotes } from "./broker-notes.ts";
import { Changes } from "./changes.ts";
import { LONGEST_LEAD } from "./claimer.ts";
import { ClockNotes } from "./clock-notes.ts";
import { ClockTrust } from "./clock-trust.ts";
import { closeEngine } from "./closing.ts";
import { Commands } from "./commands.ts";
import { Committer } from "./committer.ts";
import { Devices, type DeviceChange } from "./devices.ts";
import { newsOf } from "./device-news.ts";
import type { DirectAnswer } from "./direct-answer.ts";
import { DirectRequests, type DirectRead, type Direction } from "./direct-requests.ts";
import type { DirectWrite, Written } from "./direct-write.ts";
import type { EngineWorld } from "./engine-world.ts";
import { Faults } from "./faults.ts";
import { Gateways } from "./gateways.ts";
import { Health } from "./health.ts";
import { Journal, readAudit, type AuditQuery, type Happening } from "./journal.ts";
import { Learning } from "./learning.ts";
import { Ledger } from "./ledger.ts";
import { nodeAudit } from "./node-audit.ts";
import { Opening, type StartReport } from "./opening.ts";
import { Poller } from "./poller.ts";
import { Publisher } from "./publisher.ts";
import { Reload, type Current } from "./reload.ts";
import { Reporter } from "./reporter.ts";
import { Scheduler } from "./scheduler.ts";
import { Spool } from "./spool.ts";
import { SpoolBounds } from "./spool-bounds.ts";
import { reportSpool, type SpoolReport } from "./spool-report.ts";
import { startedEvent, type Why } from "./start-note.ts";
import { noteMigration, noteRepair, repairOf } from "./store-notes.ts";
import { Transactions } from "./transactions.ts";
import { Upkeep } from "./upkeep.ts";

/** A node's engine. */
export class Engine {
  readonly #world: EngineWorld;
  readonly #current: Current;
  readonly #faults: Faults;
  readonly #committer: Committer;
  readonly #spool: Spool;
  readonly #publisher: Publisher;
  readonly #journal: Journal;
  readonly #ledger: Ledger;
  readonly #poller: Poller;
  readonly #scheduler: Scheduler;
  readonly #gateways: Gateways;
  readonly #reporter: Reporter;
  readonly #transactions: Transactions;
  readonly #commands: Commands;
  readonly #spoolBounds: SpoolBounds;
  readonly #age: Age;
  readonly #upkeep: Upkeep;
  readonly #clockNotes: ClockNotes;
  readonly #brokerNotes: BrokerNotes;
  readonly #trust: ClockTrust;
  readonly #opening: Opening;
  readonly #direct: DirectRequests;
  readonly #audit: Audit;

  constructor(world: EngineWorld) {
    const { site, clock, log, store, bus } = world;
    const { node } = site;
    const topics = topicsOf(site.baseTopic);
    this.#world = world;
    const current = (this.#current = { site });
    const faults = (this.#faults = this.#newFaults());
    const committer = (this.#committer = new Committer(store, clock, log));
    const age = (this.#age = new Age(clock));
    const spool = (this.#spool = new Spool(store, log, age));
    const forget = committer.later.bind(committer);
    const publisher = (this.#publisher = new Publisher({
      ...{ bus, clock, log, topics, spool, forget, faults },
    }));
    const spooled = publisher.pump;
    const kept = { node, clock, log, store, committer, spool, spooled };
    const journal = (this.#journal = new Journal({ ...kept, stamping: age.stamping }));
    const missed = (gateway: string, slots: number) => {
      devices.of(gateway)?.rate.missed(clock.elapsed(), slots);
    };
    const ledger = (this.#ledger = new Ledger({ node, committer, spool, clock, spooled, missed }));
    const devices = new Devices(clock, world.random, (change) => {
      this.#deviceChanged(change);
    });
    const learning = this.#newLearning(journal);
    this.#poller = new Poller({ node, clock, log, ledger, devices, faults, learning });
    const bounds = { ...site.spool, diskRoom: world.diskRoom };
    const bounded = { clock, log, store, committer, journal, spool, age };
    this.#spoolBounds = new SpoolBounds({ ...bounded, ...bounds });
    this.#clockNotes = new ClockNotes(clock, journal);
    this.#brokerNotes = new BrokerNotes(bus, world.self.clientId, clock, journal);
    const trust = (this.#trust = new ClockTrust(clock, world.wallClock));
    const scheduler = (this.#scheduler = this.#newScheduler());
    const changed = (gateway: string) => {
      this.#reporter.touch(gateway);
    };
    const known = { clock, scheduler, devices, journal, learning, changed };
    const gateways = (this.#gateways = new Gateways(known));
    const upkeep = (this.#upkeep = this.#newUpkeep(gateways, journal));
    const { integrity, supervision } = upkeep;
    const shared = { node, clock, bus, committer, devices, gateways, publisher, scheduler, spool };
    const { endpoint, self, reread } = world;
    const drawn = { ...world, trust, spoolLimit: site.spool.maxBytes };
    const health = new Health({ ...shared, ...drawn, integrity, supervision, faults });
    this.#direct = new DirectRequests({ clock, gateways, endpoint, journal });
    const opened = { current, clock, store, ledger, devices, gateways, journal, endpoint };
    const opening = (this.#opening = new Opening({ ...opened, stepped: this.#clockNotes.stepped }));
    const telling = { ...shared, current, topics, health, write: forget, self };
    const reporter = (this.#reporter = new Reporter(telling));
    const reload = new Reload({ ...shared, current, journal, ledger, opening, reporter, reread });
    const changes = new Changes({ gateways, devices, health });
    const transactions = (this.#transactions = new Transactions(clock, forget));
    const audited = { ...world, ...shared, current, topics, journal, transactions };
    const audit = (this.#audit = nodeAudit({ ...audited, inTurn: upkeep.inTurn }));
    this.#commands = new Commands({
      ...{ node, clock, log, topics, committer, gateways, health, changes, transactions },
      ...{ integrity, audit, faults, current, reload },
      reply: publisher.reply.bind(publisher),
    });
  }

  /** Takes up all schedules from the store, then polls and publishes; `wasStopped` as far as is on record. */
  async open(wasStopped = true): Promise<StartReport> {
    const { site, store, bus, self } = this.#world;
    await this.#trust.load(store, Math.max(site.claimAhead ?? 0, LONGEST_LEAD));
    await this.#spool.load();
    await this.#age.load(store);
    await this.#transactions.load(store);
    const repaired = await repairOf(store);
    const report = await this.#opening.restore(repaired !== undefined);
    const before = await store.get(keys.retained);
    bus.onMessage(this.#faults.guarded("in a message of the broker", this.#commands.receive));
    // A list of topics, as written by the reporter.
    this.#reporter.open(before === undefined ? [] : (JSON.parse(before) as string[]));
    await noteMigration(store, this.#journal, this.#committer);
    await noteRepair(repaired, this.#journal, this.#committer, this.#upkeep.integrity);
    const hasDied = !wasStopped && report.known > 0;
    const { version } = self;
    await this.#journal.note(startedEvent({ node: site.node, version, hasDied }, report));
    this.#clockNotes.open();
    this.#brokerNotes.open();
    this.#scheduler.open();
    this.#spoolBounds.open();
    this.#upkeep.open();
    this.#publisher.pump();
    return report;
  }

  /** Takes an error that nobody caught. */
  uncaught(error: unknown): void {
    this.#faults.note(error, "which nobody caught");
  }

  /** Carries out a command of the control socket. */
  ask(verb: string, payload: string, by: string): Promise<Reply> {
    return this.#commands.ask(verb, payload, by);
  }

  get site(): Site {
    return this.#current.site;
  }

  /** Registers that a device is known to refuse. */
  refused(gateway: string, device: string): readonly Refusal[] {
    const [schedule] = this.#gateways.get(gateway)?.schedules ?? [];
    return schedule?.devices.states.get(device)?.learned.refused ?? [];
  }

  /** Who this is, as on `node/info`. */
  info(): object {
    return infoOf(this.#current.site, this.#world.self);
  }

  /** Reads what a person wants to see, through the lane of the endpoint. Throws `UnavailableError`. */
  read(read: DirectRead): Promise<DirectAnswer> {
    return this.#direct.read(read);
  }

  /** Writes what a person wants to have written, the same way. Throws `UnavailableError`. */
  write(write: DirectWrite & Direction, by: string): Promise<Written> {
    return this.#direct.write(write, by);
  }

  /** All records as they are on disk now, or those of a range, page by page. */
  snapshot(range: Pick<Range, "from" | "to"> = EVERYTHING): AsyncGenerator<readonly Entry[]> {
    return this.#world.store.scan(range);
  }

  /** What waits for the broker. */
  spooled(): Promise<SpoolReport> {
    return reportSpool(this.#spool);
  }

  /** Puts an event on the audit trail; never rejects. */
  note(happening: Happening): Promise<void> {
    return this.#journal.note(happening);
  }

  /** The audit trail. */
  audit(query: AuditQuery): Promise<AuditEvent[]> {
    return readAudit(this.#world.store, query);
  }

  /** Ends polls, writes outcomes, publishes for at most 3 s, and says offline. The caller closes the ports. */
  async close(why?: Why): Promise<void> {
    const { bus, clock } = this.#world;
    await closeEngine({
      ...{ bus, clock, why, node: this.site.node },
      ...{ committer: this.#committer, gateways: this.#gateways },
      ...{ journal: this.#journal, ledger: this.#ledger, publisher: this.#publisher },
      watches: [
        ...[this.#scheduler, this.#spoolBounds, this.#upkeep],
        ...[this.#audit, this.#brokerNotes],
      ],
      reporter: this.#reporter,
    });
  }

  #newFaults(): Faults {
    const { clock, log, giveUp } = this.#world;
    const tell = (happening: Happening) => void this.#journal.note(happening);
    return new Faults({ clock, log, tell, giveUp });
  }

  #newUpkeep(gateways: Gateways, journal: Journal): Upkeep {
    const { site, clock, log, store, storeBytes } = this.#world;
    const less = (all: number | null) => (all === null ? null : all - this.#spool.waiting.bytes);
    const bytes = () => less(storeBytes());
    const [committer, age, spool] = [this.#committer, this.#age, this.#spool];
    const parts = { clock, log, store, gateways, journal, bytes, keep: site.keep };
    return new Upkeep({ ...parts, committer, age, spool, scheduler: this.#scheduler });
  }

  #newScheduler(): Scheduler {
    const { clock, site, passed } = this.#world;
    const { claimAhead } = site;
    const { stepped, suspended, look } = this.#clockNotes;
    return new Scheduler({
      ...{ clock, stepped, suspended, look, passed, trust: this.#trust },
      ledger: this.#ledger,
      committer: this.#committer,
      ...(claimAhead === undefined ? {} : { claimAhead }),
      poll: this.#poller.poll,
      faults: this.#faults,
    });
  }

  #newLearning(journal: Journal): Learning {
    const schedules = (gateway: string) => this.#gateways.get(gateway)?.schedules ?? [];
    return new Learning(journal, schedules, (gateway) => {
      this.#changed(gateway);
    });
  }

  #changed(gateway: string): void {
    this.#reporter.touch(gateway);
    const running = this.#gateways.get(gateway);
    if (running !== undefined) this.#committer.later([this.#gateways.keep(running)]);
  }

  #deviceChanged(change: DeviceChange): void {
    this.#changed(change.gateway);
    const news = newsOf(change, this.#world.clock);
    if (news !== undefined) void this.#journal.note(news);
  }
}
