import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

// Bans carry their reason: a rule somebody meets should say what to do instead.
const plainErrors = ["Error", "TypeError", "RangeError"].map((name) => ({
  selector: `ThrowStatement > NewExpression[callee.name='${name}']`,
  message: "Throw a SealwrightError: every failure is a row of src/base/error-table.ts.",
}));

export default defineConfig(
  { ignores: ["dist/", "node_modules/", "coverage/"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "prefer-const": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ["src/**"], rules: { "no-restricted-syntax": ["error", ...plainErrors] } },
  {
    files: ["test/**"],
    rules: {
      // chai's assertions are property reads.
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
