/** The embedded broker: aedes with bounds for what its clients may do. */
import type { EventEmitter } from "node:events";
import { Aedes } from "aedes";
import type { AedesOptions, AuthenticateError, Client } from "aedes";
import type { Log } from "../core/ports.ts";

/** ms; as long as one frozen subscriber can hold up all others: less than 5 s, also on a busy machine. */
const DRAIN_TIMEOUT = 4_000;
/** ms from the connect to the end of the login. */
const CONNECT_TIMEOUT = 10_000;
/** Seconds; a client that is gone is noticed after one and a half times its keepalive. */
const KEEPALIVE_LIMIT = 120;
/** CONNACK return code of MQTT 3.1.1 (3.2.2.3). */
const IDENTIFIER_REJECTED = 2;

/** A broker that takes clients through `handle`; no client, however it behaves, ends the process. */
export async function createBroker(log: Log): Promise<Aedes> {
  const broker = await Aedes.createBroker({
    drainTimeout: DRAIN_TIMEOUT,
    connectTimeout: CONNECT_TIMEOUT,
    keepaliveLimit: KEEPALIVE_LIMIT,
    ...cleanSessionsOnly(),
  });
  broker.on("clientError", (client, error) => {
    log.debug({ client: client.id, error: error.message }, "An MQTT client was dropped.");
  });
  broker.on("connectionError", (_client, error) => {
    log.debug({ error: error.message }, "An MQTT connection was dropped before its login.");
  });
  // Not among the typed events of aedes, but emitted when its store fails: unheard it ends the process.
  const emitter: EventEmitter = broker;
  emitter.on("error", (error: unknown) => {
    log.error({ error: String(error) }, "The embedded broker reports an error.");
  });
  return broker;
}

/**
 * Every session is made a clean one: aedes queues without limit for a client that is away.
 * The CONNACK says "no session present", which a client with `clean: false` has to be ready for.
 */
function cleanSessionsOnly(): Pick<AedesOptions, "preConnect" | "authenticate"> {
  const nameless = new WeakSet<Client>();
  return {
    preConnect: (client, packet, done) => {
      // A session can't be kept for nobody [MQTT-3.1.3-8].
      if (packet.clean !== true && packet.clientId === "") nameless.add(client);
      packet.clean = true;
      done(null, true);
    },
    authenticate: (client, _username, _password, done) => {
      if (nameless.has(client)) done(identifierRejected(), false);
      else done(null, true);
    },
  };
}

function identifierRejected(): AuthenticateError {
  const error = new Error("a session without clean needs a client id");
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- aedes declares the code in an enum that is not there at run time
  return Object.assign(error, { returnCode: IDENTIFIER_REJECTED });
}
