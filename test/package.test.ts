import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const run = promisify(execFile);

/** The fields of package.json that are looked at. */
interface Manifest {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}
// The file is ours; a field that is missing fails the test that looks at it.
const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Manifest;

it("every package is pinned to one version", () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  const loose = versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  assert.deepEqual(loose, []);
});

it("the lock file names no registry, so that any mirror will do", () => {
  const lock = readFileSync(path.join(ROOT, "package-lock.json"), "utf8");
  assert.doesNotMatch(lock, /"resolved": "http/);
});

describe("the package", () => {
  let folder: string;
  let tarball: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "edgepoll-package-"));
    await run("npm", ["pack", "--pack-destination", folder], { cwd: ROOT, timeout: 120_000 });
    tarball = path.join(folder, `edgepoll-${manifest.version}.tgz`);
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("holds what runs, and neither sources nor tests", async () => {
    const { stdout } = await run("tar", ["-tzf", tarball]);
    const files = stdout.split("\n").map((line) => line.replace(/^package\//, ""));
    for (const needed of [
      ...["bin/edgepoll.js", "dist/cli/main.js", "dist/built", "LICENSE", "docs/errors.md"],
      ...["config/edgepoll.yaml", "config/profiles/edgepoll/energy-meter.yaml"],
    ]) {
      assert.ok(files.includes(needed), `${needed} is missing`);
    }
    const stray = files.filter((file) => /^(src|test|scripts)\/|\.map$|tsbuildinfo/.test(file));
    assert.deepEqual(stray, []);
  });

  it("installs globally and tells its version", async () => {
    const prefix = path.join(folder, "prefix");
    const args = ["install", "--global", "--prefix", prefix, "--prefer-offline"];
    await run("npm", [...args, "--no-audit", "--no-fund", tarball], { timeout: 150_000 });
    const { stdout } = await run(path.join(prefix, "bin/edgepoll"), ["--version"], { cwd: folder });
    assert.ok(stdout.includes(manifest.version), stdout);
    const packages = await readdir(path.join(prefix, "lib/node_modules/edgepoll/node_modules"));
    assert.ok(!packages.includes("node-red"), "the optional peer was installed");
  });

  it("starts in an empty directory with a given configuration, and ends with 0", async () => {
    const prefix = path.join(folder, "prefix");
    const empty = path.join(folder, "empty");
    await mkdir(empty);
    const config = path.join(ROOT, "config/edgepoll.yaml");
    const args = ["start", "--config", config, "--state-dir", path.join(empty, "state")];
    const env = { ...process.env, EDGEPOLL_PORT: String(await freePort()) };
    const node = spawn(path.join(prefix, "bin/edgepoll"), args, { cwd: empty, env });
    const ended = once(node, "exit");
    let output = "";
    for await (const part of node.stdout) {
      output += String(part);
      // A second signal would force the end.
      if (output.includes("watch it:") && !node.killed) node.kill("SIGTERM");
    }
    assert.deepEqual(await ended, [0, null], output);
    assert.match(output, /2 gateways, 2 devices/);
  });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}
