/** Opening the listener of the embedded broker, with errors a person can act on. */
import type { Server } from "node:net";
import { PermissionError, UnavailableError, messageOf } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { portHolder } from "./port-holder.ts";

/** ms; a host name that can't be resolved must not hold up the start. */
const LISTEN_TIMEOUT = 5_000;

/**
 * Settles when the server listens. Throws `UnavailableError` (`PORT_TAKEN`, `ADDRESS_UNAVAILABLE`)
 * or `PermissionError`; the server is closed then.
 */
export async function listen(
  server: Server,
  host: string,
  port: number,
  clock: Clock,
): Promise<void> {
  try {
    await listening(server, host, port, clock);
  } catch (error) {
    server.close();
    throw await explained(error, host, port);
  }
}

function listening(server: Server, host: string, port: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timer(LISTEN_TIMEOUT, () => {
      reject(new Error(`nothing came of it within ${String(LISTEN_TIMEOUT / 1000)} s`));
    });
    server.once("error", (error) => {
      cancel();
      reject(error);
    });
    server.listen({ host, port }, () => {
      cancel();
      resolve();
    });
  });
}

async function explained(error: unknown, host: string, port: number): Promise<Error> {
  const place = `${host}:${String(port)}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    const holder = await portHolder(port);
    const who =
      holder === undefined ? "another process" : `${holder.name} (pid ${String(holder.pid)})`;
    const way = "Stop that, or set mqtt.embedded.port in the configuration to a free port.";
    return new UnavailableError(
      "PORT_TAKEN",
      `The embedded broker can't listen on ${place}: the port is taken by ${who}. ${way}`,
      error,
    );
  }
  if (code === "EACCES" || code === "EPERM") {
    return new PermissionError(
      "PERMISSION",
      `The embedded broker may not listen on ${place}: ${messageOf(error)}. ` +
        "Set mqtt.embedded.port in the configuration to a port above 1023.",
      error,
    );
  }
  return new UnavailableError(
    "ADDRESS_UNAVAILABLE",
    `The embedded broker can't listen on ${place}: ${messageOf(error)}. ` +
      "Set mqtt.embedded.host in the configuration to an address of this machine, such as 127.0.0.1.",
    error,
  );
}
