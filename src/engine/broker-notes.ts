/** Puts on the audit trail that the broker is away, is back, or ends our connections again and again. */
import { durationText } from "../core/interval-text.ts";
import type { Bus, BusState, Clock } from "../core/ports.ts";
import type { Journal } from "./journal.ts";

/** ms that the connection is gone, or stands again, before that is told. */
const SETTLED = 10_000;

/** Notes the beginning and the end of each such time. */
export class BrokerNotes {
  readonly #bus: Bus;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #journal: Journal;
  #contested = false;
  /** Elapsed time of the first loss since the connection last stood, and the last reason. */
  #lostAt: number | undefined;
  #reason: string | undefined;
  /** Whether that it is away has been told. */
  #told = false;
  #connected = false;
  #cancel: () => void = () => undefined;
  #open = false;

  constructor(bus: Bus, clientId: string, clock: Clock, journal: Journal) {
    this.#bus = bus;
    this.#clientId = clientId;
    this.#clock = clock;
    this.#journal = journal;
  }

  /** Begins. */
  open(): void {
    this.#open = true;
    this.#connected = this.#bus.state.connected;
    this.#bus.onState((state) => {
      if (this.#open) this.#changed(state);
    });
    // Told of nothing by then, the first connect has not come about.
    if (!this.#connected)
      this.#later(() => {
        this.#tellAway("has not been reached since the start");
      });
  }

  /** Ends: what the node's own end does to the connection is no news. */
  close(): void {
    this.#open = false;
    this.#cancel();
  }

  #changed({ connected, contested = false, reason }: BusState): void {
    if (contested && !this.#contested) this.#tellContest();
    this.#contested = contested;
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#cancel();
    if (connected) {
      this.#stands();
      return;
    }
    this.#lostAt ??= this.#clock.elapsed();
    this.#reason = reason;
    // Each end would be an event, before the one that names the cause.
    if (contested && !this.#told) this.#lostAt = undefined;
    else
      this.#later(() => {
        this.#tellAway("is away");
      });
  }

  #stands(): void {
    if (this.#lostAt === undefined) return;
    const away = Math.round(this.#clock.elapsed() - this.#lostAt);
    this.#later(() => {
      this.#tellBack(away);
    });
  }

  #later(tell: () => void): void {
    this.#cancel = this.#clock.timer(SETTLED, tell);
  }

  #tellContest(): void {
    const clientId = this.#clientId;
    const text =
      "the broker has ended three connections within a minute; most likely another client " +
      `connects as ${clientId} too: give each its own mqtt.clientId`;
    void this.#journal.note({ kind: "connection-contested", text, data: { clientId } });
  }

  #tellAway(what: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#lostAt ??= this.#clock.elapsed() - SETTLED;
    const reason = this.#reason ?? this.#bus.state.reason;
    const text = `the broker ${what}${because(reason)}; readings wait on disk`;
    const data = reason === undefined ? {} : { data: { reason } };
    void this.#journal.note({ kind: "broker-away", text, ...data });
  }

  /** An outage that was over before it was told is one event. */
  #tellBack(away: number): void {
    const length = durationText(away);
    const text = this.#told
      ? `the broker is back after ${length}`
      : `the broker was away for ${length}${because(this.#reason)}`;
    this.#told = false;
    this.#lostAt = undefined;
    void this.#journal.note({ kind: "broker-back", text, data: { away } });
  }
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : `: ${reason}`;
}
