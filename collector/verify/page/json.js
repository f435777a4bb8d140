// --- JSON, as RFC 8259 has it and no more -------------------------------------------------------

const DEEPEST = 64;
const MOST_VALUES = 500000;
const TOKEN = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null|[[\]{},:]/y;
const BLANK = /[ \t\n\r]*/y;
const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

// Raises SyntaxError for keys that stand twice (also in other letters), numbers past a double,
// halves of surrogate pairs, and what is deeper or has more values than anything we write. Whole
// numbers that a double may not hold become BigInt.
class Reader {
  // `apart`: what lies within so many levels is counted for itself, as it is read for itself
  constructor(text, apart = 0) {
    this.text = text;
    this.apart = apart;
    this.place = 0;
    this.values = 0;
  }

  whole() {
    const value = this.value(this.next(), 0);
    BLANK.lastIndex = this.place;
    BLANK.exec(this.text);
    if (BLANK.lastIndex !== this.text.length) throw new SyntaxError("something follows");
    return value;
  }

  next() {
    BLANK.lastIndex = this.place;
    BLANK.exec(this.text);
    TOKEN.lastIndex = BLANK.lastIndex;
    const found = TOKEN.exec(this.text);
    if (found === null) throw new SyntaxError("no JSON");
    this.place = TOKEN.lastIndex;
    this.fraction = found[1] !== undefined || found[2] !== undefined;
    return found[0];
  }

  value(token, depth) {
    this.values = depth <= this.apart ? 0 : this.values + 1;
    if (token === "{" || token === "[") {
      if (depth + 1 > DEEPEST + this.apart) throw new SyntaxError("nested too deeply");
      return token === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (this.values > MOST_VALUES) throw new SyntaxError("too many values");
    if (token[0] === '"') return this.string(token);
    if (/^[-\d]/.test(token)) return this.number(token);
    if (/^[tfn]/.test(token)) return JSON.parse(token);
    throw new SyntaxError("no value");
  }

  string(token) {
    const text = JSON.parse(token);
    if (HALF.test(text)) throw new SyntaxError("half a surrogate pair");
    return text;
  }

  number(token) {
    const value = Number(token);
    if (!Number.isFinite(value)) {
      if (this.fraction) throw new SyntaxError("the number is too large");
      return BigInt(token);
    }
    return this.fraction || Number.isSafeInteger(value) ? value : BigInt(token);
  }

  object(depth) {
    const members = new Map();
    const folded = new Set();
    let token = this.next();
    while (token !== "}") {
      if (members.size) {
        if (token !== ",") throw new SyntaxError("no comma");
        token = this.next();
      }
      if (token[0] !== '"') throw new SyntaxError("no name");
      const name = this.string(token);
      if (folded.has(fold(name))) throw new SyntaxError(`the key ${name} stands twice`);
      folded.add(fold(name));
      if (this.next() !== ":") throw new SyntaxError("no colon");
      members.set(name, this.value(this.next(), depth));
      token = this.next();
    }
    // __proto__ is a name like any other
    const found = Object.create(null);
    for (const [name, value] of members) found[name] = value;
    return found;
  }

  array(depth) {
    const found = [];
    let token = this.next();
    while (token !== "]") {
      if (found.length) {
        if (token !== ",") throw new SyntaxError("no comma");
        token = this.next();
      }
      found.push(this.value(token, depth));
      token = this.next();
    }
    return found;
  }
}

function textOf(bytes) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

const readJson = (text, apart) => new Reader(text, apart).whole();

// RFC 8785: JSON.stringify writes strings and numbers as it asks, and keys sort by UTF-16 units
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort();
    return `{${members.map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  if (typeof value === "bigint") throw new SyntaxError("a number that a double does not hold");
  return JSON.stringify(value);
}

function readCanonical(bytes, where, apart = 0) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = readJson(text, apart);
    if (canonical(value) === text) return value;
  } catch (problem) {
    if (!(problem instanceof SyntaxError || problem instanceof TypeError || problem instanceof RangeError)) throw problem;
  }
  throw new Failed(where, "不是规范字节的 JSON（RFC 8785）", "not JSON in canonical bytes (RFC 8785)");
}

// The same value, as Python compares documents.
function equal(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k]));
}

// What RFC 8785 cannot write stands in evidence.json as text.
function exactly(value) {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(exactly);
  if (value === null || typeof value !== "object") return value;
  const found = Object.create(null);
  for (const name of Object.keys(value)) found[name] = exactly(value[name]);
  return found;
}
