/** The devices edgepoll can simulate, by the name in `simulator://<model>`. */
export const MODELS = ["energy-meter"] as const;

/** One of the names of `MODELS`. */
export type Model = (typeof MODELS)[number];
