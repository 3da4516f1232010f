// Programs the tests talk to that do not come from npm, and how to get them.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import path from "node:path";

/** @type {{ name: string, package: string, isThere: () => boolean }[]} */
const PARTS = [
  { name: "mosquitto", package: "mosquitto", isThere: () => isProgram("mosquitto") },
  {
    name: "mosquitto_pub",
    package: "mosquitto-clients",
    isThere: () => isProgram("mosquitto_pub"),
  },
  { name: "socat", package: "socat", isThere: () => isProgram("socat") },
  { name: "mbpoll", package: "mbpoll", isThere: () => isProgram("mbpoll") },
  { name: "ip", package: "iproute2", isThere: () => isProgram("ip") },
  { name: "cc", package: "gcc", isThere: () => isProgram("cc") },
  { name: "C headers", package: "libc6-dev", isThere: () => existsSync("/usr/include/stdio.h") },
  { name: "libfaketime", package: "libfaketime", isThere: hasFaketime },
  { name: "unshare", package: "util-linux", isThere: () => isProgram("unshare") },
  { name: "systemd-notify", package: "systemd", isThere: () => isProgram("systemd-notify") },
  { name: "pymodbus", package: "python3-pymodbus", isThere: () => isModule("pymodbus") },
  { name: "pyserial", package: "python3-serial", isThere: () => isModule("serial") },
];

/** Whether a program is installed; /usr/sbin counts, as it is not on every user's path. @param {string} name */
function isProgram(name) {
  const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), "/usr/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A library for other programs: Debian has it below the folder of the architecture. */
function hasFaketime() {
  return readdirSync("/usr/lib").some((name) =>
    existsSync(path.join("/usr/lib", name, "faketime/libfaketimeMT.so.1")),
  );
}

/** The system's own Python is asked: apt-get installs for that one. @param {string} name */
function isModule(name) {
  const look =
    "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)";
  return succeeds("/usr/bin/python3", ["-c", look, name]);
}

/** @param {string} program @param {string[]} args */
function succeeds(program, args) {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** How to become root without a question, or undefined. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return succeeds("sudo", ["-n", "true"]) ? ["sudo", "-n"] : undefined;
}

/** Installs with apt-get. @param {string[]} packages @param {string[]} prefix */
function install(packages, prefix) {
  /** @param {string[]} command */
  const asRoot = (command) => {
    const [program = "", ...args] = [...prefix, ...command];
    return spawnSync(program, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  };
  const aptGet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
  const done =
    asRoot([...aptGet, "update"]) &&
    asRoot([...aptGet, "install", "-y", "--no-install-recommends", ...packages]);
  // Debian starts the broker it installs; the tests start their own, and port 1883 is the user's.
  if (done && packages.includes("mosquitto") && isProgram("systemctl")) {
    spawnSync("systemctl", ["disable", "--now", "--quiet", "mosquitto.service"], {
      stdio: "ignore",
    });
  }
  return done;
}

/** Sees to it that every part is there; returns undefined, or the line that says what to do. */
export function provideSystemParts() {
  const missing = PARTS.filter((part) => !part.isThere());
  if (missing.length === 0) return undefined;
  const packages = missing.map((part) => part.package);
  const prefix = isProgram("apt-get") ? rootPrefix() : undefined;
  if (prefix !== undefined) {
    console.log(`Installing what the tests need: ${packages.join(" ")}`);
    if (install(packages, prefix) && missing.every((part) => part.isThere())) return undefined;
  }
  const names = missing.map((part) => part.name).join(", ");
  return `The tests need ${names}. Install: sudo apt-get install ${packages.join(" ")}`;
}
