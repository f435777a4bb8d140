"use strict";
// Checks a bundle as `hostpledge verify` does, as far as a browser can: nothing leaves this page.

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "urn:hostpledge:predicate:evidence:1";
const ENVELOPE = "data/bundle.sigstore.json";
const TWIN = "data/bundle.sm2.json";
const TAGS = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];
const REDACTED = ["captures/", "before/captures/"];
const MOST_ENTRIES = 100000;
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_RATIO = 200;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

class Failed extends Error {
  constructor(where, zh, en) {
    super(en);
    this.where = where;
    this.said = { zh, en };
  }
}

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const same = (a, b) => a.length === b.length && a.every((byte, place) => byte === b[place]);

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function base64(bytes) {
  let text = "";
  for (let place = 0; place < bytes.length; place += 32768) {
    text += String.fromCharCode(...bytes.subarray(place, place + 32768));
  }
  return btoa(text);
}

// base64 in its one spelling (RFC 4648 section 4)
function strictBase64(text, where) {
  let bytes = null;
  try {
    bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    bytes = null;
  }
  if (bytes === null || base64(bytes) !== text) {
    throw new Failed(where, "base64 编码形式不对", "not base64 in its one spelling");
  }
  return bytes;
}

// RFC 8785: JSON.stringify writes strings and numbers as it asks, and keys sort by UTF-16 units
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort();
    return `{${members.map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

// a text with two members of one name is not what its canonical form gives back
function readCanonical(bytes, where) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    if (canonical(value) === text) return value;
  } catch {
    // falls through
  }
  throw new Failed(where, "不是规范字节的 JSON（RFC 8785）", "not JSON in canonical bytes (RFC 8785)");
}

function exact(object, required, optional, where) {
  const fine = object !== null && typeof object === "object" && !Array.isArray(object);
  const names = fine ? Object.keys(object) : [];
  if (
    !fine ||
    !required.every((name) => names.includes(name)) ||
    !names.every((name) => required.includes(name) || optional.includes(name))
  ) {
    throw new Failed(where, "格式与证据包不符", "not of the form that a bundle has");
  }
  return object;
}

// --- what was given: a ZIP file, or a folder ----------------------------------------------------

function fromFolder(list) {
  const files = new Map();
  for (const file of list) {
    files.set(file.webkitRelativePath.split("/").slice(1).join("/"), () => bytesOf(file));
  }
  return files;
}

async function bytesOf(blob) {
  if (blob.size > MOST_BYTES) {
    throw new Failed(blob.name ?? "", "过大，本页无法核验", "too large for this page");
  }
  return new Uint8Array(await blob.arrayBuffer());
}

async function fromZip(file) {
  const bad = (en, zh) => new Failed(file.name, zh, en);
  const tail = await bytesOf(file.slice(Math.max(0, file.size - 65557)));
  const start = new TextDecoder("latin1").decode(tail).lastIndexOf("PK\x05\x06");
  if (start < 0) throw bad("not a whole ZIP file", "不是完整的 ZIP 文件");
  const end = new DataView(tail.buffer, start);
  if (end.byteLength < 22) throw bad("not a whole ZIP file", "不是完整的 ZIP 文件");
  const [count, size, offset] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  if (count > MOST_ENTRIES || count === 0xffff || offset === 0xffffffff) {
    throw bad("too large for this page", "过大，本页无法核验");
  }
  const central = await bytesOf(file.slice(offset, offset + size));
  const view = new DataView(central.buffer);
  const files = new Map();
  const seen = new Set();
  for (let number = 0, place = 0; number < count; number += 1) {
    if (place + 46 > central.length || view.getUint32(place, true) !== 0x02014b50) {
      throw bad("not a whole ZIP file", "不是完整的 ZIP 文件");
    }
    const entry = {
      flags: view.getUint16(place + 8, true),
      method: view.getUint16(place + 10, true),
      packed: view.getUint32(place + 20, true),
      plain: view.getUint32(place + 24, true),
      offset: view.getUint32(place + 42, true),
    };
    const lengths = [28, 30, 32].map((at) => view.getUint16(place + at, true));
    const raw = central.subarray(place + 46, place + 46 + lengths[0]);
    const name = new TextDecoder("utf-8").decode(raw);
    place += 46 + lengths[0] + lengths[1] + lengths[2];
    const parts = name.replace(/\/$/, "").split("/");
    if (parts.some((part) => part === "" || part === "." || part === "..") || /[\\:\x00-\x1f]/.test(name)) {
      throw bad(`a name that leads elsewhere: ${name}`, `文件名指向别处：${name}`);
    }
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw bad(`stands twice: ${name}`, `出现两次：${name}`);
    seen.add(folded);
    if (name.endsWith("/")) continue;
    if (entry.flags & 1 || ![0, 8].includes(entry.method)) {
      throw bad(`packed in an unusual way: ${name}`, `压缩方式不支持：${name}`);
    }
    files.set(name, () => unpack(file, name, entry));
  }
  return withoutTop(files);
}

async function unpack(file, name, entry) {
  const head = new DataView(await file.slice(entry.offset, entry.offset + 30).arrayBuffer());
  if (head.byteLength < 30 || head.getUint32(0, true) !== 0x04034b50) {
    throw new Failed(name, "不是完整的 ZIP 文件", "not a whole ZIP file");
  }
  const start = entry.offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = file.slice(start, start + entry.packed);
  const most = Math.min(entry.plain, 1048576 + entry.packed * MOST_RATIO, MOST_BYTES);
  const stream = entry.method === 0
    ? packed.stream()
    : packed.stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = [];
  let total = 0;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      total += value.length;
      if (total > most) {
        throw new Failed(name, "解压后超出证据包应有的大小", "unpacks to more than a bundle holds");
      }
      parts.push(value);
    }
  } catch (problem) {
    if (problem instanceof Failed) throw problem;
    throw new Failed(name, "不是完整的 ZIP 文件", "not a whole ZIP file");
  }
  return concat(...parts);
}

function withoutTop(files) {
  const tops = new Set(Array.from(files.keys(), (name) => name.split("/")[0]));
  const [top] = tops;
  if (tops.size !== 1 || top === "data" || files.has(top)) return files;
  return new Map(Array.from(files, ([name, read]) => [name.slice(top.length + 1), read]));
}

// --- keys ---------------------------------------------------------------------------------------

function der(pem, where) {
  const found = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END PUBLIC KEY-----\n$/.exec(pem);
  if (found === null) throw new Failed(where, "不是 PEM 格式的公钥", "not a public key in PEM");
  return strictBase64(found[1].replaceAll("\n", ""), where);
}

function wire(...parts) {
  return concat(
    ...parts.flatMap((part) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, part.length);
      return [length, part];
    }),
  );
}

const P256 = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const ED25519 = "302a300506032b6570032100";
const SM2 = "3059301306072a8648ce3d020106082a811ccf5501822d03420004";

async function publicKey(pem, where) {
  const spki = der(pem, where);
  const text = hex(spki);
  let key = null;
  if (text.startsWith(P256) && spki.length === 91) {
    const point = spki.subarray(26);
    const line = wire(utf8("ecdsa-sha2-nistp256"), utf8("nistp256"), point);
    key = { type: "p256", line, algorithm: { name: "ECDSA", namedCurve: "P-256" } };
  } else if (text.startsWith(ED25519) && spki.length === 44) {
    const line = wire(utf8("ssh-ed25519"), spki.subarray(12));
    key = { type: "ed25519", line, algorithm: { name: "Ed25519" } };
  } else if (text.startsWith(SM2)) {
    return { type: "sm2" };
  } else {
    throw new Failed(where, "只接受 P-256 和 Ed25519 公钥", "only P-256 and Ed25519 keys are taken");
  }
  key.keyid = `SHA256:${base64(await sha256(key.line)).replaceAll("=", "")}`;
  try {
    key.crypto = await crypto.subtle.importKey("spki", spki, key.algorithm, false, ["verify"]);
  } catch {
    throw new Failed(
      where,
      key.type === "ed25519" ? "公钥无效，或此浏览器不支持 Ed25519" : "公钥无效",
      key.type === "ed25519" ? "no valid key, or this browser knows no Ed25519" : "no valid key",
    );
  }
  return key;
}

// a trust file of `hostpledge key trust`, or a public key in PEM
async function readTrust(text) {
  const where = word("信任的密钥", "trusted keys");
  if (text.trimStart().startsWith("-----BEGIN")) {
    const key = await publicKey(`${text.trim().replaceAll("\r", "")}\n`, where);
    if (key.type === "sm2") throw new Failed(where, "本页不核验 SM2 签名", "this page checks no SM2 signature");
    return [{ ...key, name: key.keyid }];
  }
  let document = null;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Failed(where, "不是信任文件或 PEM 公钥", "neither a trust file nor a public key in PEM");
  }
  exact(document, ["schema", "keys"], ["timestamp_authorities"], where);
  if (document.schema !== "urn:hostpledge:schema:trust:1" || !Array.isArray(document.keys)) {
    throw new Failed(where, "不是信任文件", "not a trust file");
  }
  const keys = [];
  for (const entry of document.keys) {
    exact(entry, ["keyid", "name", "pem"], ["valid_from", "valid_until", "revoked_at"], where);
    const key = await publicKey(entry.pem, where);
    if (key.type === "sm2") continue;
    if (key.keyid !== entry.keyid) {
      throw new Failed(where, `指纹与公钥不符：${entry.name}`, `the keyid is not that of the key: ${entry.name}`);
    }
    keys.push({ ...key, ...entry });
  }
  return keys;
}

// --- the signature ------------------------------------------------------------------------------

// ECDSA in DER with the lower s, and no other spelling → r and s, 32 bytes each
function rawEcdsa(signature, where) {
  const bad = new Failed(where, "签名不是唯一允许的编码形式", "the signature is not in its one allowed form");
  const integer = (place) => {
    const length = signature[place + 1];
    const bytes = signature.subarray(place + 2, place + 2 + length);
    const minimal = length > 0 && length <= 33 && bytes[0] < 0x80 && (length === 1 || bytes[0] !== 0 || bytes[1] >= 0x80);
    if (signature[place] !== 2 || bytes.length !== length || !minimal) throw bad;
    return [BigInt(`0x${hex(bytes)}`), place + 2 + length];
  };
  if (signature[0] !== 0x30 || signature[1] !== signature.length - 2) throw bad;
  const [r, next] = integer(2);
  const [s, end] = integer(next);
  if (end !== signature.length || r < 1n || r >= ORDER || s < 1n || s > ORDER / 2n) throw bad;
  const text = r.toString(16).padStart(64, "0") + s.toString(16).padStart(64, "0");
  return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
}

// DSSE v1.0: lengths count bytes
function pae(payload) {
  return concat(utf8(`DSSEv1 ${utf8(PAYLOAD_TYPE).length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
}

