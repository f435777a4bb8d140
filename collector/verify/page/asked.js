// --- the signer's own words: texts of controls that are not those of the release ----------------

// how the script names each of its reads
const READ = /^hp_\w+ '([a-z0-9_]+\.[a-z0-9_.]+)' /gm;

// The names of texts in evidence, as `CONTROL message`, that differ from the release's.
function strangeTexts(evidence) {
  const named = evidence.catalog_sha256;
  const release = Object.hasOwn(RELEASES, named) ? RELEASES[named] : undefined;
  const known = release?.grades[evidence.grade] ?? {};
  const found = new Set();
  const note = (id, name, said, [zh, en]) => {
    if (said.zh !== zh || said.en !== en) found.add(`${id} ${name}`);
  };
  const asked = (id) => (Object.hasOwn(known, id) ? release.texts[id] : null);
  for (const [id, about] of Object.entries(evidence.controls)) {
    const texts = asked(id);
    if (texts === null) continue;
    note(id, "title", about.title, texts.title);
    note(id, "criterion", about.criterion, texts.criterion[evidence.grade]);
  }
  for (const entry of Object.values(evidence.hosts)) {
    for (const finding of entry.findings) {
      const id = finding.control;
      const texts = asked(id);
      if (texts === null) continue;
      note(id, "expected", finding.expected, texts.criterion[evidence.grade]);
      note(id, "remediation", finding.remediation, texts.remediation[evidence.grade]);
      if (!saysSo(release, texts, finding)) found.add(`${id} message`);
    }
  }
  return found;
}

// What stands behind a control's own words, and what has to be so for it to stand there.
const BEHIND = {
  probed: ({ evidence }) => evidence.some(({ read }) => String(read).startsWith("probe.")),
  in_vain: ({ verdict }) => verdict !== "pass" && verdict !== "notapplicable",
};

// Is the message one of the release's, with the finding's values in it? A control may have words of its own for a
// reason that all controls have.
function saysSo(release, texts, finding) {
  const { reason } = finding;
  const told = [texts.messages, release.reasons].filter((one) => Object.hasOwn(one, reason));
  return told.some((one) => isOf(one[reason], release, finding));
}

function isOf([zh, en], release, finding) {
  const { values, message } = finding;
  for (const [kind, borneOut] of Object.entries(BEHIND)) {
    if (!Object.hasOwn(release.reasons, kind) || !Object.hasOwn(values, `${kind}_en`) || !borneOut(finding)) continue;
    const [behindZh, behindEn] = release.reasons[kind];
    [zh, en] = [zh + behindZh, `${en} ${behindEn}`];
  }
  return filledAs(zh, values, "、", message.zh) && filledAs(en, values, ", ", message.en);
}

function filledAs(template, values, comma, said) {
  let ends = new Set([0]);
  for (const piece of template.split(/(\{[\p{L}\p{N}_]+\})/u)) {
    const name = piece.slice(1, -1);
    const filled = piece.startsWith("{") && piece.endsWith("}") && Object.hasOwn(values, name);
    const after = new Set();
    for (const one of filled ? spelt(values[name], comma) : [piece]) {
      for (const end of ends) if (said.startsWith(one, end)) after.add(end + one.length);
    }
    ends = after;
  }
  return ends.has(said.length);
}

// The ways in which Python may have written a value: JSON has lost whether 1 was 1.0.
function spelt(value, comma) {
  const ways = [false, true].map((exact) => {
    const one = (some) => asPython(some, exact);
    return Array.isArray(value) ? value.map(one).join(comma) : one(value);
  });
  return new Set(ways.map(oneLine));
}

function asPython(value, exact) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return `${value}${exact ? ".0" : ""}`;
  if (Math.abs(value) < 0.0001) return value.toExponential().replace(/e-(\d)$/, "e-0$1");
  return String(value);
}

// As `one_line` in collector/errors.py, at its 1000 characters.
function oneLine(text) {
  const shown = Array.from(text.trim()).slice(0, 1001);
  const clean = Array.from(shown.map((one) => (/[\p{C}\p{Z}]/u.test(one) && one !== " "
    ? `\\x${one.codePointAt(0).toString(16).padStart(2, "0")}` : one)).join(""));
  return clean.length <= 1000 ? clean.join("") : `${clean.slice(0, 999).join("")}…`;
}

// The ids of the reads in a script.
function readsIn(script) {
  return new Set(Array.from(new TextDecoder().decode(script).matchAll(READ), (one) => one[1]));
}

// Notes in `found` the reads of the script that ran which are not in a capture that is whole.
function noteUnread(asked, { head, reads }, found) {
  if (head.status !== "complete") return;
  const missing = Array.from(asked).filter((id) => !reads.has(id)).sort();
  found.count += missing.length;
  if (missing.length && !found.first) found.first = `${head.host} ${missing[0]}`;
}
