// --- evidence.json: does it follow from the captures, and the statement from it? ----------------

const REDACTED = ["captures/", "before/captures/"];
// what rounding and slow collecting make of a look and its judging, in microseconds
const SLACK = 300n * 1000000n;
const LARGEST_PART = 4 * 1024 * 1024;
const RESULTS = ["pass", "partial", "fail", "notapplicable", "error", "notchecked"];
// worst first: a clause over many hosts is what it is on the worst of them
const WORST = ["fail", "error", "partial", "pass", "notapplicable", "notchecked"];
let CLAUSES = [];

function readEvidence(bytes, where) {
  const document = conform(readCanonical(bytes, where, 2), "evidence", where);
  const large = [{ ...document, hosts: {} }, ...Object.values(document.hosts)].some(
    (part) => utf8(canonical(part)).length > LARGEST_PART,
  );
  if (large) throw new Failed(where, "大于证据文件应有的大小", "larger than evidence is");
  return document;
}

// The verdict of a clause over its findings on one host: `clause_result` in collector/assess.py.
function clauseResult(findings, at) {
  if (!findings.length) return "notchecked";
  const waived = (one) => one.waiver !== null && moment(one.waiver.expires) > at;
  const failed = findings.filter((one) => one.verdict === "fail" && !waived(one));
  if (failed.some((one) => one.veto || one.severity === "high")) return "fail";
  const found = new Set(findings.map((one) => one.verdict));
  const within = (...some) => Array.from(found).every((one) => some.includes(one));
  if (found.has("error")) return "error";
  if (found.has("notchecked") && within("notchecked", "notapplicable")) return "notchecked";
  if (["fail", "partial", "notchecked"].some((one) => found.has(one))) return "partial";
  return within("notapplicable") ? "notapplicable" : "pass";
}

// What the findings of all hosts amount to.
function weigh(hosts) {
  const clauses = {};
  for (const number of CLAUSES) {
    const counts = Object.fromEntries(RESULTS.map((one) => [one, 0]));
    let verdict = "notchecked";
    for (const entry of Object.values(hosts)) {
      const mine = entry.findings.filter((one) => one.clause === number);
      for (const one of mine) counts[one.verdict] += 1;
      const here = clauseResult(mine, moment(entry.assessed_at));
      if (WORST.indexOf(here) < WORST.indexOf(verdict)) verdict = here;
    }
    clauses[number] = { verdict, counts };
  }
  return clauses;
}

// `check` is one check of the bundle: { evidence, where, subjects, said, read }, with `read` of a
// file name beside evidence.json. Returns when each host was looked at, and what was handed in.
async function checkHosts(check, redacted) {
  const { evidence, where, subjects } = check;
  const folder = where.slice(0, -"evidence.json".length);
  const named = new Set();
  const looked = { times: [], looks: [], undated: 0, unseen: 0, last: null, at: new Map(), elsewhen: 0, apart: 0n, handedIn: 0, workers: new Map(), captures: 0, unread: { count: 0, first: "" } };
  const script = check.subjects.has("script.sh") && !redacted ? readsIn(await check.read("script.sh")) : null;
  const listed = new Set(evidence.waivers.map(canonical));
  for (const [host, entry] of Object.entries(evidence.hosts)) {
    const place = `${where} host ${host}`;
    const name = `captures/${await fileName(host)}.capture.gz`;
    if (entry.capture !== name || !subjects.has(name)) {
      throw new Failed(place, `所写的采集文件 ${entry.capture} 不对`, `names ${entry.capture} as its capture`);
    }
    if (entry.capture_sha256 !== subjects.get(name)) {
      throw new Failed(place, `所写的 ${name} 的摘要不符`, `names another digest for ${name}`);
    }
    named.add(name);
    checkFindings(evidence, entry, place);
    checkWaivers(host, entry, listed, place);
    const at = moment(entry.assessed_at);
    let seen = null;
    if (!redacted) {
      const capture = await readCapture(await check.read(name), `${folder}${name}`);
      checkCapture(host, entry, capture, place, `${folder}${name}`);
      if (evidence.run !== null) await checkNonce(capture.head, evidence.run.nonce, `${folder}${name}`);
      if (capture.head.collected_at) seen = moment(capture.head.collected_at);
      looked.captures += 1;
      if (script !== null) noteUnread(script, capture, looked.unread);
    }
    // a capture that names a run in evidence of none claims it only
    if (evidence.run === null || entry.origin.run !== evidence.run.nonce) looked.handedIn += 1;
    else if (entry.origin.worker) noteWorker(looked.workers, entry.origin.worker);
    looked.times.push(at);
    noteLook(looked, host, entry, seen, at);
  }
  for (const name of subjects.keys()) {
    if (name.startsWith("captures/") && !named.has(name)) {
      throw new Failed(`${folder}${name}`, `不属于 ${where} 中的任何主机`, `belongs to no host of ${where}`);
    }
  }
  if (!named.size) throw new Failed(where, "其中没有主机", "holds no host");
  looked.scope = scopeOf(evidence, where);
  const clauses = weigh(evidence.hosts);
  if (looked.scope.told) {
    for (const number of CLAUSES) clauses[number].verdict = narrowed(number, clauses[number].verdict, looked.scope, true);
  }
  if (!equal(clauses, evidence.clauses)) {
    throw new Failed(where, "条款结论与各项结论不符", "its clauses do not follow from its findings");
  }
  checkPredicate(check, looked);
  await checkRun(check, folder);
  looked.strange = strangeTexts(evidence);
  return looked;
}

