/**
 * Where the random choices of a test begin: the same in every run, so that a change is judged by what it changed;
 * EDGEPOLL_SEED for others. The soaks draw theirs, and print it.
 */
export const SEED = Number(process.env["EDGEPOLL_SEED"] ?? 7);