async function checkSignature(key, signature, payload) {
  const ecdsa = key.type === "p256";
  const raw = ecdsa ? rawEcdsa(signature, ENVELOPE) : signature;
  const how = ecdsa ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" };
  if (!(await crypto.subtle.verify(how, key.crypto, raw, pae(payload)))) {
    throw new Failed(
      ENVELOPE,
      `签名无效：不是 ${key.keyid} 对此内容的签名`,
      `the signature is not by ${key.keyid} over this`,
    );
  }
}

function checkWindow(key, madeAt) {
  const time = (text) => (text ? Date.parse(text) : null);
  const [from, until, revoked] = [time(key.valid_from), time(key.valid_until), time(key.revoked_at)];
  const bad = (zh, en) => new Failed(ENVELOPE, zh, en);
  if ([from, until, revoked, madeAt].some(Number.isNaN)) throw bad("时间无法识别", "not a time");
  if (from !== null && madeAt < from) {
    throw bad(`签署早于密钥“${key.name}”的启用时间`, `signed before the key ${key.name} was valid`);
  }
  if (revoked !== null || (until !== null && until < Math.max(madeAt, Date.now()))) {
    throw bad(
      `密钥“${key.name}”已停用或被吊销，而本页不核验时间戳与日志证明：请用 hostpledge verify`,
      `the key ${key.name} has ended or was revoked, and this page checks neither timestamps nor proofs of the log: use hostpledge verify`,
    );
  }
}

