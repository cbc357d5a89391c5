import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { referencePages } from "./reference.ts";

// `npm run docs`: writes the pages that are made from the program's own tables.
for (const { path, text } of referencePages) writeFileSync(resolve(import.meta.dirname, "../..", path), text);
