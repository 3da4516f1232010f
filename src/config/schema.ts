/** The whole configuration as one schema. Types are inferred from it, the JSON Schema is exported. */
import { z } from "zod";
import { PROBE } from "./probe.ts";
import { failureThreshold, gateway, probe, retries, timeout } from "./schema-gateway.ts";
import {
  duration,
  integer,
  interval,
  later,
  listOf,
  oneOf,
  section,
  size,
  text,
} from "./schema-kinds.ts";
import { mqtt, node } from "./schema-mqtt.ts";

const kept = (fallback: string) => duration("1d", "100y").prefault(fallback);

const keep = section({
  outcomes: kept("30d").describe("How long the outcome of each slot is kept; then totals remain."),
  audit: kept("400d").describe("How long the audit trail is kept."),
  hourly: kept("5y").describe("How long hourly totals are kept."),
  maxBytes: size("1MiB", "100TiB")
    .prefault("1GiB")
    .describe("Bytes of all that is kept, the spool aside; beyond it the oldest outcomes go."),
});

const store = section({
  claimAhead: duration("0ms", "10s")
    .optional()
    .describe(
      "How far ahead slots are claimed; default: as long as a commit takes here, at most 250ms. " +
        "More saves an SD card syncs, and costs unknown slots after a crash.",
    ),
  keep: keep.prefault({}).describe("How long the past is kept, in elapsed time."),
});

const log = section({
  level: oneOf(["debug", "info", "warn", "error"])
    .prefault("info")
    .describe("The least that is logged."),
});

const defaults = section({
  interval: interval().prefault("10s").describe("Time between two slots."),
  timeout: timeout()
    .prefault("1s")
    .describe("How long one request may take, at most half the interval."),
  retries: retries().prefault(1).describe("Further attempts of a request within its slot."),
  failureThreshold: failureThreshold()
    .prefault(10)
    .describe(
      "Polls in a row without an answer, over 10 s at least, after which a device is left out.",
    ),
  probe: probe(PROBE)
    .optional()
    .describe("When a device that was left out is asked again, or never."),
});

const http = section({
  host: text(253).prefault("127.0.0.1").describe("Address to listen on."),
  port: integer(1, 65_535).prefault(9464).describe("TCP port to listen on."),
});

const budget = section({
  warn: integer(1, 1000)
    .prefault(80)
    .describe("Percent of an endpoint's time beyond which there is a warning."),
  refuse: z
    .union([z.literal("never"), integer(1, 1000)], {
      error: "must be never, or a whole number from 1 to 1000",
    })
    .prefault(100)
    .describe("Percent of a serial line's time beyond which it is a mistake, or never."),
});

/** The configuration file. */
export const configSchema = section({
  node,
  stateDir: text(4096)
    .optional()
    .describe("Directory of the store, relative to this file; default: the system's."),
  mqtt: mqtt.prefault({}).describe("The way to the broker."),
  http: later(http.optional().describe("Metrics and health over HTTP; off unless given.")),
  store: store.prefault({}).describe("What is kept on disk."),
  log: log.prefault({}).describe("The log."),
  budget: budget.prefault({}).describe("How much of a line's time the plan may take."),
  defaults: defaults.prefault({}).describe("What gateways, devices and points do not say."),
  gateways: listOf(gateway).describe("The Modbus endpoints."),
});

/** The configuration as checked: defaults filled, durations in ms, sizes in bytes. */
export type Settings = z.output<typeof configSchema>;