// The time of a host's look by what evidence.json keeps of its capture: `recorded` in looks.py.
function recorded({ origin, head }) {
  const inYears = (at, from, to) => at !== null && at >= moment(`${from}-01-01T00:00:00Z`) && at < moment(`${to}-01-01T00:00:00Z`);
  const own = /^[0-9]{1,11}$/.test(head.clock ?? "") ? BigInt(head.clock) * 1000000n : null;
  const some = [[moment(origin.clock), 1970, 9001], [own, 2020, 2100], [moment(origin.claimed?.clock), 1970, 9001]];
  return (some.find((one) => inYears(...one)) ?? [null])[0];
}

// Of a host that never answered nothing is looked at; of one that did, nothing may say when. Where
// the time in its capture and what evidence.json keeps are apart, the older counts as the look.
function noteLook(looked, host, entry, collected, judged) {
  const kept = recorded(entry);
  const seen = collected ?? kept;
  if (entry.status !== "complete") looked.unseen += 1;
  if (seen === null && (entry.status === "complete" || Object.keys(entry.head).length)) {
    looked.undated += 1;
    return;
  }
  const at = kept !== null && seen - kept > SLACK ? kept : seen ?? judged;
  const apart = at < judged ? judged - at : at - judged;
  looked.looks.push(at);
  if (seen !== null) {
    looked.at.set(host, at);
    if (looked.last === null || seen > looked.last) looked.last = seen;
  }
  if (apart > SLACK) looked.elsewhen += 1;
  if (apart > SLACK && apart > looked.apart) looked.apart = apart;
}

function checkFindings(evidence, entry, where) {
  const { controls } = evidence;
  const named = new Set(entry.findings.map((one) => one.control));
  const all = Object.keys(controls);
  if (named.size !== entry.findings.length || named.size !== all.length || !all.every((id) => named.has(id))) {
    throw new Failed(where, "不是每个核查项恰有一条结论", "has not exactly one finding for each control");
  }
  for (const finding of entry.findings) {
    for (const key of ["clause", "severity", "veto"]) {
      if (finding[key] !== controls[finding.control][key]) {
        throw new Failed(where, `${finding.control}：${key} 不符`, `${finding.control}: another ${key}`);
      }
    }
  }
}

// A waiver softens its clause: it has to be one of those that the evidence names.
function checkWaivers(host, entry, listed, where) {
  for (const { control, waiver } of entry.findings) {
    if (waiver === null) continue;
    const { reason, approver, expires } = waiver;
    const ended = moment(expires) <= moment(entry.assessed_at);
    const named = [host, "*"].some((one) => listed.has(canonical({ reason, approver, expires, control, host: one })));
    if (waiver.expired !== ended) {
      throw new Failed(where, `${control}：豁免的到期与所述不符`, `${control}: a waiver that ends at another time than it says`);
    }
    if (!named) {
      throw new Failed(where, `${control}：其豁免不在证据所列之中`, `${control}: a waiver that it does not list`);
    }
  }
}

function checkCapture(host, entry, capture, where, file) {
  const { head, reads } = capture;
  if (head.host !== host) throw new Failed(file, `是 ${head.host} 的采集文件，不是 ${host} 的`, `the capture of ${head.host}, not of ${host}`);
  for (const key of ["status", "detail", "head", "origin"]) {
    if (!equal(entry[key], head[key]) && !equal(entry[key], exactly(head[key]))) {
      throw new Failed(where, `${key} 与采集文件不符`, `its ${key} is not that of its capture`);
    }
  }
  const blind = head.status !== "complete" && !reads.size;
  for (const finding of entry.findings) {
    if (blind && finding.verdict !== "error") {
      throw new Failed(where, `${finding.control}：主机没有返回任何内容，却有结论`, `${finding.control}: a verdict on a host that returned nothing`);
    }
    for (const quote of finding.evidence) {
      const read = reads.get(quote.read);
      const digest = read === undefined || read.status === "lost" ? null : read.digest;
      if (quote.sha256 !== digest) {
        throw new Failed(where, `${finding.control} 所引的 ${quote.read} 与采集所得不符`, `${finding.control} quotes ${quote.read}, which read otherwise`);
      }
    }
  }
}