// --- the bundle ---------------------------------------------------------------------------------

async function openEnvelope(read) {
  const stored = readCanonical(await read(), ENVELOPE);
  exact(stored, ["mediaType", "verificationMaterial", "dsseEnvelope"], [], ENVELOPE);
  const material = exact(stored.verificationMaterial, ["publicKey"], ["timestampVerificationData"], ENVELOPE);
  const envelope = exact(stored.dsseEnvelope, ["payload", "payloadType", "signatures"], [], ENVELOPE);
  const hint = exact(material.publicKey, ["hint"], [], ENVELOPE).hint;
  const right = stored.mediaType === MEDIA_TYPE && envelope.payloadType === PAYLOAD_TYPE;
  if (!right || !Array.isArray(envelope.signatures) || envelope.signatures.length !== 1) {
    throw new Failed(ENVELOPE, "格式与证据包不符", "not of the form that a bundle has");
  }
  const signed = exact(envelope.signatures[0], ["keyid", "sig"], [], ENVELOPE);
  if (hint !== signed.keyid) {
    throw new Failed(ENVELOPE, "所列密钥前后不一", "names one key as hint and another at the signature");
  }
  return {
    keyid: signed.keyid,
    stamped: "timestampVerificationData" in material,
    payload: strictBase64(envelope.payload, ENVELOPE),
    signature: strictBase64(signed.sig, ENVELOPE),
  };
}

