/**
 * Ten times the kills and power cuts of rows K1 and K2, and then both among devices that are slow: `npm run
 * soak:kills [-- KILLS [MINUTES]]`, 2000 of each and 60 minutes unless given. EDGEPOLL_SEED: the same again.
 * Each round has a seed of its own; a violation ends the run with its smallest window.
 */
import { killedInVain } from "../support/killed-verdict.ts";
import { killPlan, type Kind } from "../support/killer.ts";
import { buildShim } from "../support/shim.ts";

/** Kills of a round: what a round has logged is looked at as a whole. */
const ROUND = 200;
const [, , kills = "2000", minutes = "60"] = process.argv;

/** Devices that answer at once, slowly, and close to the time-out, on intervals from 300 ms to 5 s. */
const MIXED: readonly Kind[] = [
  { interval: 300, delay: 5 },
  { interval: 500, delay: 60 },
  { interval: 1000, delay: 200 },
  { interval: 2000, delay: 150 },
  { interval: 5000, delay: 250 },
];

const cleanUps: (() => unknown)[] = [];
// What the helpers of the tests need of a test: to be told when it ends, and to say something.
const test = {
  after: (clean: () => unknown) => void cleanUps.push(clean),
  diagnostic: (text: string) => {
    console.log(text);
  },
} as Parameters<typeof killedInVain>[0];

async function round(plan: Parameters<typeof killedInVain>[1]): Promise<void> {
  console.log(await killedInVain(test, plan));
  for (const clean of cleanUps.splice(0).reverse()) await clean();
}

const seed = Number(process.env["EDGEPOLL_SEED"] ?? Date.now() % 1_000_000);
const plan = killPlan();
console.log(`seed ${String(seed)}`);
for (let done = 0; done < Number(kills); done += ROUND) {
  const share = { ...plan, kills: Math.min(ROUND, Number(kills) - done), seed: seed + done };
  await round(share);
  await round({ ...share, shim: buildShim(test) });
}
const end = performance.now() + Number(minutes) * 60_000;
for (let n = 0; performance.now() < end; n += 1) {
  const mixed = { kinds: MIXED, timeout: 300, life: 3000, kills: 40, seed: seed + n };
  // Every other round is one of power cuts.
  const shim = n % 2 === 0 ? {} : { shim: buildShim(test) };
  await round({ ...plan, ...mixed, ...shim });
}
