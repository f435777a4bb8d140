// --- the check before hardening, beside the one after -------------------------------------------

const BEFORE = "before/";
const HARDENING = "data/hardening.json";
const SHARED = ["tool", "catalog_sha256", "grade", "pledge", "controls", "scope", "waivers", "attached"];

// The check before, as `checkHosts` takes it, or null; nothing of one stands in a bundle without.
async function checkBefore(statement, read) {
  const { said, subjects } = statement;
  if (said.before === undefined) {
    for (const name of subjects.keys()) {
      if (name === "hardening.json" || name.startsWith(BEFORE)) {
        throw new Failed(`data/${name}`, "签名声明没有列出整改之前的核查", "the statement names no check before hardening");
      }
    }
    return null;
  }
  const where = `data/${BEFORE}evidence.json`;
  for (const name of [where, HARDENING]) {
    if (!subjects.has(name.slice("data/".length))) throw new Failed(name, "不在签名范围内", "is not among what was signed");
  }
  const mine = Array.from(subjects).filter(([name]) => name.startsWith(BEFORE));
  return {
    where,
    evidence: readEvidence(await read(where), where),
    subjects: new Map(mine.map(([name, digest]) => [name.slice(BEFORE.length), digest])),
    said: said.before,
    read: (name) => read(`data/${BEFORE}${name}`),
  };
}

// By what a machine is known again: its machine-id, its SSH host keys.
function marksOf({ head }) {
  const keys = (head.hostkey ?? "").split("\n").map((key) => key.trim());
  return { machine: [head.machine ?? ""].filter(Boolean), hostkey: keys.filter(Boolean) };
}

// Hardening exchanges no machine: of what both checks have of it, something is the same.
function exchanged(before, after) {
  const both = Object.keys(before).filter((kind) => before[kind].length && after[kind].length);
  return both.length > 0 && !both.some((kind) => before[kind].some((mark) => after[kind].includes(mark)));
}

// Both are of the same hosts and controls, the second is later, and hardening.json speaks of them.
// `looked` is when each host was looked at before and after, where that is known.
async function checkBetween(before, after, read, looked) {
  const { evidence, where } = before;
  const names = (some) => Object.keys(some).sort();
  for (const key of SHARED) {
    if (!equal(evidence[key], after.evidence[key])) {
      throw new Failed(where, `${key} 与整改之后不同`, `another ${key} than after hardening`);
    }
  }
  const runs = [evidence, after.evidence].map((one) => one.run?.nonce ?? null);
  if (runs.includes(null) || runs[0] === runs[1]) {
    throw new Failed(where, "与整改之后不是两次核查", "not another run than after hardening");
  }
  if (!equal(names(evidence.hosts), names(after.evidence.hosts))) {
    throw new Failed(where, "主机与整改之后不同", "about other hosts than after hardening");
  }
  const done = conform(readCanonical(await read(HARDENING), HARDENING), "hardening", HARDENING);
  if (!equal(names(done.hosts), names(evidence.hosts))) {
    throw new Failed(HARDENING, "主机与两次核查不同", "about other hosts than the checks");
  }
  if (!done.controls.every((id) => Object.hasOwn(evidence.controls, id))) {
    throw new Failed(HARDENING, "核查项与两次核查不同", "about other controls than the checks");
  }
  for (const [host, entry] of Object.entries(evidence.hosts)) {
    const found = new Map(entry.findings.map((one) => [one.control, one.verdict]));
    for (const step of done.hosts[host].steps) {
      if (found.get(step.control) !== step.verdict) {
        throw new Failed(HARDENING, `${host}：${step.control} 的结论与之前不同`, `${host}: ${step.control}: another verdict than before`);
      }
    }
    if (moment(after.evidence.hosts[host].assessed_at) < moment(entry.assessed_at)) {
      throw new Failed(where, `${host}：整改后的核查早于此次`, `${host}: the check after is older than this one`);
    }
    const [earlier, later] = [looked.before.get(host), looked.after.get(host)];
    // what it is judged for is whoever judges free to say
    if (earlier !== undefined && later !== undefined && earlier - later > SLACK) {
      throw new Failed(where, `${host}：整改后的采集早于此次`, `${host}: it was looked at after hardening earlier than here`);
    }
    if (exchanged(marksOf(entry), marksOf(after.evidence.hosts[host]))) {
      throw new Failed(where, `${host}：与整改之后不是同一台机器`, `${host}: another machine than after hardening`);
    }
  }
}
