/** The clock, for commands that wait. */
export { createClock } from "../system/clock.ts";
