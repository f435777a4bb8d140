// --- JSON Schema: the words that the schemas of a bundle use ------------------------------------

let SCHEMAS = {};

const kindOf = (value) => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
};
const isObject = (value) => kindOf(value) === "object";
const isNumber = (value) => typeof value === "number" || typeof value === "bigint";
const lengthOf = (text) => Array.from(text).length;

// each takes (what the schema says, value, schema, the whole document of the schema) → does it fit
const WORDS_OF_SCHEMA = {
  type: (said, value) =>
    [said].flat().some((one) => one === kindOf(value) || (one === "number" && kindOf(value) === "integer")),
  const: (said, value) => equal(said, value),
  enum: (said, value) => said.some((one) => equal(one, value)),
  required: (said, value) => !isObject(value) || said.every((name) => Object.hasOwn(value, name)),
  properties: (said, value, _, root) =>
    !isObject(value) || Object.keys(said).every((n) => !Object.hasOwn(value, n) || fits(said[n], value[n], root)),
  additionalProperties: (said, value, schema, root) =>
    !isObject(value) ||
    Object.keys(value).every((n) => Object.hasOwn(schema.properties ?? {}, n) || fits(said, value[n], root)),
  propertyNames: (said, value, _, root) => !isObject(value) || Object.keys(value).every((n) => fits(said, n, root)),
  items: (said, value, _, root) => !Array.isArray(value) || value.every((one) => fits(said, one, root)),
  minItems: (said, value) => !Array.isArray(value) || value.length >= said,
  maxItems: (said, value) => !Array.isArray(value) || value.length <= said,
  uniqueItems: (said, value) =>
    !said || !Array.isArray(value) || new Set(value.map((one) => canonical(one))).size === value.length,
  minLength: (said, value) => typeof value !== "string" || lengthOf(value) >= said,
  maxLength: (said, value) => typeof value !== "string" || lengthOf(value) <= said,
  pattern: (said, value) => typeof value !== "string" || new RegExp(said, "u").test(value),
  minimum: (said, value) => !isNumber(value) || value >= said,
  maximum: (said, value) => !isNumber(value) || value <= said,
  format: (said, value) => typeof value !== "string" || said !== "date-time" || moment(value) !== null,
  anyOf: (said, value, _, root) => said.some((one) => fits(one, value, root)),
  oneOf: (said, value, _, root) => said.filter((one) => fits(one, value, root)).length === 1,
  $ref: (said, value, _, root) => {
    const [schema, whole] = pointed(said, root);
    return fits(schema, value, whole);
  },
};
const NOTES = ["$schema", "$id", "$defs", "title", "description", "contentEncoding"];

function pointed(reference, root) {
  const [id, way] = reference.split("#");
  const whole = id ? SCHEMAS[id] : root;
  let found = whole;
  for (const step of (way ?? "").split("/").slice(1)) found = found[step];
  return [found, whole];
}

function fits(schema, value, root) {
  if (typeof schema === "boolean") return schema;
  return Object.entries(schema).every(
    ([word, said]) => NOTES.includes(word) || WORDS_OF_SCHEMA[word](said, value, schema, root),
  );
}

// Raises Failed where the document breaks schemas/NAME.schema.json, or one of its $defs.
function conform(document, name, where, part = "") {
  const [schema, root] = pointed(`urn:hostpledge:schema:${name}:1${part ? `#/$defs/${part}` : ""}`);
  if (schema === undefined || !fits(schema, document, root)) {
    throw new Failed(where, `格式与证据包不符（${name}.schema.json）`, `not of the form that a bundle has (${name}.schema.json)`);
  }
  return document;
}