// A capture that was handed in names no run; a host that never answered has no nonce.
async function checkNonce(head, run, where) {
  const named = head.origin.run;
  if (named === undefined) return;
  if (named !== run) throw new Failed(where, "是另一次核查的采集文件", "a capture of another run");
  if (head.nonce && head.nonce !== (await hostNonce(run, head.host))) {
    throw new Failed(where, "随机数不是本次核查给此主机的", "carries another nonce than this run gave the host");
  }
}

// How many hosts a mesh node collected from: `workers` in provenance.py.
function noteWorker(workers, { node, key }) {
  const name = `${node}\n${key}`;
  const known = workers.get(name) ?? { node, key, hosts: 0 };
  workers.set(name, { ...known, hosts: known.hosts + 1 });
}

// What the signed statement says of a check is what its evidence.json says.
function checkPredicate({ evidence, where, said }, { times, handedIn, workers }) {
  const [first, last] = times.reduce(([a, b], at) => [at < a ? at : a, at > b ? at : b], [times[0], times[0]]);
  const of = (members, value) => Object.fromEntries(Object.entries(members).map(([name, one]) => [name, value(one)]));
  const expected = {
    tool: evidence.tool,
    catalog_sha256: evidence.catalog_sha256,
    grade: evidence.grade,
    run: evidence.run?.nonce ?? null,
    pledge: evidence.pledge,
    period: { from: written(first), to: written(last) },
    hosts: times.length,
    // names that are numbers come first in an object of JavaScript
    targets: Object.keys(evidence.hosts).sort().map((host) => ({ host, machine: evidence.hosts[host].head.machine || null })),
    clauses: of(evidence.clauses, (one) => one.verdict),
    script_sha256: evidence.run?.script_sha256 ?? null,
    controls: of(evidence.controls, (one) => one.sha256),
    waivers: evidence.waivers,
    handed_in: handedIn,
  };
  if (Object.hasOwn(evidence, "scope") || Object.hasOwn(said, "scope")) expected.scope = evidence.scope;
  // absent where no node collected; of the check before hardening it is not said
  const nodes = [...workers.keys()].sort().map((name) => workers.get(name));
  if (Object.hasOwn(said, "handed_in") && !equal(said.workers ?? [], nodes)) {
    throw new Failed(where, "与签名声明所述的 workers 不同", "the signed statement says another workers");
  }
  for (const [key, value] of Object.entries(expected)) {
    if (Object.hasOwn(said, key) && !equal(said[key], value)) {
      throw new Failed(where, `与签名声明所述的 ${key} 不同`, `the signed statement says another ${key}`);
    }
  }
}

// No host of the run is left out, and the script is the one that ran.
async function checkRun({ evidence, where, subjects }, folder) {
  if (evidence.run === null) return;
  const missing = evidence.run.hosts.find((host) => !Object.hasOwn(evidence.hosts, host));
  if (missing !== undefined) {
    throw new Failed(where, `本次核查还包括 ${missing}，而其中没有`, `the run was about ${missing} too, which is missing`);
  }
  if (subjects.has("script.sh") && subjects.get("script.sh") !== evidence.run.script_sha256) {
    throw new Failed(`${folder}script.sh`, "不是本次核查所用的脚本", "not the script that the run names");
  }
}

async function checkAttached({ evidence, subjects }) {
  const where = "data/evidence.json";
  const entries = new Map();
  for (const entry of evidence.attached) entries.set(`attached/${await fileName(entry.name)}`, entry.sha256);
  if (entries.size !== evidence.attached.length) {
    throw new Failed(where, "同一附件出现了两次", "an attached document stands twice");
  }
  for (const name of new Set([...entries.keys(), ...subjects.keys()])) {
    if (!name.startsWith("attached/")) continue;
    if (!entries.has(name) || !subjects.has(name)) {
      throw new Failed(`data/${name}`, `${where} 与签名声明所述不同`, `${where} and the statement differ on it`);
    }
    if (entries.get(name) !== subjects.get(name)) {
      throw new Failed(`data/${name}`, `不是 ${where} 所列的文件`, `not the document that ${where} names`);
    }
  }
}
