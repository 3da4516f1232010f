/** The version, without loading anything else. */
export { version } from "../system/facts.ts";
