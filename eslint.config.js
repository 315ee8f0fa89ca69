import eslint from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * The layers of src/, lowest first: a file may import from its own layer and from those that its entry names.
 * docs/architecture.md draws the same picture.
 */
const FOUNDATION = ["config", "context", "log"];
const LAYERS = {
  oci: [],
  policy: ["oci"],
  metadata: ["oci", "policy"],
  storage: ["oci"],
  auth: ["oci", "policy", "metadata", "foundation"],
  registry: ["oci", "policy", "metadata", "storage", "foundation"],
  mirror: ["oci", "policy", "metadata", "storage", "registry", "foundation"],
  lifecycle: ["oci", "policy", "metadata", "storage", "registry", "foundation"],
  protocol: ["oci", "policy", "registry", "auth", "foundation"],
  admin: ["oci", "policy", "registry", "auth", "mirror", "lifecycle", "protocol", "foundation"],
};

const layerNames = Object.keys(LAYERS);
const layerRules = Object.entries(LAYERS).map(([layer, allowed]) => {
  const forbidden = layerNames.filter((name) => name !== layer && !allowed.includes(name));
  const files = ["routes", "worker", ...(allowed.includes("foundation") ? [] : FOUNDATION)];
  const group = [...forbidden.map((name) => `**/${name}/*`), ...files.map((name) => `../${name}.ts`)];
  return {
    files: [`src/${layer}/**/*.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group, message: `src/${layer} may import only from: ${[layer, ...allowed].join(", ")}.` }] },
      ],
    },
  };
});

export default defineConfig(
  { ignores: ["node_modules", "web/dist", ".cache", ".stowage", ".wrangler", "coverage", "worker-configuration.d.ts"] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: [
          "./tsconfig.json",
          "./tsconfig.node.json",
          "./tsconfig.simulation.json",
          "./tsconfig.web.json",
          "./tsconfig.browser.json",
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/return-await": ["error", "always"],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      eqeqeq: "error",
      "no-console": "error",
      "max-lines": ["error", { max: 320, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  ...layerRules,
  {
    files: ["web/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { group: ["**/src/*", "!**/src/oci", "**/scripts/*"], message: "web/ knows src/oci, cost and the API." },
          ],
        },
      ],
    },
  },
  {
    // Its tests, which are compiled with it, know Node's names.
    files: ["web/**"],
    ignores: ["web/build.ts"],
    rules: { "no-restricted-globals": ["error", "process", "Buffer", "global", "require", "setImmediate"] },
  },
  { files: ["src/log.ts", "scripts/**", "test/simulation/simulate.ts"], rules: { "no-console": "off" } },
  { files: ["test/**"], rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" } },
  { files: ["*.js"], extends: [tseslint.configs.disableTypeChecked] },
);
