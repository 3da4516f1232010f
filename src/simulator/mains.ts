/** What is common to all that is simulated at the mains: how voltage, power and frequency of a phase go. */
import type { Wave } from "./wave.ts";

/** V. */
export const VOLTAGE: Wave = {
  mean: 230,
  sines: [
    { amplitude: 2, period: 900 },
    { amplitude: 0.4, period: 5.3 },
  ],
};
/** W; always drawn, never given back: the counter of what is given back stands still. */
export const POWER: Wave = {
  mean: 1500,
  sines: [
    { amplitude: 600, period: 3600 },
    { amplitude: 250, period: 420 },
    { amplitude: 12, period: 7.3 },
    { amplitude: 7, period: 2.9 },
  ],
};
/** Hz. */
export const FREQUENCY: Wave = {
  mean: 50,
  sines: [
    { amplitude: 0.03, period: 600 },
    { amplitude: 0.008, period: 4.7 },
  ],
};
/** Real power by apparent power. */
export const POWER_FACTOR = 0.95;
