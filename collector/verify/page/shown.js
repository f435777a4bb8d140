// --- what is shown ------------------------------------------------------------------------------

const WORDS = JSON.parse(document.getElementById("words").textContent);
SCHEMAS = WORDS.schemas;
const releases = readReleases(WORDS.releases);
CLAUSES = Object.keys(WORDS.clauses);
const MOST_NAMED = 12;
let lang = navigator.language.startsWith("zh") ? "zh" : "en";
const word = (zh, en) => (lang === "zh" ? zh : en);
const at = (id) => document.getElementById(id);
const all = (some) => some.map((one) => one[lang]).join(word("、", "; "));
const verdictOf = (id) => (WORDS.verdict[id] ?? {})[lang] ?? id;

function element(kind, text, name) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = plain(text);
  if (name) made.className = name;
  return made;
}

function show(state, title, ...content) {
  const result = at("result");
  result.dataset.state = state;
  result.replaceChildren(element("h2", title), ...content);
}

function list(title, entries) {
  const items = element("ul");
  items.append(...entries.map((text) => element("li", text)));
  return [element("h3", title), items];
}

function row(table, name, ...cells) {
  const made = element("tr");
  made.append(element("th", name));
  for (const cell of cells) {
    const place = element("td");
    place.append(typeof cell === "string" ? plain(cell) : cell);
    made.append(place);
  }
  table.append(made);
}

const named = (names) =>
  names.slice(0, MOST_NAMED).map(oneName).join(word("、", ", ")) +
  (names.length > MOST_NAMED ? word(` 等 ${names.length} 台`, ` and ${names.length - MOST_NAMED} more`) : "");

// Of whom it is: as plain as whether it verifies.
function whose(found) {
  const { predicate, evidence, looked } = found;
  const { pledge } = predicate;
  const hosts = Object.keys(evidence.hosts).sort();
  const table = element("table", undefined, "whose");
  row(table, word("登记（用户）", "Pledge record (customer)"), pledge
    ? word(`${visible(pledge.id)}，第 ${pledge.sequence} 份证据`, `${visible(pledge.id)}, evidence number ${pledge.sequence}`)
    : word("无：此证据包不属于任何登记", "none: this bundle belongs to no pledge record"));
  row(table, word("主机", "Hosts"), word(`${hosts.length} 台：${named(hosts)}`, `${hosts.length}: ${named(hosts)}`));
  row(table, word("等级", "Grade"), word(`${predicate.grade} 级`, String(predicate.grade)));
  const newest = looked.looks.reduce((last, one) => (one > last ? one : last), 0n);
  const [from, to] = dated(found)
    ? [oldestOf(found), newest].map((one) => `${written(one).slice(0, 19).replace("T", " ")} UTC`)
    : Array(2).fill(word("未全部载明", "not told of all"));
  row(table, word("核查时段", "Looked at"), from === to ? from : `${from} … ${to}`);
  return table;
}

function counted(counts) {
  const some = Object.entries(counts).filter(([, many]) => many);
  return some.map(([id, many]) => `${verdictOf(id)} ${many}`).join(word("，", ", ")) || word("无结论", "no findings");
}

// The verdict of each clause, with how much of it was judged.
function clauses({ evidence, scope }) {
  const table = element("table", undefined, "clauses");
  for (const number of CLAUSES) {
    const said = evidence.clauses[number] ?? { verdict: "notchecked", counts: {} };
    const verdict = narrowed(number, said.verdict, scope);
    const badge = element("strong", verdictOf(verdict), "verdict");
    badge.dataset.verdict = verdict;
    const controls = Object.values(evidence.controls).filter((one) => one.clause === number).length;
    const { of } = scope.clauses[number];
    const much = scope.known
      ? word(`${of} 项核查项中的 ${controls} 项`, `${controls} of ${of} controls`)
      : word(`${controls} 项核查项，版本未知`, `${controls} controls of a release that is not known here`);
    const about = element("span");
    about.append(element("span", much, "much"), element("br"), plain(counted(said.counts)));
    row(table, `${WORDS.clauses[number].number} ${WORDS.clauses[number][lang]}`, badge, about);
  }
  return table;
}

function seals({ signed, digest, predicate }) {
  const table = element("table");
  row(table, word("证据包摘要", "Bundle"), `sha256:${digest}`);
  for (const { sealed, key } of signed.found) {
    const who = key === null
      ? word(`${sealed.keyid}（不在信任之列，未核验）`, `${sealed.keyid} (not trusted, not checked)`)
      : key.name === key.keyid ? key.keyid : `${key.name} (${key.keyid})`;
    row(table, word("签名密钥", "Signed by"), who);
  }
  row(table, word("签署时间（签名人自称）", "Signed at (the signer's word)"), predicate.made_at);
  return table;
}

