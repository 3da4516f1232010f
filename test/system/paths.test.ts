import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  controlSocketPath,
  defaultStateDir,
  ensureStateDir,
  findConfig,
} from "../../src/system/paths.ts";
import { type Surroundings, surroundings } from "../../src/system/surroundings.ts";
import { createTempDir } from "../support/temp-dir.ts";

const nowhere: Surroundings = {
  env: {},
  cwd: "/nowhere",
  home: "/nowhere/home",
  root: false,
  platform: "linux",
};
const around = (env: Record<string, string>, more: Partial<Surroundings> = {}): Surroundings => ({
  ...nowhere,
  env,
  ...more,
});

function place(context: TestContext): { cwd: string; put: (path: string) => string } {
  const cwd = createTempDir(context);
  const put = (path: string): string => {
    mkdirSync(join(cwd, path, ".."), { recursive: true });
    writeFileSync(join(cwd, path), "");
    return join(cwd, path);
  };
  return { cwd, put };
}

void test("the configuration is searched in the order promised", (context) => {
  const { cwd, put } = place(context);
  const env = { XDG_CONFIG_HOME: join(cwd, "xdg") };
  for (const path of [
    "xdg/edgepoll/edgepoll.yaml",
    "config/edgepoll.yaml",
    "edgepoll.yaml",
    "named.yaml",
    "explicit.yaml",
  ]) {
    const full = put(path);
    const more = path === "named.yaml" ? { EDGEPOLL_CONFIG: "named.yaml" } : {};
    const explicit = path === "explicit.yaml" ? path : undefined;
    assert.equal(findConfig(explicit, around({ ...env, ...more }, { cwd })), full);
  }
});

void test("a named configuration that is absent is not replaced by another", (context) => {
  const { cwd, put } = place(context);
  put("edgepoll.yaml");
  const env = { EDGEPOLL_CONFIG: "b.yaml" };
  assert.throws(
    () => findConfig("a.yaml", around(env, { cwd })),
    /a\.yaml, which the command line/,
  );
  assert.throws(
    () => findConfig(undefined, around(env, { cwd })),
    /b\.yaml, which EDGEPOLL_CONFIG/,
  );
});

void test("a missing configuration names all places looked at", () => {
  const home = "/nowhere/home";
  assert.throws(() => findConfig(undefined, around({ XDG_CONFIG_HOME: "relative" }, { home })), {
    code: "CONFIG_MISSING",
    message:
      /\/nowhere\/edgepoll\.yaml, \/nowhere\/config\/edgepoll\.yaml, \/nowhere\/home\/\.config\/edgepoll\/edgepoll\.yaml, \/etc\/edgepoll\/edgepoll\.yaml/,
  });
});

void test("the state directory comes from systemd, the user's rank or XDG", () => {
  assert.equal(defaultStateDir(around({ STATE_DIRECTORY: "/a:/b" }, { root: true })), "/a");
  assert.equal(
    defaultStateDir(around({ STATE_DIRECTORY: "" }, { root: true })),
    "/var/lib/edgepoll",
  );
  assert.equal(defaultStateDir(around({ XDG_STATE_HOME: "/s" })), "/s/edgepoll");
  assert.equal(defaultStateDir(around({})), "/nowhere/home/.local/state/edgepoll");
});

void test("the control socket lies in the runtime directory, one per state directory", () => {
  const path = controlSocketPath("/s", around({ RUNTIME_DIRECTORY: "/run/e" }, { root: true }));
  assert.match(path, /^\/run\/e\/[0-9a-f]{16}\.sock$/);
  assert.notEqual(path, controlSocketPath("/t", around({ RUNTIME_DIRECTORY: "/run/e" })));
  assert.match(controlSocketPath("/s", around({}, { root: true })), /^\/run\/edgepoll\//);
  assert.match(
    controlSocketPath("/s", around({ XDG_RUNTIME_DIR: "/run/user/1" })),
    /^\/run\/user\/1\/edgepoll\//,
  );
  assert.match(controlSocketPath("/s", around({})), /^\/s\//);
  assert.match(controlSocketPath("/s", around({}, { platform: "win32" })), /^\\\\\.\\pipe\\/);
});

void test("a control socket's path is refused one byte beyond what the system takes", () => {
  const dir = (bytes: number): string =>
    `/${"d".repeat(bytes - "/".length - "/0123456789abcdef.sock".length)}`;
  assert.equal(controlSocketPath(dir(107), around({})).length, 107);
  assert.throws(() => controlSocketPath(dir(108), around({})), { code: "STATE_DIRECTORY" });
  assert.throws(() => controlSocketPath(dir(104), around({}, { platform: "darwin" })), /103 bytes/);
});

void test("a state directory is made for its owner alone, and its real path given", (context) => {
  const base = createTempDir(context);
  const path = ensureStateDir(join(base, "a/b"));
  assert.equal(path, join(base, "a/b"));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  symlinkSync(path, join(base, "link"));
  assert.equal(ensureStateDir(join(base, "link")), path);
});

void test("a state directory that is a file, below a file or another's is refused with what to do", (context) => {
  const base = createTempDir(context);
  writeFileSync(join(base, "file"), "");
  for (const path of ["file", "file/below"]) {
    assert.throws(() => ensureStateDir(join(base, path)), {
      code: "STATE_DIRECTORY",
      message: /not a directory.*--state-dir/,
    });
  }
  if (surroundings().root || surroundings().platform === "win32") return;
  chmodSync(base, 0o500);
  assert.throws(() => ensureStateDir(join(base, "new")), { code: "PERMISSION" });
  chmodSync(base, 0o700);
});

void test("a state directory where none can be made is refused instead of tried for ever", () => {
  if (surroundings().platform !== "linux") return;
  const attempt = `import("${new URL("../../src/system/paths.ts", import.meta.url).href}").then(({ ensureStateDir }) => ensureStateDir("/proc/edgepoll/state"))`;
  const args = ["--import", "ts-blank-space/register", "--input-type=module", "--eval", attempt];
  const { signal, stderr } = spawnSync(process.execPath, args, {
    ...{ encoding: "utf8", timeout: 20_000, killSignal: "SIGKILL" },
  });
  assert.equal(signal, null);
  assert.match(
    stderr,
    /Can't use the state directory \/proc\/edgepoll\/state: it can't be made in this place\. Give/,
  );
});
