// --- captures: what each host returned ----------------------------------------------------------

const LARGEST_CAPTURE = 64 * 1024 * 1024;
const LONGEST_LINE = 16 * 1024 * 1024;
const MOST_LINES = 20000;
const PARTS = ["head", "read", "end"];

// The file name of a host's capture, or of a document: safe letters stay, other bytes become =XX.
async function fileName(name) {
  const bytes = utf8(name);
  let safe = "";
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    safe += /[A-Za-z0-9._-]/.test(letter) ? letter : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  if (/^[.-]/.test(safe)) safe = `=${safe.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}${safe.slice(1)}`;
  if (safe.length > 180) safe = `${safe.slice(0, 120)}=${(await digestOf(bytes)).slice(0, 32)}`;
  return safe;
}

async function hostNonce(run, host) {
  return (await digestOf(utf8(`${run}\n${host}`))).slice(0, 32);
}

// A capture: its head, and of each read its status and the digest of what it returned.
async function readCapture(bytes, where) {
  const bad = (zh, en) => new Failed(where, zh, en);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    throw bad("不是 hostpledge 格式的采集文件", "not a capture in hostpledge's form");
  }
  const plain = await inflate(new Blob([bytes]), "gzip", LARGEST_CAPTURE);
  if (plain === undefined || bytes.length > LARGEST_CAPTURE) {
    throw bad("大于采集文件应有的大小", "unpacks to more than a capture holds");
  }
  if (plain === null) throw bad("采集文件已损坏或不完整", "damaged, or cut off");
  if (plain[0] !== 0x7b) throw bad("不是 hostpledge 格式的采集文件", "not a capture in hostpledge's form");
  const found = { head: null, reads: new Map() };
  let [ended, number] = [false, 0];
  for (const line of lines(plain)) {
    number += 1;
    if (number > MOST_LINES || line.length > LONGEST_LINE) {
      throw bad("行数过多，或有一行过长", "more lines than a capture has, or a longer one");
    }
    if (!line.length) continue;
    const document = readLine(line, `${where} line ${number}`);
    if ((document.kind === "head") === (found.head !== null) || ended) {
      throw bad(`${document.kind} 行的位置不对`, `a ${document.kind} line stands at the wrong place`);
    }
    if (document.kind === "head") found.head = document;
    else if (document.kind === "end") ended = document.reads === found.reads.size;
    else if (found.reads.has(document.id)) throw bad(`${document.id} 出现了两次`, `the read ${document.id} stands twice`);
    else found.reads.set(document.id, await readOf(document, where));
  }
  if (found.head === null || !ended) throw bad("采集文件不完整", "cut off before its end");
  const at = found.head.collected_at;
  if (at && (Number(at.slice(0, 4)) < 1970 || Number(at.slice(0, 4)) > 9000)) {
    throw bad("采集时间不是可用的年份", "collected_at is in no year to reckon from");
  }
  return found;
}

function* lines(bytes) {
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
  yield bytes.subarray(start);
}

function readLine(line, where) {
  let document = null;
  try {
    document = readJson(textOf(line));
  } catch (problem) {
    if (!(problem instanceof SyntaxError || problem instanceof TypeError)) throw problem;
    throw new Failed(where, "不是 JSON", "not JSON");
  }
  const kind = document !== null && typeof document === "object" ? document.kind : undefined;
  if (!PARTS.includes(kind)) throw new Failed(where, "不是采集文件中的一行", "not a line of a capture");
  return conform(document, "capture", where, kind);
}

async function readOf(line, where) {
  const parts = [content(line, "stdout", where)];
  for (const file of line.files ?? []) {
    parts.push(Uint8Array.of(0), content(file, "path", where), Uint8Array.of(0), content(file, "data", where));
  }
  const digest = await digestOf(concat(...parts));
  if (digest !== line.sha256) {
    throw new Failed(where, `${line.id} 的内容与摘要不符`, `the content of ${line.id} does not match its digest`);
  }
  return { status: line.status, digest };
}

function content(line, name, where) {
  // an ASCII path counts before the other spelling of it, as in Python
  const plain = line[name];
  const encoded = line[`${name}_base64`];
  const bytes = encoded === undefined ? null : fromBase64(encoded);
  if (encoded === undefined && plain !== undefined) return utf8(plain);
  if (bytes === null) throw new Failed(where, `${name} 不是 base64，或没有`, `${name} is not base64, or not there`);
  return bytes;
}