function kinds({ signed }) {
  const names = { p256: "ECDSA P-256", ed25519: "Ed25519", sm2: "SM2" };
  return signed.found.filter(({ key }) => key !== null).map(({ key }) => names[key.type]).join(word("、", " and "));
}

// The sentence beneath the headline: what was checked, and what was not.
function checked(found) {
  const { looked, count, evidence, redacted, before } = found;
  const findings = Object.values(evidence.hosts).reduce((sum, host) => sum + host.findings.length, 0);
  const zh = [
    `${kinds(found)} 签名`,
    `${count} 个文件的每个字节`,
    redacted ? "采集文件已略去，只剩其摘要" : `${looked.captures} 份采集文件的主机、状态、随机数与所引内容`,
    `${findings} 条结论与各条款结论、时段、核查项、附件相互一致`,
  ];
  const en = [
    `the ${kinds(found)} signature`,
    `every byte of ${count} files`,
    redacted ? "captures left out, their digests alone are there" : `hosts, status, nonces and quotes against ${looked.captures} capture(s)`,
    `${findings} finding(s) against clauses, period, controls and documents`,
  ];
  if (before) {
    zh.push("整改前后两次核查相互对应");
    en.push("both checks, before and after hardening");
  }
  const left = [...found.unchecked, { zh: "判定是否正确（hostpledge replay）", en: "whether the captures were judged rightly (hostpledge replay)" }];
  return [
    element("p", word(`已核验：${zh.join("；")}。`, `Checked: ${en.join("; ")}.`), "checked"),
    element("p", word(`本页未核验：${all(left)}。`, `Not checked here: ${all(left)}.`), "unchecked"),
  ];
}

// The headline, and in the same breath what it is no proof of.
function showFound(found) {
  const { scope } = found;
  let [state, title] = ["verified", word("核验通过：出自签名人，且前后一致", "Verified: by its signer, and consistent in itself")];
  if (found.redacted) {
    [state, title] = ["narrow", word("核验通过（仅限所及：采集文件已略去）", "Verified as far as it goes: its captures were left out")];
  }
  if (!wholly(found)) {
    const verified = found.redacted ? title : word("核验通过", "Verified");
    const sum = (key) => CLAUSES.reduce((all, number) => all + scope.clauses[number][key], 0);
    const none = notProven(found);
    state = "narrow";
    const less = [];
    if (sum("judged") < sum("of") || !scope.absent.length) {
      less.push(word(`仅 ${sum("of")} 项核查项中的 ${sum("judged")} 项`, `only ${sum("judged")} of ${sum("of")} controls`));
    }
    if (scope.absent.length) less.push(word("有登记的主机未核查", "not on every declared host"));
    title = word(
      `${verified}，但${less.join("，且")}${none ? `：不能证明${none}` : ""}`,
      `${verified}, but ${less.join(", and ")}${none ? `: no proof of ${none}` : ""}`,
    );
  }
  if (ahead(found, BigInt(Date.now()) * 1000n).length) {
    state = "narrow";
    title += word("；其时间属于将来", "; it is dated in a time that is yet to come");
  }
  if (ofAnotherDay(found)) {
    state = "narrow";
    title += word(`；判定时刻与采集时刻相差 ${spanOf(found.looked.apart)}`, `; judged for another time than it was looked at, by ${spanOf(found.looked.apart)}`);
  }
  if (found.unchecked.length) {
    const much = state === "narrow" && (scope.known || found.redacted) ? word(`。${title}`, `. ${title}`) : "";
    state = "partial";
    title = word(`部分核验通过，未核验：${all(found.unchecked)}${much}`, `Verified in part. Not checked: ${all(found.unchecked)}${much}`);
  }
  show(state, title, ...checked(found), whose(found), element("h3", word("各条款结论", "What it says of the clauses")), clauses(found), seals(found), ...unproven(found));
}

function showProblem(problem) {
  const said = problem instanceof Failed ? problem.said[lang] : `${problem.name}: ${problem.message}`;
  const where = problem instanceof Failed ? problem.where[lang] : "";
  const text = element("p", where ? `${where}: ${said}` : said);
  if (problem instanceof Undecided) show("undecided", word("本页不能判定", "This page cannot decide"), text);
  else show("failed", word("核验不通过", "Does not verify"), text);
}
