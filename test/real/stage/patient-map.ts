/** A small field map for stores that keep a document per path. */
export const patientMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: t1 }
record: [{ path: id }]
fields:
  - { name: ssn, path: $.ssn }
  - { name: notes, path: $.notes, pad: 64 }
routes:
  - { match: { methods: [GET, PUT], path: "/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
  - { match: { methods: [DELETE], path: "/patients/{id}" }, passthrough: true }
`;

export const patientBody = `{ "ward": "west", "weight": 61.250, "ssn": "078-05-1120",\t"notes": "Gr\\u00f6\\u00dfe 1,64 m" }`;

/** What must be nowhere but with the app. */
export const patientSecrets = ["078-05-1120", "Größe 1,64 m", "Gr\\u00f6\\u00dfe 1,64 m"];