function readStatement(payload) {
  const document = readCanonical(payload, ENVELOPE);
  exact(document, ["_type", "subject", "predicateType", "predicate"], [], ENVELOPE);
  const right = document._type === STATEMENT_TYPE && document.predicateType === PREDICATE_TYPE;
  if (!right || !Array.isArray(document.subject)) {
    throw new Failed(ENVELOPE, "不是 hostpledge 的声明", "not a statement of hostpledge");
  }
  const subjects = new Map();
  for (const subject of document.subject) {
    exact(subject, ["name", "digest"], [], ENVELOPE);
    const { sha256: digest } = exact(subject.digest, ["sha256"], [], ENVELOPE);
    if (subjects.has(subject.name) || !/^[0-9a-f]{64}$/.test(digest)) {
      throw new Failed(ENVELOPE, "声明中有文件列了两次或摘要不对", "names a subject twice, or by no digest");
    }
    subjects.set(subject.name, digest);
  }
  return { subjects, predicate: document.predicate };
}

function manifest(digests) {
  const names = Array.from(digests.keys());
  // by code points, as Python sorts
  names.sort((a, b) => {
    const [left, right] = [Array.from(a), Array.from(b)];
    for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
      const difference = left[place].codePointAt(0) - right[place].codePointAt(0);
      if (difference) return difference;
    }
    return left.length - right.length;
  });
  return utf8(names.map((name) => `${digests.get(name)}  ${name}\n`).join(""));
}

async function checkTags(files, digests, size, payload, predicate, redacted) {
  const labels = {
    "Bag-Software-Agent": `hostpledge ${predicate.tool.version}`,
    "External-Description": "Evidence of hostpledge; verify with `hostpledge verify`",
    "External-Identifier": `sha256:${hex(await sha256(payload))}`,
    "Payload-Oxum": `${size}.${digests.size}`,
  };
  if (redacted) labels["Hostpledge-Left-Out"] = "captures";
  const expected = new Map([
    ["bagit.txt", utf8("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")],
    ["bag-info.txt", utf8(Object.keys(labels).sort().map((k) => `${k}: ${labels[k]}\n`).join(""))],
    ["manifest-sha256.txt", manifest(digests)],
  ]);
  const tags = new Map();
  for (const [name, bytes] of expected) tags.set(name, hex(await sha256(bytes)));
  expected.set("tagmanifest-sha256.txt", manifest(tags));
  for (const [name, bytes] of expected) {
    if (!same(await files.get(name)(), bytes)) {
      throw new Failed(name, "内容已被改动", "its bytes were changed");
    }
  }
}

