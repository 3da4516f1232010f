import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../src/core/errors.ts";
import { loadConfig } from "../../src/config/load.ts";

/** The planted secret: no message may hold it, whatever is wrong around it. */
const SECRET = "planted-secret-7411";
const folder = fileURLToPath(new URL("wrong/", import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const host = { hostName: "box", defaultStateDir: () => "/state" };
const env = (name: string) => (name === "SECRET" ? SECRET : undefined);

function errorOf(name: string): ConfigError {
  try {
    loadConfig(folder + name, env, host);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `${name} was accepted` });
}

test("there are at least 120 wrong files", () => {
  assert.ok(names.length >= 120);
});

for (const name of names) {
  test(`the wrong file ${name} gives the text beside it (UPDATE=1 writes it)`, () => {
    const error = errorOf(name);
    const expected = folder + name.replace(/yaml$/, "err");
    const text = `${error.message.replaceAll(folder, "")}\n`;
    if (process.env["UPDATE"] === "1" && !existsSync(expected)) writeFileSync(expected, text);
    assert.equal(error.code, "CONFIG_INVALID");
    assert.equal(text, readFileSync(expected, "utf8"));
    assert.match(text, /^[^\n]+\.yaml:\d+:\d+ {2}\S/);
    assert.ok(!text.includes(SECRET) && !text.includes("hunter2"), "a secret is shown");
  });
}
