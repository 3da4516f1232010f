/** SIGHUP, taken before the node is loaded. */
export { Hangups } from "../system/signals.ts";