function checkSubjects(subjects, digests, redacted, twin) {
  const leftOut = (name) => redacted && REDACTED.some((folder) => name.startsWith(folder));
  for (const [name, digest] of subjects) {
    const found = digests.get(`data/${name}`);
    if (leftOut(name)) {
      if (found === undefined) continue;
      throw new Failed(`data/${name}`, "证据包自称已略去采集文件", "stands in a bundle without captures");
    }
    if (found === undefined) {
      throw new Failed(`data/${name}`, "文件缺失，而签名声明中列有此文件", "is missing, and the statement names it");
    }
    if (found !== digest) throw new Failed(`data/${name}`, "与签名时的内容不符", "is not what was signed");
  }
  for (const name of digests.keys()) {
    const beside = name === ENVELOPE || (twin && name === TWIN);
    if (!beside && !subjects.has(name.slice("data/".length))) {
      throw new Failed(name, "不在签名范围内", "is not among what was signed");
    }
  }
  if (!subjects.has("evidence.json")) {
    throw new Failed("data/evidence.json", "不在签名范围内", "is not among what was signed");
  }
  if (twin && !digests.has(TWIN)) {
    throw new Failed(TWIN, "文件缺失，而签名声明中列有此文件", "is missing, and the statement names it");
  }
}

async function verifyBundle(files, keys, progress) {
  for (const name of [...TAGS, ENVELOPE]) {
    if (!files.has(name)) throw new Failed(name, "文件缺失", "is missing");
  }
  const digests = new Map();
  let size = 0;
  for (const [name, read] of files) {
    if (TAGS.includes(name)) continue;
    if (!name.startsWith("data/")) throw new Failed(name, "不属于证据包", "does not belong to the bundle");
    const bytes = await read();
    digests.set(name, hex(await sha256(bytes)));
    size += bytes.length;
    progress(digests.size, files.size - TAGS.length);
  }
  const sealed = await openEnvelope(files.get(ENVELOPE));
  const { subjects, predicate } = readStatement(sealed.payload);
  const key = keys.find((one) => one.keyid === sealed.keyid);
  if (key === undefined) {
    throw new Failed(
      ENVELOPE,
      `由 ${sealed.keyid} 签名，该密钥不在信任之列`,
      `signed by ${sealed.keyid}, which is not among the trusted keys`,
    );
  }
  await checkSignature(key, sealed.signature, sealed.payload);
  checkWindow(key, Date.parse(predicate.made_at));
  const info = new TextDecoder().decode(await files.get("bag-info.txt")());
  const redacted = info.split("\n").includes("Hostpledge-Left-Out: captures");
  const twin = "sm2" in predicate;
  checkSubjects(subjects, digests, redacted, twin);
  await checkTags(files, digests, size, sealed.payload, predicate, redacted);
  const digest = hex(await sha256(sealed.payload));
  return { key, digest, predicate, redacted, twin, stamped: sealed.stamped, count: digests.size };
}

// --- what is shown ------------------------------------------------------------------------------

const WORDS = JSON.parse(document.getElementById("words").textContent);
let lang = navigator.language.startsWith("zh") ? "zh" : "en";
const word = (zh, en) => (lang === "zh" ? zh : en);
const at = (id) => document.getElementById(id);

