/** An audit's looks at the machine and the files. */
import type { WatchedEndpoint } from "../core/audit.ts";
import { endpointName, type Gateway } from "../core/model.ts";
import type { Clock } from "../core/ports.ts";
import type { AuditLooks } from "../engine/audit.ts";
import { Names } from "../modbus/names.ts";
import { pid } from "../system/facts.ts";
import { lookAtMachine } from "../system/machine.ts";
import { removeStray, strayFiles } from "./stray-files.ts";

/** ms all names together may take to resolve. */
const RESOLVE = 2000;

/** The looks of a process; `stateDir` is a real path. */
export function auditLooks(stateDir: string, clock: Clock): AuditLooks {
  return {
    machine: async (gateways) => {
      const endpoints = await watchedEndpoints(gateways, clock);
      return { look: await lookAtMachine({ endpoints, own: [pid], clock }), endpoints };
    },
    files: () => strayFiles(stateDir, clock),
    removeFile: (finding) => removeStray(finding, clock),
  };
}

/** The endpoints of gateways; simulators are the node's own. */
export async function watchedEndpoints(
  gateways: readonly Gateway[],
  clock: Clock,
): Promise<WatchedEndpoint[]> {
  const byName = new Map<string, Gateway[]>();
  for (const gateway of gateways) {
    if (gateway.connection.kind === "simulator") continue;
    const name = endpointName(gateway);
    byName.set(name, [...(byName.get(name) ?? []), gateway]);
  }
  const names = new Names(clock);
  return Promise.all(
    [...byName].map(async ([name, sharing]): Promise<WatchedEndpoint> => {
      const ids = sharing.map(({ id }) => id);
      const connection = sharing[0]?.connection;
      if (connection?.kind === "serial") return { name, gateways: ids, tty: connection.path };
      if (connection === undefined || connection.kind === "simulator")
        return { name, gateways: ids };
      const { host, port } = connection;
      return { name, gateways: ids, port, addresses: await addressesOf(names, clock, host) };
    }),
  );
}

function addressesOf(names: Names, clock: Clock, host: string): Promise<string[]> {
  return new Promise((resolve) => {
    const cancel = clock.timer(RESOLVE, () => {
      resolve([]);
    });
    names.find(host, (_, addresses) => {
      cancel();
      resolve(addresses.map(({ address }) => address));
    });
  });
}
