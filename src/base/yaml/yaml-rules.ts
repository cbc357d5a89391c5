/** What every configuration file keeps to as YAML. Names are public and permanent. */
export const yamlRules = {
  "yaml-too-large": "A file holds at most 1 MiB.",
  "yaml-encoding": "A file is UTF-8.",
  "yaml-empty": "A file holds something.",
  "yaml-documents": "A file holds one document.",
  "yaml-syntax": "A file is YAML 1.2.",
  "yaml-too-deep": "Values are nested at most 64 levels.",
  "yaml-directive": "There are no directives.",
  "yaml-anchor": "There are no anchors.",
  "yaml-alias": "There are no aliases.",
  "yaml-tag": "There are no tags.",
  "yaml-merge-key": "There are no merge keys.",
  "yaml-duplicate-key": "A key stands once in one place.",
  "yaml-tab": "There are no tabs.",
  "yaml-control-character": "There are no control characters.",
  "yaml-scalar": "A plain word means the same to every YAML reader.",
  "yaml-null": "A setting has a value.",
} as const satisfies Readonly<Record<string, string>>;

/** What every configuration file keeps to as a tree of settings. */
export const schemaRules = {
  "unknown-setting": "A setting is one that the place knows.",
  "unknown-value": "A setting has one of the values that it knows.",
  "missing-setting": "A setting that is needed is there.",
  "wrong-type": "A setting has its type; nothing is coerced.",
  "wrong-form": "Text has the form that its setting needs.",
  "out-of-range": "A number or a list has a size that its setting takes.",
} as const satisfies Readonly<Record<string, string>>;
