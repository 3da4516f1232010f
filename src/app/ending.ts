/** The end of a node: asked for by a signal or the control socket, done in order and in bounded time. */
import { messageOf } from "../core/errors.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import { keys, type NodeRecord } from "../core/records.ts";
import type { Engine } from "../engine/engine.ts";
import type { Why } from "../engine/start-note.ts";
import { exitNow } from "../system/exit.ts";
import type { ServiceManager } from "../system/service-manager.ts";
import { onSignals, type Hangups } from "../system/signals.ts";
import { onUncaught } from "../system/uncaught.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Releases } from "./releases.ts";

/** ms after which requests in flight are cut off, and after which the process ends whatever is left. */
const CUT_OFF = 7000;
const LAST_MOMENT = 14_500;
/** The exit code after a bug: the service manager starts the node anew. */
const EXIT_BUG = 70;
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
  readonly hangups: Hangups;
  readonly manager: Pick<ServiceManager, "stopping">;
}

/** A node's end. A call after the first changes nothing. */
export interface Ending {
  /** Begins the end, as somebody asked. */
  readonly end: (by: string) => void;
  /** Begins the end after too many errors in edgepoll itself. */
  readonly giveUp: () => void;
  /** Settles with the exit code when all is closed. */
  readonly ended: Promise<number>;
}

/** Ends a node at the first SIGTERM or SIGINT, or when asked; a second signal forces. SIGHUP reloads. */
export function endOnSignals(world: EndingWorld): Ending {
  const { log, engine, hangups, manager } = world;
  let ending = false;
  let settle: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (settle = resolve));
  const begin = (why: Why, code: number) => {
    if (ending) return;
    ending = true;
    log.info({ why: why.by ?? why.because }, "ending");
    manager.stopping();
    void endIn(world, why).then(() => {
      unlisten();
      settle(code);
    });
  };
  const unlistenSignals = onSignals(
    {
      stop: (signal) => {
        begin({ by: bySignal(signal) }, 0);
      },
      force: () => {
        exitNow(EXIT_FORCED);
      },
      reload: () => void reloadAt(engine, log),
    },
    hangups,
  );
  const unlistenErrors = onUncaught((error) => {
    engine.uncaught(error);
  });
  const unlisten = () => {
    unlistenSignals();
    unlistenErrors();
  };
  return {
    end: (by) => {
      begin({ by }, 0);
    },
    giveUp: () => {
      begin({ because: "too many errors in edgepoll itself" }, EXIT_BUG);
    },
    ended,
  };
}

async function reloadAt(engine: Engine, log: Log): Promise<void> {
  const { error } = await engine.ask("reload", "{}", bySignal("SIGHUP"));
  // Nobody reads the reply; the audit trail has it in short.
  if (error !== undefined) log.error({ code: error.code }, error.message);
}

function bySignal(signal: NodeJS.Signals): string {
  return `signal (${signal})`;
}

async function endIn(world: EndingWorld, why: Why): Promise<void> {
  const { clock, log, engine, endpoints, releases, store, kept } = world;
  const cancelCut = clock.timer(CUT_OFF, () => {
    void endpoints.hangUp();
  });
  const cancelLast = clock.timer(LAST_MOMENT, () => {
    log.error({}, "the end takes too long; what is on disk is taken up at the next start");
    exitNow(EXIT_BUG);
  });
  try {
    await engine.close(why);
    const record: NodeRecord = { ...kept, lastStop: Math.round(clock.wall()) };
    await store.write([{ key: keys.node, value: JSON.stringify(record) }], true);
  } catch (error) {
    log.error({ error: messageOf(error) }, "the end was not clean");
  }
  cancelCut();
  await releases.run();
  cancelLast();
}
