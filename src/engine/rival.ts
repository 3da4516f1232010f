/** Puts on the audit trail that another client fights for our client id. */
import type { Bus, BusState } from "../core/ports.ts";
import type { Journal } from "./journal.ts";

/** Notes the beginning of each fight. */
export function noteRivals(bus: Bus, clientId: string, journal: Journal): void {
  let known = false;
  bus.onState(({ rival = false }: BusState) => {
    if (rival && !known) {
      const text =
        `another client connects as ${clientId} and takes the connection over, again and again; ` +
        "give each its own mqtt.clientId";
      void journal.note({ kind: "client-id-taken", text, data: { clientId } });
    }
    known = rival;
  });
}
