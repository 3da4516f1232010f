/** The section `mqtt`. */
import { baseTopicFault, brokerFault, isLoopback } from "./broker.ts";
import {
  duration,
  flag,
  id,
  integer,
  judged,
  later,
  listOf,
  oneOf,
  refused,
  secret,
  section,
  size,
  text,
} from "./schema-kinds.ts";

const port = () => integer(1, 65_535);
const file = () => text(4096);

const tls = section({
  ca: file().optional().describe("File with the authorities trusted beside the system's, PEM."),
  cert: file().optional().describe("File with the certificate of this node, PEM."),
  key: file().optional().describe("File with the private key of this node, PEM."),
  verify: flag().prefault(true).describe("Whether the broker's certificate must be trusted."),
});

const user = section({
  name: text(128).describe("Name the client logs in with."),
  password: text(512).describe("Password hash as made by `edgepoll passwd`."),
  role: oneOf(["reader", "operator", "admin"]).describe(
    "What the user may do: subscribe, send commands, or everything.",
  ),
});

const listeningOnLoopback = (host: string) =>
  isLoopback(host)
    ? undefined
    : "must be a loopback address (127.0.0.1, ::1 or localhost): users are not in this version yet, " +
      "and without them the broker is not opened to others";

const embedded = section({
  host: judged("must be a loopback address: 127.0.0.1, ::1 or localhost", listeningOnLoopback)
    .prefault("127.0.0.1")
    .describe(
      "Address the embedded broker listens on; only this machine can reach a loopback address.",
    ),
  port: port().prefault(1883).describe("TCP port the embedded broker listens on."),
  websocket: later(
    section({ port: port().describe("TCP port for MQTT over WebSocket.") })
      .optional()
      .describe("MQTT over WebSocket beside TCP; off unless given."),
  ),
  tls: refused(
    section({
      cert: file().describe("File with the broker's certificate, PEM."),
      key: file().describe("File with the broker's private key, PEM."),
    })
      .optional()
      .describe("TLS on the embedded broker."),
  ),
  users: refused(
    listOf(user)
      .optional()
      .describe("Who may connect to the embedded broker; needed off loopback."),
  ),
});

const spool = section({
  maxBytes: size("1MiB", "1TiB")
    .prefault("256MiB")
    .describe(
      "Bytes of readings, gaps and events that wait for the broker; beyond it the oldest go.",
    ),
  maxAge: duration("1m", "5y")
    .prefault("7d")
    .describe("How long they wait for the broker before they are dropped."),
});

/** The way to the broker. */
export const mqtt = section({
  baseTopic: judged("must be a topic", baseTopicFault)
    .prefault("polling")
    .describe("Topic all others lie under; each node on a shared broker needs its own."),
  broker: judged("must be embedded, mqtt://host:port or ws://host:port/path", brokerFault)
    .prefault("embedded")
    .describe("embedded, or the URL of a broker that is already there: mqtt:// or ws://."),
  clientId: text(128)
    .optional()
    .describe("MQTT client id; default: edgepoll-<node>-<six characters kept in the store>."),
  username: text(1024).optional().describe("User at an external broker."),
  password: secret().optional().describe("Password at an external broker."),
  tls: refused(tls.optional().describe("Certificates for a broker reached over TLS.")),
  embedded: embedded.prefault({}).describe("The broker inside the process."),
  values: later(
    flag().prefault(false).describe("Whether each point is also published on a topic of its own."),
  ),
  spool: spool.prefault({}).describe("What waits on disk for the broker."),
});

/** Name of the node. */
export const node = id()
  .optional()
  .describe("Name of this node in readings; default: the host name in lower case.");
