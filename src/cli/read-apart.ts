/** Requests that are refused because of a register in them: their points are asked for again, apart. */
import type { DirectAnswer } from "../app/read.ts";
import { halvesOf } from "../core/halves.ts";
import type { PlannedRequest } from "../core/plan.ts";
import { isAboutRegisters } from "../core/refusals.ts";

/** A request with what came of it. */
export interface Answered {
  readonly request: PlannedRequest;
  readonly answer: DirectAnswer;
}

/**
 * Asks one after the other, and in halves what is refused because of its registers (exception 2 or 3), as
 * a node does from slot to slot: fewer than two requests for each point. Gives those that were not cut.
 */
export async function* readApart(
  requests: readonly PlannedRequest[],
  ask: (request: PlannedRequest) => Promise<DirectAnswer>,
): AsyncGenerator<Answered> {
  for (const request of requests) {
    const answer = await ask(request);
    const isRefused = !answer.ok && isAboutRegisters(answer.exception);
    const parts = isRefused ? halvesOf(request) : undefined;
    if (parts === undefined) yield { request, answer };
    else yield* readApart(parts, ask);
  }
}
