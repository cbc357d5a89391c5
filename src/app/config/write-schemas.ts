import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { schemaFiles } from "./json-schemas.ts";

// `npm run schemas`
for (const { path, text } of schemaFiles()) writeFileSync(resolve(import.meta.dirname, "../../..", path), text);
