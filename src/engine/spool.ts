/**
 * What waits on disk for the broker: a stream for each gateway and one for the node, each in order and
 * with gapless numbers. A small part of it is kept in memory, so that live readings need no read.
 */
import { messageOf } from "../core/errors.ts";
import type { Log, Store, Write } from "../core/ports.ts";
import {
  below,
  decodeSpooled,
  encodeSpooled,
  keys,
  numberOf,
  streamOf,
  type Spooled,
} from "../core/records.ts";
import { Appended, HeldPage } from "./spool-parts.ts";
import { Stream, type SpoolEntry } from "./stream.ts";

/** Messages kept in memory of one stream, and of all together. */
const AHEAD = 64;
const MOST_IN_MEMORY = 8192;
/** Entries read at once at start. */
const PAGE = 512;
/** Messages looked at together when the spool is full. */
const DROP_PAGE = 256;
/** Refused messages that are kept. */
const MOST_QUARANTINED = 10_000;
