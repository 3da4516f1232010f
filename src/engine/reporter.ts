/** Publishes retained state: health when it changes and on a beat, availability, meta and who this is. */
import { infoOf, metaOf } from "../core/payloads.ts";
import type { Bus, Clock, Write } from "../core/ports.ts";
import { keys } from "../core/records.ts";
import type { Topics } from "../core/topics.ts";
import type { Devices } from "./devices.ts";
import type { Gateways, RunningGateway } from "./gateways.ts";
import type { Health } from "./health.ts";
import type { Publisher } from "./publisher.ts";
import type { Current } from "./reload.ts";
import { phaseFor } from "./restore.ts";

/** Beats of a second: health of a gateway and of the node is published at least this often. */
const GATEWAY_EVERY = 60;
const NODE_EVERY = 30;
const BEAT = 1000;

/** What the reporter works with. */
export interface ReporterWorld {
  readonly current: Current;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly topics: Topics;
  readonly devices: Devices;
  readonly gateways: Gateways;
  readonly health: Health;
  readonly publisher: Publisher;
  readonly write: (writes: readonly Write[]) => void;
  readonly self: { version: string; started: number; pid: number; clientId: string };
}

/** Publishes retained state. */
export class Reporter {
  readonly #world: ReporterWorld;
  readonly #dirty = new Set<string>();
  /** Topics that are published retained and hold something. */
  readonly #topics = new Set<string>();
  /** Topics of what is gone, until the broker has taken their end. */
  readonly #clearing = new Set<string>();
  #kept = "";
  #keptSize = 0;
  #beats = 0;
  #cancel: (() => void) | undefined;

  constructor(world: ReporterWorld) {
    this.#world = world;
  }

  /** Publishes everything once and begins the beat; clears what is retained of gateways and devices that are gone. */
  open(before: readonly string[]): void {
    this.#publishAll(before);
    void this.#node();
    // What was drawn before an outage, or while it lasted, is not how the node fares now.
    this.#world.bus.onState(() => void this.#node());
    this.#arm();
  }

  /** Publishes everything anew after the configuration has changed; clears what is retained of what is gone. */
  renew(): void {
    const before = [...this.#topics];
    this.#topics.clear();
    this.#publishAll(before);
  }

  #publishAll(before: readonly string[]): void {
    const { topics, gateways, self } = this.#world;
    const { site } = this.#world.current;
    this.#retain(topics.nodeInfo, infoOf(site, self));
    // Drawn and published in a moment; not to be cleared until then.
    this.#topics.add(topics.nodeHealth);
    for (const { gateway } of gateways.all) {
      const phase = (interval: number) => phaseFor(gateway, interval);
      this.#retain(topics.meta(gateway.id), metaOf(site.node, gateway, phase));
      this.#report(gateway.id);
    }
    this.#world.publisher.retain(topics.nodeState, "online");
    for (const topic of before) {
      if (this.#topics.has(topic) || this.#isOfDevice(topic)) continue;
      this.#world.publisher.retain(topic, "");
      this.#clearing.add(topic);
    }
    this.#keepTopics();
  }

  /** The state of a gateway changed; it is published with the next beat. */
  touch(gateway: string): void {
    this.#dirty.add(gateway);
  }

  /** Ends the beat and says that the node is offline. */
  close(): void {
    this.#cancel?.();
    this.#world.publisher.retain(this.#world.topics.nodeState, "offline");
  }

  #arm(): void {
    this.#cancel = this.#world.clock.timer(BEAT, () => {
      this.#arm();
      this.#beat();
    });
  }

  #beat(): void {
    this.#beats++;
    let turn = 0;
    for (const { gateway } of this.#world.gateways.all) {
      // Each gateway in a beat of its own, so that a thousand of them don't come in one burst.
      if (turn++ % GATEWAY_EVERY === this.#beats % GATEWAY_EVERY) this.#dirty.add(gateway.id);
    }
    for (const gateway of this.#dirty) this.#report(gateway);
    // It only grows; to put it together each second for nothing costs with a thousand gateways.
    if (this.#topics.size !== this.#keptSize || this.#clearing.size > 0) this.#keepTopics();
    this.#dirty.clear();
    if (this.#beats % NODE_EVERY === 0) void this.#node();
  }

  #report(id: string): void {
    const { gateways, health, topics } = this.#world;
    const running = gateways.get(id);
    if (running === undefined) return;
    const drawn = health.gateway(running);
    this.#retain(topics.health(id), drawn);
    this.#available(topics.availability(id), drawn.online);
    for (const { device, online } of drawn.devices) {
      if (online !== null)
        this.#available(topics.availability(id, device), online && isPolled(running));
    }
  }

  async #node(): Promise<void> {
    if (!this.#world.bus.state.connected) return;
    this.#retain(this.#world.topics.nodeHealth, await this.#world.health.node());
  }

  #available(topic: string, online: boolean): void {
    this.#topics.add(topic);
    this.#world.publisher.retain(topic, online ? "online" : "offline");
  }

  #retain(topic: string, payload: object): void {
    this.#topics.add(topic);
    this.#world.publisher.retain(topic, JSON.stringify(payload));
  }

  /** Retained topics of devices that are configured but were not polled yet in this run. */
  #isOfDevice(topic: string): boolean {
    const { current, topics } = this.#world;
    return current.site.gateways.some(({ id, devices }) =>
      devices.some(
        (device) =>
          topic === topics.availability(id, device.id) ||
          (device.retain && topic === topics.readings(id, device.id)),
      ),
    );
  }

  /** The list of retained topics is kept, so that what leaves the configuration can be cleared. */
  #keepTopics(): void {
    const { current, topics, write } = this.#world;
    for (const { id, devices } of current.site.gateways) {
      for (const device of devices)
        if (device.retain) this.#topics.add(topics.readings(id, device.id));
    }
    for (const topic of this.#clearing) {
      const isBack = this.#topics.has(topic);
      if (isBack || !this.#world.publisher.retains(topic)) this.#clearing.delete(topic);
    }
    this.#keptSize = this.#topics.size;
    const value = JSON.stringify([...this.#topics, ...this.#clearing].sort());
    if (value === this.#kept) return;
    this.#kept = value;
    write([{ key: keys.retained, value }]);
  }
}

function isPolled(running: RunningGateway): boolean {
  return running.desired.desired === "running";
}
