/** Puts on the audit trail that the broker ends our connections again and again. */
import type { Bus, BusState } from "../core/ports.ts";
import type { Journal } from "./journal.ts";

/** Notes the beginning of each such time. */
export function noteContests(bus: Bus, clientId: string, journal: Journal): void {
  let known = false;
  bus.onState(({ contested = false }: BusState) => {
    if (contested && !known) {
      const text =
        "the broker has ended three connections within a minute; most likely another client " +
        `connects as ${clientId} too: give each its own mqtt.clientId`;
      void journal.note({ kind: "connection-contested", text, data: { clientId } });
    }
    known = contested;
  });
}
