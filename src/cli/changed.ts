/** What a start, stop or enable came to, for people. */
import { columns } from "./columns.ts";
import type { Paint } from "./paint.ts";
import type { Changed } from "./reply.ts";
import { stateWord } from "./state-word.ts";

/** A line a gateway. */
export function changedLines({ gateways }: Changed, paint: Paint): string[] {
  if (gateways.length === 0) return ["the configuration has no gateways that are enabled"];
  return columns(
    gateways.map(({ gateway, state, open }) => {
      const left = open.length === 0 ? "" : `left out by their breakers: ${open.join(", ")}`;
      return [gateway, stateWord(state, paint), left];
    }),
  );
}
