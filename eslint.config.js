import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import {
  CLOCK_GLOBALS,
  CLOCK_MODULES,
  CLOCK_PROPERTIES,
  LAYERS,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
} from "./scripts/layers.js";

const PASSED_IN = "Only src/system/ reads clocks and starts timers; take a Clock instead.";

/** The rules of one folder of src/. */
function layerRules(folder, layer) {
  const allowed = layer.imports.map((path) => path.replace("/", "\\/")).join("|");
  const others = Object.keys(LAYERS).filter((name) => name !== folder);
  const imports = [
    {
      regex: `^(\\.\\./)+(?!(?:${allowed || "-"})[/.])(?:${others.join("|")})/`,
      message: `src/${folder}/ may import ${layer.imports.join(", ") || "nothing but itself"}.`,
    },
    {
      regex: `^(?!\\.|node:|(?:${layer.npm.join("|") || "-"})$)`,
      message: `src/${folder}/ may import ${layer.npm.join(", ") || "no package"}.`,
    },
  ];
  if (!layer.node) {
    imports.push({ regex: "^node:", message: `src/${folder}/ knows the world through ports.` });
  }
  const globals = layer.process ? [] : [{ name: "process", message: "Pass in what is needed." }];
  const rules = {
    "no-restricted-imports": ["error", { patterns: imports }],
    "no-console": layer.console ? "off" : "error",
  };
  if (layer.clock) return rules;
  return {
    ...rules,
    "no-restricted-imports": [
      "error",
      {
        patterns: imports,
        paths: CLOCK_MODULES.map((name) => ({ name, message: PASSED_IN })),
      },
    ],
    "no-restricted-globals": [
      "error",
      ...globals,
      ...CLOCK_GLOBALS.map((name) => ({ name, message: PASSED_IN })),
    ],
    "no-restricted-properties": [
      "error",
      ...CLOCK_PROPERTIES.map(([object, property]) => ({ object, property, message: PASSED_IN })),
    ],
    "no-restricted-syntax": [
      "error",
      {
        selector: "NewExpression[callee.name='Date'][arguments.length=0]",
        message: PASSED_IN,
      },
    ],
  };
}

export default defineConfig(
  { ignores: ["dist/", "coverage/", "state/", "bench/out/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: "test/tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "max-lines": ["error", MAX_FILE_LINES],
      "max-lines-per-function": ["error", MAX_FUNCTION_LINES],
    },
  },
  ...Object.entries(LAYERS).map(([folder, layer]) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: layerRules(folder, layer),
  })),
  {
    // It sees edgepoll from outside, as a user's devices and subscribers do.
    files: ["bench/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "^(\\.\\./)+src/",
              message: "bench/ runs bin/edgepoll.js, and knows no more.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // The runner waits for these itself.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            {
              from: "package",
              package: "node:test",
              name: ["test", "it", "describe", "suite", "before", "after"],
            },
          ],
        },
      ],
      // What `once` and JSON.parse give is any; the assertions that follow are the check.
      "@typescript-eslint/no-unsafe-assignment": "off",
      // Texts of tests are ASCII.
      "@typescript-eslint/no-misused-spread": "off",
      // jsonOf<T>(message) says what a topic carries.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // Test support hands out objects of functions, and they are taken apart: `const { close } = …`.
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
