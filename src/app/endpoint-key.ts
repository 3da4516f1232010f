/** The name an endpoint is known by, whatever the configuration calls it: its lane and its lock go by it. */
import type { LookupAddress } from "node:dns";
import { realpath } from "node:fs/promises";
import type { Clock } from "../core/ports.ts";
import type { Names } from "../modbus/names.ts";
import type { Reachable } from "./links.ts";

/** ms a name may take to resolve; after that the name itself stands for the endpoint. */
const RESOLVE = 2000;

/** Address and port, or the real path of a serial line; one that is not plugged in has only its name. */
export async function endpointKey(
  connection: Reachable,
  names: Pick<Names, "find">,
  clock: Pick<Clock, "timer">,
): Promise<string> {
  if (connection.kind === "serial") return realPath(clock, connection.path);
  const { host, port } = connection;
  return `${await resolveHost(names, clock, host)}:${String(port)}`;
}

function realPath(clock: Pick<Clock, "timer">, path: string): Promise<string> {
  return new Promise((resolve) => {
    const cancel = clock.timer(RESOLVE, () => {
      resolve(path);
    });
    void realpath(path)
      .catch(() => path)
      .then((found) => {
        cancel();
        resolve(found);
      });
  });
}

/**
 * The address a host is known by; its name when that can't be resolved in time. Of several it is the
 * first IPv4 address by its text: name servers turn their answers round, and `localhost` is ::1 first
 * on many systems, but must share its lane and lock with 127.0.0.1.
 */
export function resolveHost(
  names: Pick<Names, "find">,
  clock: Pick<Clock, "timer">,
  host: string,
): Promise<string> {
  return new Promise<string>((resolve) => {
    const cancel = clock.timer(RESOLVE, () => {
      resolve(host.toLowerCase());
    });
    names.find(host, (_, addresses) => {
      cancel();
      const [first] = [...addresses].sort(byFamilyAndText);
      resolve(first?.address ?? host.toLowerCase());
    });
  });
}

function byFamilyAndText(a: LookupAddress, b: LookupAddress): number {
  return a.family - b.family || (a.address < b.address ? -1 : 1);
}
