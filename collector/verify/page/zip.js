// --- what was given: a ZIP file in its one form (ADR 21), or a folder ---------------------------

const MOST_ENTRIES = 100000;
const MOST_RATIO = 200;
// of the whole archive, as in collector/verify/archive.py
const FREE = 1048576;
const MOST_IN_ALL = 8 * 1024 * 1048576;
const DEEPEST_NAME = 8;
const LONGEST_NAME = 512;
const LIMIT = 0x7fffffff;
const DATE = 33;

const notOurs = (zh, en, where) =>
  new Failed(
    where,
    `不是 hostpledge 打包的形式（${zh}）；如由他人打包，请解压后核验目录`,
    `not packed in the form that hostpledge writes (${en}); if others packed it, unpack it and verify the folder`,
  );

const tooLarge = (where) =>
  new Undecided(where, "过大，本页无法核验：请用 hostpledge verify", "too large for this page: use hostpledge verify");
const tooMuch = (where) =>
  new Failed(where, "解压后大于证据包应有的大小", "unpacks to more than a bundle holds");

const notAsSaid = (where) =>
  new Failed(where, "与压缩包所述的长度或校验值不符", "not what the archive says of it");

function fromFolder(list) {
  const files = new Map();
  for (const file of list) {
    files.set(file.webkitRelativePath.split("/").slice(1).join("/"), () => bytesOf(file));
  }
  return files;
}

async function bytesOf(blob) {
  if (blob.size > MOST_BYTES) throw tooLarge(blob.name ?? "");
  return new Uint8Array(await blob.arrayBuffer());
}

// numbers of 2 or 4 bytes, the least first
function packed(...fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let place = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
    place += size;
  }
  return bytes;
}

// Each header follows from name, method, sizes and place: whatever else stands there is refused.
function localHeader(e) {
  return concat(
    packed([4, 0x04034b50], [2, 20], [2, 0], [2, e.method], [2, 0], [2, DATE], [4, e.crc], [4, e.packed], [4, e.size], [2, e.raw.length], [2, 0]),
    e.raw,
  );
}

function listedHeader(e) {
  return concat(
    packed([4, 0x02014b50], [2, 0x0300 | 20], [2, 20], [2, 0], [2, e.method], [2, 0], [2, DATE], [4, e.crc], [4, e.packed], [4, e.size],
      [2, e.raw.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0o644 * 65536], [4, e.offset]),
    e.raw,
  );
}

