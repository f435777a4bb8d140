// --- how much of a clause was judged at all -----------------------------------------------------

// catalogue digest → { grades: { GRADE: { CONTROL: what verdicts follow from } }, texts, reasons }
let RELEASES = {};
const LARGEST_RELEASES = 64 * 1024 * 1024;

async function readReleases(packed) {
  const bytes = await inflate(new Blob([fromBase64(packed)]), "deflate", LARGEST_RELEASES);
  return JSON.parse(textOf(bytes));
}

// { known, absent, told, clauses: { NUMBER: { judged, of } } }
function scopeOf(evidence, where) {
  const told = evidence.scope ?? null;
  const named = evidence.catalog_sha256;
  const release = Object.hasOwn(RELEASES, named) ? RELEASES[named].grades[evidence.grade] : undefined;
  const asked = Object.entries(evidence.controls);
  if (release) holdControls(asked, release, where);
  const clauses = {};
  for (const number of CLAUSES) {
    const judged = asked.filter(([, about]) => about.clause === number).length;
    const all = release ? Object.values(release).filter((one) => one.clause === number).length : 0;
    clauses[number] = { judged, of: release ? all : Math.max(judged, told?.clauses[number]?.of ?? 0) };
  }
  const absent = told?.absent ?? [];
  if (told !== null) {
    const sum = (key) => Object.values(clauses).reduce((whole, part) => whole + part[key], 0);
    if (!equal(told, { judged: sum("judged"), of: sum("of"), clauses, absent })) {
      throw new Failed(where, "核查范围与其核查项不符", "its scope does not follow from its controls");
    }
    const there = absent.find((host) => Object.hasOwn(evidence.hosts, host));
    if (there !== undefined) throw new Failed(where, `${there} 在其中，却称未核查`, `${there} is in it, and said to be missing`);
  }
  return { known: Boolean(release), absent, clauses, told: told !== null };
}

function holdControls(asked, release, where) {
  for (const [id, about] of asked) {
    if (!Object.hasOwn(release, id)) {
      throw new Failed(where, `${id}：所称版本在此等级没有这一项`, `${id}: the release that it names has no such control at this grade`);
    }
    for (const [name, value] of Object.entries(release[id])) {
      if (!equal(about[name], value)) {
        throw new Failed(where, `${id}：${name} 与所称版本不符`, `${id}: the release that it names has another ${name}`);
      }
    }
  }
}

// What failed has failed, however little was judged; anything else is proven by all of it alone.
function narrowed(number, verdict, scope, known = scope.known) {
  const part = scope.clauses[number];
  const whole = known && !scope.absent.length && part.judged >= part.of;
  const untouched = verdict === "notchecked" && !part.judged;
  return verdict === "fail" || untouched || whole ? verdict : "error";
}
