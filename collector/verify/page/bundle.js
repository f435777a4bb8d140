// --- the bundle ---------------------------------------------------------------------------------

const TAGS = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];
const EVIDENCE = "data/evidence.json";

function manifest(digests) {
  const names = Array.from(digests.keys()).sort(byCodePoints);
  return utf8(names.map((name) => `${digests.get(name)}  ${name}\n`).join(""));
}

async function checkTags(files, digests, size, payload, predicate, redacted) {
  const labels = {
    "Bag-Software-Agent": `hostpledge ${predicate.tool.version}`,
    "External-Description": "Evidence of hostpledge; verify with `hostpledge verify`",
    "External-Identifier": `sha256:${await digestOf(payload)}`,
    "Payload-Oxum": `${size}.${digests.size}`,
  };
  if (redacted) labels["Hostpledge-Left-Out"] = "captures";
  const expected = new Map([
    ["bagit.txt", utf8("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")],
    ["bag-info.txt", utf8(Object.keys(labels).sort().map((k) => `${k}: ${labels[k]}\n`).join(""))],
    ["manifest-sha256.txt", manifest(digests)],
  ]);
  const tags = new Map();
  for (const [name, bytes] of expected) tags.set(name, await digestOf(bytes));
  expected.set("tagmanifest-sha256.txt", manifest(tags));
  for (const [name, bytes] of expected) {
    if (!same(await files.get(name)(), bytes)) {
      throw new Failed(name, "内容已被改动", "its bytes were changed");
    }
  }
}

// The files given and those that were signed, by name: of any others nothing is read.
function checkListed({ subjects, said }, files, redacted) {
  const twin = Object.hasOwn(said, "sm2");
  for (const name of files.keys()) {
    if (TAGS.includes(name) || name === ENVELOPE || (twin && name === TWIN)) continue;
    if (!name.startsWith("data/")) throw new Failed(name, "不属于证据包", "does not belong to the bundle");
    if (!subjects.has(name.slice("data/".length))) {
      throw new Failed(name, "不在签名范围内", "is not among what was signed");
    }
  }
  for (const name of subjects.keys()) {
    if (!files.has(`data/${name}`) && !(redacted && REDACTED.some((folder) => name.startsWith(folder)))) {
      throw new Failed(`data/${name}`, "文件缺失，而签名声明中列有此文件", "is missing, and the statement names it");
    }
  }
}

// Subjects and files, both ways: nothing unsigned lies in a bundle, nothing is gone.
function checkSubjects({ subjects, said }, digests, redacted) {
  const leftOut = (name) => redacted && REDACTED.some((folder) => name.startsWith(folder));
  const twin = Object.hasOwn(said, "sm2");
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
    throw new Failed(EVIDENCE, "不在签名范围内", "is not among what was signed");
  }
}

// No look is later than what shows when it was signed, by more than the clock of a host is wrong.
function checkLooks({ last }, madeAt, found) {
  if (last === null) return;
  if (last - madeAt > A_DAY) {
    throw new Failed(
      EVIDENCE,
      `其中的采集时间 ${written(last)} 晚于签署（${written(madeAt)}）`,
      `holds a look of ${written(last)}, which is later than it was signed (${written(madeAt)})`,
    );
  }
  const stamps = found.filter(({ key }) => key !== null).flatMap(({ sealed }) => sealed.stamps);
  if (stamps.some((at) => last - at > A_DAY)) {
    throw new Undecided(
      EVIDENCE,
      `其中的采集时间 ${written(last)} 晚于时间戳，能否采信取决于时间戳机构，本页不核验：请用 hostpledge verify`,
      `holds a look of ${written(last)}, which is later than its timestamp: whether this counts depends on the authority, which this page does not check: use hostpledge verify`,
    );
  }
}

// What is not in the browser's power, by name.
function leftUnchecked(signed, folder, scope) {
  const found = [];
  if (!scope.known) {
    found.push({ zh: "核查范围与各条款结论（出自此页所不知的版本）", en: "its scope and clauses, as it was made by a release that this page does not know" });
  }
  if (signed.found.some(({ sealed, key }) => key !== null && sealed.stamps.length)) {
    found.push({ zh: "时间戳机构的签名", en: "the signature of the timestamp authority" });
  }
  if (folder) {
    found.push({ zh: "目录中是否有链接或空目录（浏览器看不到；ZIP 文件无此限）", en: "links and empty folders in the folder (a browser does not show them; in a ZIP file it does)" });
  }
  return found;
}

// `files` are names → functions that read them; `folder` is whether they came as one. Whose it is
// and which files there are is looked at before any of them is read (ADR 50).
async function verifyBundle(files, trust, progress, folder) {
  for (const name of [...TAGS, ENVELOPE]) {
    if (!files.has(name)) throw new Failed(name, "文件缺失", "is missing");
  }
  const read = async (name) => (files.has(name) ? files.get(name)() : null);
  const sealed = await openEnvelope(await read(ENVELOPE), ENVELOPE);
  const statement = readStatement(sealed);
  const { said, subjects } = statement;
  const info = new TextDecoder().decode(await read("bag-info.txt"));
  const redacted = info.split("\n").includes("Hostpledge-Left-Out: captures");
  const twin = Object.hasOwn(said, "sm2") ? await openTwin(await read(TWIN), statement, sealed) : null;
  const signed = await checkSignatures(twin ? [sealed, twin] : [sealed], trust, moment(said.made_at));
  checkListed(statement, files, redacted);
  const digests = new Map();
  let size = 0;
  for (const [name, read] of files) {
    if (TAGS.includes(name)) continue;
    const bytes = await read();
    digests.set(name, await digestOf(bytes));
    size += bytes.length;
    progress(digests.size, files.size - TAGS.length);
  }
  checkSubjects(statement, digests, redacted);
  await checkTags(files, digests, size, sealed.payload, said, redacted);
  if (twin) await checkTwin(twin, read);
  const check = {
    where: EVIDENCE,
    evidence: readEvidence(await read(EVIDENCE), EVIDENCE),
    subjects,
    said,
    read: (name) => read(`data/${name}`),
  };
  await checkAttached(check);
  const looked = await checkHosts(check, redacted);
  const before = await checkBefore(statement, read);
  if (before !== null) {
    const earlier = await checkHosts(before, redacted);
    looked.handedIn += earlier.handedIn;
    looked.captures += earlier.captures;
    looked.elsewhen += earlier.elsewhen;
    if (earlier.apart > looked.apart) looked.apart = earlier.apart;
    if (looked.last === null || (earlier.last !== null && earlier.last > looked.last)) looked.last = earlier.last;
    looked.strange = new Set([...looked.strange, ...earlier.strange]);
    await checkBetween(before, check, read, { before: earlier.at, after: looked.at });
  }
  checkLooks(looked, moment(said.made_at), trust.authorities ? signed.found : []);
  return {
    signed,
    digest: await digestOf(sealed.payload),
    evidence: check.evidence,
    predicate: said,
    before,
    redacted,
    looked,
    scope: looked.scope,
    count: digests.size,
    unchecked: leftUnchecked(signed, folder, looked.scope),
  };
}
