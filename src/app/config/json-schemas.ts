import { z } from "zod";
import { fieldMapJsonSchema } from "../../fieldmap/map-schema.ts";
import { sidecarSchema } from "./sidecar-schema.ts";

/** A JSON schema for editors, made from the schema that loads the files. */
export interface SchemaFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
}

const schemaFile = (path: string, schema: object): SchemaFile => ({
  path,
  text: `${JSON.stringify(schema, undefined, 2)}\n`,
});

/** JSON schema of the sidecar file. Rules across settings are beyond a schema: `sealwright check` has them. */
function sidecarJsonSchema(): object {
  return {
    $id: "https://sealwright.dev/schemas/v1/sidecar.schema.json",
    title: "Sealwright sidecar file",
    ...z.toJSONSchema(sidecarSchema, { io: "input" }),
  };
}

/** Every file under `config` that editors and CI check files against. */
export function schemaFiles(): readonly SchemaFile[] {
  return [
    schemaFile("config/sidecar.schema.json", sidecarJsonSchema()),
    schemaFile("config/fieldmap.schema.json", fieldMapJsonSchema()),
  ];
}