function line(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

function show(state, title, ...content) {
  const result = at("result");
  result.dataset.state = state;
  result.replaceChildren(line("h2", title), ...content);
}

function list(title, entries) {
  const items = document.createElement("ul");
  items.append(...entries.map((text) => line("li", text)));
  return [line("h3", title), items];
}

function about(found) {
  const said = found.predicate;
  const table = document.createElement("table");
  const row = (name, text) => {
    const cells = document.createElement("tr");
    cells.append(line("th", name), line("td", text));
    table.append(cells);
  };
  row(word("证据包摘要", "Bundle"), `sha256:${found.digest}`);
  row(word("签名密钥", "Signed by"), found.key.name === found.key.keyid ? found.key.keyid : `${found.key.name} (${found.key.keyid})`);
  row(word("签署时间（签名人自称）", "Signed at (the signer's word)"), said.made_at);
  row(word("核查时段", "Looked at"), `${said.period.from} … ${said.period.to}`);
  row(word("主机数", "Hosts"), String(said.hosts));
  if (said.pledge) {
    row(word("登记", "Pledge record"), `${said.pledge.id}, ${word("第", "bundle ")}${said.pledge.sequence}${word(" 份", "")}`);
  }
  for (const [number, verdict] of Object.entries(said.clauses)) {
    const clause = WORDS.clauses[number];
    row(clause ? `${clause.number} ${clause[lang]}` : number, (WORDS.verdict[verdict] ?? {})[lang] ?? verdict);
  }
  return table;
}

function told(found) {
  const proven = [
    word(
      `自签名以来，包内 ${found.count} 个文件的每个字节均未改动；签名由上述密钥作出。`,
      `No byte of the ${found.count} files in it has changed since it was signed by the key above.`,
    ),
  ];
  const days = Math.max(0, Math.floor((Date.now() - Date.parse(found.predicate.period.from)) / 86400000));
  const unproven = [
    word(
      `主机现在是否仍然如此：距核查已有 ${days} 天；核验通过不说明证据是新近的。`,
      `That the hosts are still so: they were looked at ${days} day(s) ago, and that it verifies does not make it fresh.`,
    ),
    word("时间：本页不核验时间戳与日志证明。", "The time: this page checks neither timestamps nor proofs of the register's log."),
    word(
      "结论是否出自采集文件、判定是否正确：请用 hostpledge verify 与 hostpledge replay。",
      "That the findings come from the captures and were judged rightly: use hostpledge verify and hostpledge replay.",
    ),
    word(
      "主机所言是否属实：拥有 root 权限的人可以让主机输出任何内容。",
      "That the hosts told the truth: whoever is root on a host can make it print anything.",
    ),
  ];
  if (found.redacted) {
    unproven.unshift(word("采集文件已略去，仅余其摘要。", "The captures were left out; their digests alone are there."));
  }
  if (found.twin) unproven.push(word("SM2 签名：本页不核验。", "The SM2 signature: this page does not check it."));
  return [...list(word("已证明", "Proven"), proven), ...list(word("未证明", "Not proven"), unproven)];
}

async function run() {
  const [zip, folder] = [at("zip").files, at("folder").files];
  const trust = at("trust-file").files[0] ? await at("trust-file").files[0].text() : at("trust").value;
  show("busy", word("核验中…", "Verifying …"));
  try {
    if (!trust.trim()) {
      throw new Failed("", "请给出信任文件或公钥：不能取自证据包本身", "give a trust file or a public key: it cannot come from the bundle");
    }
    if (!zip.length && !folder.length) throw new Failed("", "请选择证据包", "choose a bundle");
    const keys = await readTrust(trust);
    const files = zip.length ? await fromZip(zip[0]) : fromFolder(folder);
    const found = await verifyBundle(files, keys, (done, all) => {
      if (done % 50 === 0) show("busy", `${word("核验中…", "Verifying …")} ${done}/${all}`);
    });
    show("verified", word("核验通过", "Verified"), about(found), ...told(found));
  } catch (problem) {
    const said = problem instanceof Failed ? problem.said[lang] : `${problem.name}: ${problem.message}`;
    show("failed", word("核验不通过", "Does not verify"), line("p", problem.where ? `${problem.where}: ${said}` : said));
  }
}

function speak() {
  document.documentElement.lang = lang;
  for (const element of document.querySelectorAll("[data-zh]")) {
    element.textContent = element.dataset[lang];
  }
}

at("language").addEventListener("click", () => {
  lang = lang === "zh" ? "en" : "zh";
  speak();
  if (["verified", "failed"].includes(at("result").dataset.state)) run();
});
at("zip").addEventListener("change", () => { at("folder").value = ""; });
at("folder").addEventListener("change", () => { at("zip").value = ""; });
at("verify").addEventListener("click", run);
speak();
