/** The state of a gateway as a word in its colour. */
import type { GatewayState } from "../core/payloads.ts";
import type { Paint, Style } from "./paint.ts";

const STYLES: Readonly<Record<GatewayState, Style>> = {
  running: "green",
  degraded: "yellow",
  disabled: "red",
  stopped: "dim",
};

/** The word. */
export function stateWord(state: GatewayState, paint: Paint): string {
  return paint(STYLES[state], state);
}