const endRecord = (count, size, offset) =>
  packed([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);

async function fromZip(file) {
  const bad = (zh, en) => new Failed(file.name, zh, en);
  const tail = await bytesOf(file.slice(Math.max(0, file.size - 22)));
  const end = new DataView(tail.buffer);
  if (tail.length < 22 || end.getUint32(0, true) !== 0x06054b50 || end.getUint16(20, true)) {
    const last = new TextDecoder("latin1").decode(await bytesOf(file.slice(Math.max(0, file.size - 65557))));
    const place = last.lastIndexOf("PK\x05\x06");
    if (place >= 0 && place + 22 <= last.length) throw bad("压缩包之后有多余内容", "something stands after the archive");
    throw bad("ZIP 文件不完整", "not a whole ZIP file");
  }
  const [count, size, offset] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  // there ZIP64 begins; a smaller file that says so of itself lies
  if ((count === 0xffff && file.size > 0xffff * 76) || file.size > LIMIT) throw tooLarge(file.name);
  if (offset + size + 22 !== file.size) {
    throw bad("压缩包之前或各部分之间有多余内容", "something stands before the archive or between its parts");
  }
  if (!same(tail, endRecord(count, size, offset))) throw notOurs("结尾", "its end", file.name);
  if (count > MOST_ENTRIES) throw bad(`超过 ${MOST_ENTRIES} 个文件`, `more than ${MOST_ENTRIES} entries`);
  const entries = listed(await bytesOf(file.slice(offset, offset + size)), count, file.name, file.size);
  let place = 0;
  const files = new Map();
  for (const entry of entries) {
    if (entry.offset !== place) throw notOurs("位置", "its place", entry.name);
    const header = localHeader(entry);
    if (!same(await bytesOf(file.slice(place, place + header.length)), header)) {
      throw notOurs("文件头", "its header", entry.name);
    }
    const start = place + header.length;
    place = start + entry.packed;
    files.set(entry.name, () => unpack(file.slice(start, start + entry.packed), entry));
  }
  if (place !== offset) throw bad("压缩包各部分之间有多余内容", "something stands between its parts");
  checkNames(entries);
  checkSizes(entries);
  return files;
}

// By what their headers say, before a byte is unpacked.
function checkSizes(entries) {
  let free = FREE;
  let left = MOST_IN_ALL;
  for (const { name, method, size, packed: long } of entries) {
    if (method === 0 && size !== long) throw notAsSaid(name);
    free -= Math.max(0, size - long * MOST_RATIO);
    left -= size;
    if (Math.min(free, left) < 0) throw tooMuch(name);
  }
  for (const { name, size } of entries) {
    const most = mostOf(name);
    if (size > most * 1048576) throw new Failed(name, `大于 ${most} MiB`, `larger than ${most} MiB`);
  }
}

// In MiB, as `check_sizes` in collector/attest/bundle/bag.py has it.
function mostOf(name) {
  if (name.endsWith("/evidence.json")) return MOST_IN_ALL / 1048576;
  return name.startsWith("data/") && !name.startsWith("data/bundle.") ? 64 : 16;
}

function listed(bytes, count, where, most) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = [];
  let place = 0;
  for (let number = 0; number < count; number += 1) {
    if (place + 46 > bytes.length || view.getUint32(place, true) !== 0x02014b50) {
      throw new Failed(where, "ZIP 文件不完整", "not a whole ZIP file");
    }
    const long = view.getUint16(place + 28, true);
    if (long > LONGEST_NAME) throw new Failed(where, "文件名指向包外", "a name that leads elsewhere");
    const raw = bytes.subarray(place + 46, place + 46 + long);
    const name = new TextDecoder("latin1").decode(raw);
    const entry = {
      name,
      raw,
      method: view.getUint16(place + 10, true),
      crc: view.getUint32(place + 16, true),
      packed: view.getUint32(place + 20, true),
      size: view.getUint32(place + 24, true),
      offset: view.getUint32(place + 42, true),
    };
    if (view.getUint16(place + 8, true) & 1) throw new Failed(name, "已加密", "encrypted");
    if (![0, 8].includes(entry.method)) throw new Failed(name, "压缩方式不寻常", "packed in an unusual way");
    const kind = (view.getUint32(place + 38, true) >>> 28) & 0xf;
    if (![0, name.endsWith("/") ? 4 : 8].includes(kind)) {
      throw new Failed(name, "是链接或其他特殊条目", "a link or another special entry");
    }
    if (entry.size > FREE + most * MOST_RATIO) throw tooMuch(name);
    // where a header has room for 64 bits: it may be longer when packed
    if (entry.size * 1.05 > LIMIT) throw tooLarge(name);
    const header = listedHeader(entry);
    if (!same(bytes.subarray(place, place + header.length), header)) throw notOurs("清单中的条目", "its line in the list", name);
    place += header.length;
    entries.push(entry);
  }
  if (place !== bytes.length) throw new Failed(where, "压缩包各部分之间有多余内容", "something stands between its parts");
  return entries;
}

function checkNames(entries) {
  const seen = new Set();
  const folders = new Set();
  for (const { name } of entries) {
    const parts = name.split("/");
    const plain = parts.every((part) => /^[A-Za-z0-9_=.-]+$/.test(part) && part !== "." && part !== "..");
    if (!plain || parts.length > DEEPEST_NAME) {
      throw new Failed(name, "文件名指向包外", "a name that leads elsewhere");
    }
    if (seen.has(name.toLowerCase())) throw new Failed(name, "在压缩包中出现了两次", "stands twice in the archive");
    seen.add(name.toLowerCase());
    for (let many = 1; many < parts.length; many += 1) folders.add(parts.slice(0, many).join("/").toLowerCase());
  }
  let before = "";
  for (const entry of entries) {
    const { name } = entry;
    if (folders.has(name.toLowerCase())) throw new Failed(name, "既是文件又是目录", "both a file and a folder");
    if (name <= before) throw notOurs("次序", "its order", name);
    before = name;
    const document = name.startsWith("data/attached/");
    const stored = document || name.endsWith(".capture.gz");
    // documents were packed too, once
    if (entry.method !== (stored ? 0 : 8) && !document) throw notOurs("压缩方式", "its method", name);
  }
}

const CRC = Uint32Array.from({ length: 256 }, (_, number) => {
  let value = number;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (let place = 0; place < bytes.length; place += 1) value = (value >>> 8) ^ CRC[(value ^ bytes[place]) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}

async function unpack(slice, entry) {
  const { name } = entry;
  if (entry.size > MOST_BYTES) throw tooLarge(name);
  const bytes = entry.method === 0 ? await drain(slice.stream(), entry.size) : await inflate(slice, "deflate-raw", entry.size);
  if (bytes === undefined) throw notAsSaid(name);
  if (bytes === null) throw new Failed(name, "压缩内容不完整，或其后有多余字节", "its packed content is not whole, or something follows it");
  if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
    throw notAsSaid(name);
  }
  return bytes;
}
