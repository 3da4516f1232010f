/** The end of a node: asked for by a signal or the control socket, done in order and in bounded time. */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import { keys, type NodeRecord } from "../core/records.ts";
import type { Engine } from "../engine/engine.ts";
import { exitNow } from "../system/exit.ts";
import { onStopSignals } from "../system/signals.ts";
import { onUncaught } from "../system/uncaught.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Releases } from "./releases.ts";

/** ms after which requests in flight are cut off, and after which the process ends whatever is left. */
const CUT_OFF = 7000;
const LAST_MOMENT = 14_500;
/** The exit code after a bug: the service manager starts the node anew. */
export const EXIT_BUG = 70;
const EXIT_FORCED = 1;

/** What is ended. */
export interface EndingWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly endpoints: Endpoints;
  readonly releases: Releases;
  readonly store: Store;
  readonly kept: NodeRecord;
}

/** A node's end. */
export interface Ending {
  /** Begins the end; a second call changes nothing. */
  readonly end: (why: string, code?: number) => void;
  /** Settles with the exit code when all is closed. */
  readonly ended: Promise<number>;
}

/** Ends a node at the first SIGTERM or SIGINT; a second one forces. */
export function endOnSignals(world: EndingWorld): Ending {
  const { log, engine } = world;
  let ending = false;
  let settle: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (settle = resolve));
  const end = (why: string, code = 0) => {
    if (ending) return;
    ending = true;
    log.info({ why }, "ending");
    void endIn(world).then(() => {
      unlisten();
      settle(code);
    });
  };
  const unlistenSignals = onStopSignals(end, () => {
    exitNow(EXIT_FORCED);
  });
  const unlistenErrors = onUncaught((error) => {
    engine.uncaught(error);
  });
  const unlisten = () => {
    unlistenSignals();
    unlistenErrors();
  };
  return { end, ended };
}

async function endIn(world: EndingWorld): Promise<void> {
  const { clock, log, engine, endpoints, releases, store, kept } = world;
  const cancelCut = clock.timer(CUT_OFF, () => {
    void endpoints.hangUp();
  });
  const cancelLast = clock.timer(LAST_MOMENT, () => {
    log.error({}, "the end takes too long; what is on disk is taken up at the next start");
    exitNow(EXIT_BUG);
  });
  try {
    await engine.close();
    const record: NodeRecord = { ...kept, lastStop: Math.round(clock.wall()) };
    await store.write([{ key: keys.node, value: JSON.stringify(record) }], true);
  } catch (error) {
    log.error({ error: messageOf(error) }, "the end was not clean");
  }
  cancelCut();
  await releases.run();
  cancelLast();
}
