/** A real Mosquitto for tests. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What differs from a broker that lets everybody do everything. */
export interface MosquittoOptions {
  readonly port?: number;
  /** Further lines of the configuration. */
  readonly lines?: readonly string[];
  /** Passwords by user; without it everybody may connect. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lines of an ACL file. */
  readonly acl?: readonly string[];
  /** Whether it remembers sessions and retained messages; false unless told. */
  readonly persistent?: boolean;
}

/** A broker that runs on loopback. */
export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  /** Of the process that runs at present. */
  pid(): number;
  /** Sends a signal and does not wait, such as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** Ends the broker (SIGTERM unless told) and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again after `stop`, same port and configuration; unless persistent, nothing is remembered. */
  restart(): Promise<void>;
  /** Ends it for good and removes its files. */
  readonly remove: () => Promise<void>;
}

/** Starts Mosquitto and settles when it accepts connections. Throws if it is not installed. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), "edgepoll-mosquitto-"));
  const file = await writeConfiguration(directory, port, options);
  let broker = await run(file, port);
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    if (broker.exitCode !== null || broker.signalCode !== null) return;
    const gone = once(broker, "exit");
    broker.kill(signal);
    // One that is stopped by SIGSTOP hears of SIGTERM only then.
    broker.kill("SIGCONT");
    await gone;
  };
  return {
    port,
    url: `mqtt://127.0.0.1:${String(port)}`,
    // It has answered, so it has one.
    pid: () => broker.pid ?? 0,
    signal: (signal) => broker.kill(signal),
    stop,
    restart: async () => {
      broker = await run(file, port);
    },
    remove: async () => {
      await stop("SIGKILL");
      await rm(directory, { recursive: true });
    },
  };
}

let lastPort = 20_000 + ((process.pid * 16) % 12_000);

/**
 * A port of loopback that nobody listens on at this moment. Below those the system gives to
 * outgoing connections, so that none of these takes it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    lastPort += 1;
    const server = createServer().listen(lastPort, "127.0.0.1");
    const free = await once(server, "listening").catch(() => undefined);
    if (free === undefined) continue;
    server.close();
    await once(server, "close");
    return lastPort;
  }
}

async function writeConfiguration(
  directory: string,
  port: number,
  { lines = [], users, acl, persistent = false }: MosquittoOptions,
): Promise<string> {
  const passwords = join(directory, "passwords");
  const aclFile = join(directory, "acl");
  const text = [
    // Started by root it would become a user who can't read this directory.
    "user root",
    "log_dest stderr",
    `persistence ${String(persistent)}`,
    `persistence_location ${directory}/`,
    `listener ${String(port)} 127.0.0.1`,
    `allow_anonymous ${users === undefined ? "true" : "false"}`,
    ...(users === undefined ? [] : [`password_file ${passwords}`]),
    ...(acl === undefined ? [] : [`acl_file ${aclFile}`]),
    ...lines,
  ];
  if (users !== undefined)
    await writeFile(passwords, Object.entries(users).map(passwordLine).join(""));
  if (acl !== undefined) await writeFile(aclFile, `${acl.join("\n")}\n`);
  const file = join(directory, "mosquitto.conf");
  await writeFile(file, `${text.join("\n")}\n`);
  return file;
}

/** A line of a Mosquitto password file: PBKDF2 with SHA-512, kind 7. */
function passwordLine([user, password]: [string, string]): string {
  const salt = Buffer.from("edgepolltest");
  const hash = pbkdf2Sync(password, salt, 101, 64, "sha512");
  return `${user}:$7$101$${salt.toString("base64")}$${hash.toString("base64")}\n`;
}

async function run(file: string, port: number): Promise<ChildProcess> {
  const program = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
  const broker = spawn(program, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  // A run that ends early must not leave its broker behind.
  const end = (): boolean => broker.kill("SIGKILL");
  process.once("exit", end);
  broker.once("exit", () => process.off("exit", end));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    broker.once("error", () => {
      reject(new Error("These tests need Mosquitto: apt install mosquitto mosquitto-clients."));
    });
    broker.once("exit", () => {
      reject(new Error(`mosquitto did not start:\n${said}`));
    });
    broker.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4096);
      if (/mosquitto version \S+ running/.test(said)) resolve();
    });
  });
  await answer(port);
  return broker;
}

/** Until it has answered somebody Mosquitto has not begun its loop, and would lose a SIGTERM. */
async function answer(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.write(Buffer.from("100c00044d515454040200000000", "hex"));
  await once(socket, "data");
  socket.destroy();
}
