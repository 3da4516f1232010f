/** The section `gateways`, and what it shares with `defaults`. */
import { z } from "zod";
import { CONNECTION, parseConnection } from "./connection.ts";
import { device, merge } from "./schema-device.ts";
import {
  duration,
  flag,
  id,
  integer,
  interval,
  judged,
  listOf,
  section,
  text,
} from "./schema-kinds.ts";

const connectionFault = (written: string) => {
  const parsed = parseConnection(written);
  return "fault" in parsed ? parsed.fault : undefined;
};

/** How long one request may take. */
export const timeout = () => duration("1ms", "10s");

/** Further attempts of a request. */
export const retries = () => integer(0, 10);

/** Polls in a row without an answer that open a device's breaker. */
export const failureThreshold = () => integer(1, 1_000_000);

/** When a device whose breaker is open is asked again; what is not said comes from `first` and `max`. */
export const probe = (inherited: { readonly first: string; readonly max: string }) =>
  z.union(
    [
      z.literal("never"),
      section({
        first: duration("1s", "366d")
          .optional()
          .describe(`Distance of the first probe; default: ${inherited.first}.`),
        max: duration("1s", "366d")
          .optional()
          .describe(`Distance that probes widen to; default: ${inherited.max}.`),
      }),
    ],
    { error: "must be never, or a section with first and max" },
  );

const pause = section({
  afterConnect: duration("0ms", "10s").prefault("0ms").describe("Pause after a connect."),
  betweenRequests: duration("0ms", "10s").prefault("0ms").describe("Pause between two requests."),
  betweenUnits: duration("0ms", "10s")
    .prefault("0ms")
    .describe("Pause before another unit is asked, if longer than betweenRequests."),
});

const file = () => text(4096);

const tls = section({
  ca: file()
    .optional()
    .describe(
      "File with the authority of the gateway's certificate, PEM; default: those of Node.js.",
    ),
  cert: file().optional().describe("File with the certificate of this node, PEM."),
  key: file().optional().describe("File with the private key of this node, PEM."),
});

/** One Modbus endpoint as configured. */
export const gateway = section({
  id: id().describe("Name of the gateway in topics and commands."),
  connection: judged(CONNECTION, connectionFault).describe(
    "tcp://host:port (port 502 unless given), tls://host:port (802), rtu+tcp://host:port for a " +
      "converter that passes RTU frames through, serial:///path?baud=19200&parity=even&stop=1, or " +
      "simulator://model for a simulated device.",
  ),
  enabled: flag()
    .prefault(true)
    .describe("false: the gateway is checked, otherwise it is as if not there."),
  interval: interval().optional().describe("Time between two slots; default: defaults.interval."),
  phase: duration("0ms", "366d")
    .optional()
    .describe("Where in the interval the slots lie; default: from a hash of the id."),
  timeout: timeout()
    .optional()
    .describe(
      "How long one request may take, and a connect; default: defaults.timeout, at most half the interval.",
    ),
  retries: retries()
    .optional()
    .describe("Further attempts of a request within its slot; default: defaults.retries."),
  maxAnswerTime: duration("1ms", "10s")
    .optional()
    .describe(
      "How late an answer can still come; default: twice the timeout. serial:// and rtu+tcp:// are " +
        "kept silent so long after a request that got no good answer; elsewhere answers carry ids.",
    ),
  pause: pause.optional().describe("Pauses a slow device needs."),
  closeAfterPoll: flag()
    .optional()
    .describe("Whether the connection is closed after each poll; default: false."),
  merge: merge.optional().describe("When neighbouring points share a request."),
  failureThreshold: failureThreshold()
    .optional()
    .describe(
      "Polls in a row without an answer, over 10 s at least, after which a device is left out; " +
        "default: defaults.failureThreshold.",
    ),
  probe: probe({ first: "defaults.probe.first", max: "defaults.probe.max" })
    .optional()
    .describe("When a device that was left out is asked again, or never; default: defaults.probe."),
  tls: tls
    .optional()
    .describe(
      "Certificates for tls://. The other side's is always verified, by its name and authority.",
    ),
  devices: listOf(device).describe("The Modbus units behind the gateway."),
});
