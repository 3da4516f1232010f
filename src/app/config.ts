/** What the configuration may be, and what it is here. */
export { explain, type Explained } from "../config/explain.ts";
export { configJsonSchema } from "../config/json-schema.ts";
export { readEffective } from "./site.ts";
export type { Effective, Origin } from "../config/written-values.ts";
