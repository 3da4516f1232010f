/** What is polled: the workloads of the bench. */

/** A point as both pollers are told of it. */
export interface Point {
  readonly id: string;
  readonly address: number;
  readonly type: "float32" | "uint16";
}

/** One workload; all its gateways have the same points. */
export interface Workload {
  readonly name: string;
  readonly about: string;
  /** Each gateway's answer time in ms; null: it never answers. */
  readonly answers: readonly (number | null)[];
  /** In ms. */
  readonly interval: number;
  /** Time to wait for an answer, in ms; the poller's default when absent. */
  readonly timeout?: number;
  /** Registers between two points that may be read for nothing; edgepoll's default when absent. */
  readonly maxGap?: number;
  readonly points: readonly Point[];
  /** The reads of the plain loop; edgepoll plans its own. */
  readonly reads: readonly { readonly address: number; readonly count: number }[];
}

/** Five float32 in ten registers, which one request covers. */
const FIVE: Pick<Workload, "points" | "reads"> = {
  points: [0, 2, 4, 6, 8].map((address) => {
    return { id: `p${String(address)}`, address, type: "float32" };
  }),
  reads: [{ address: 0, count: 10 }],
};

/** A hundred points between 0 and 2000; the first is a float32, which holds the number of the poll. */
const SCATTERED: Pick<Workload, "points" | "reads"> = (() => {
  const points = Array.from({ length: 100 }, (_, n): Point => {
    const address = n * 20 + ((n * 7) % 13);
    return { id: `p${String(n)}`, address, type: n === 0 ? "float32" : "uint16" };
  });
  const reads = points.map(({ address, type }) => ({ address, count: type === "uint16" ? 1 : 2 }));
  return { points, reads };
})();

function prompt(gateways: number): readonly number[] {
  return Array.from({ length: gateways }, () => 0);
}

function everySecond(gateways: number): Workload {
  return {
    name: `W1-${String(gateways)}`,
    about: `${String(gateways)} gateways, every second, 5 float32 in 10 registers`,
    answers: prompt(gateways),
    interval: 1000,
    ...FIVE,
  };
}

/** All workloads but the start-up (W8), in the order they are run. */
export const WORKLOADS: readonly Workload[] = [
  ...[10, 100, 500, 1000].map(everySecond),
  {
    name: "W2",
    about: "50 gateways, every 10 ms, 5 float32 in 10 registers",
    answers: prompt(50),
    interval: 10,
    ...FIVE,
  },
  {
    name: "W3",
    about: "one gateway, every second, 100 points scattered over 2000 registers",
    answers: prompt(1),
    interval: 1000,
    // The device lets itself be read through.
    maxGap: 125,
    ...SCATTERED,
  },
  {
    name: "W4",
    about: "100 gateways, every second: 80 answer at once, 10 after 800 ms, 10 never",
    answers: Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? 800 : n % 10 === 5 ? null : 0)),
    interval: 1000,
    // Longer than the slow ones take.
    timeout: 900,
    ...FIVE,
  },
];

/** One gateway every second: what start-up and idle memory are measured with. */
export const ONE: Workload = everySecond(1);

/** The smallest workload, for the test that the bench works. */
export const SMOKE: Workload = { ...everySecond(2), name: "smoke", interval: 200 };

/** Name of the n-th gateway of a workload. */
export function gatewayOf(n: number): string {
  return `g${String(n).padStart(4, "0")}`;
}
