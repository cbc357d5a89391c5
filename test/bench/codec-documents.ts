import { readFileSync } from "node:fs";
import { vectorFile } from "../rig/vectors.ts";

export interface BenchDocument {
  readonly name: string;
  readonly body: Buffer;
}

/** `bytes` or a little more of patients' records in compact JSON, as an app would post or list them. */
export function patients(bytes: number): Buffer {
  const records: string[] = [];
  for (let length = 0, i = 0; length < bytes; i += 1) {
    const record = JSON.stringify({
      _id: `patient-${String(i).padStart(8, "0")}`,
      name: { given: ["Anna", "Maria"], family: `Müller-${i}` },
      birthDate: "1970-01-01",
      active: true,
      address: [{ line: [`Hauptstraße ${i}`], city: "Zürich", postalCode: "8001", country: "CH" }],
      contacts: [{ phone: "+41 44 123 45 67", kind: "home" }],
      weight: 71.5 + (i % 40),
      notes: "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.",
      ssn: `756.1234.5678.${i}`,
    });
    records.push(record);
    length += Buffer.byteLength(record) + 1;
  }
  return Buffer.from(`[${records.join(",")}]`);
}

/** Real documents of several shapes where the vectors are present, and a generated one always. */
export function benchDocuments(): BenchDocument[] {
  const files = {
    "twitter.json": "simdjson-examples/jsonexamples/twitter.json",
    "citm_catalog.json": "simdjson-examples/jsonexamples/citm_catalog.json",
    "canada.json": "nativejson/data/canada.json",
  };
  const real = Object.entries(files).flatMap(([name, file]) => {
    const path = vectorFile(file);
    return path === undefined ? [] : [{ name, body: readFileSync(path) }];
  });
  return [{ name: "1 MiB of patients", body: patients(1024 * 1024) }, ...real];
}
