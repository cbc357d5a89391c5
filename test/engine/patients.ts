/** The map that the engine's tests share: every setting that changes how a value is sealed or opened. */
export const patientsMap = `
apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
formerly: [clients]
tenant: { header: x-tenant-id }
record: [ { path: id }, $._id ]
whenAbsent: refuse
fields:
  - { name: ssn, path: $.ssn }
  - { path: "$.contacts[*].phone", formerly: [phone] }
  - { path: $.notes, pad: 64 }
  - { path: $.email, mode: deterministic }
  - { path: $.extra, nulls: pass }
  - { path: $.fax, sealedInput: reopen }
routes:
  - { match: { methods: [POST], path: /v1/patients }, request: { seal: [$] }, response: { open: [$] } }
  - { match: { methods: [POST], path: /v1/loose }, whenAbsent: unbound, request: { seal: [$, "$[*]"] }, response: { open: [$, "$[*]"] } }
  - { match: { methods: [POST], path: /v1/bulk }, request: { seal: ["$.docs[*]"] }, response: { open: ["$.docs[*]"] } }
  - { match: { methods: [GET, PUT, PATCH], path: "/v1/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
  - { match: { methods: [POST], path: /v1/reports }, request: { pass: true }, response: { open: ["$.rows[*]"] } }
`;
