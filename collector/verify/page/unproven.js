// --- what a bundle that verified does not prove -------------------------------------------------

// how far the clocks of signer and reader may be apart, in microseconds
const SKEW = 300n * 1000000n;
const MOST_TOLD = 5;

const some = (names) => names.slice(0, MOST_TOLD).join(word("、", ", "));
const more = (names) => (names.length > MOST_TOLD ? word(" 等", ` and ${names.length - MOST_TOLD} more`) : "");
const cited = (number) => WORDS.clauses[number].number;
const notProven = ({ scope, evidence }) =>
  CLAUSES.filter((number) => scope.clauses[number].judged && narrowed(number, "pass", scope) !== "pass")
    .map(cited).join(word("、", ", "));

// Is all of every clause judged, on every declared host, by a release that is known?
function wholly({ scope }) {
  return scope.known && !scope.absent.length && CLAUSES.every((n) => scope.clauses[n].judged >= scope.clauses[n].of);
}

function limits(found) {
  const { scope } = found;
  const told = [];
  if (!scope.known) {
    told.push(word("出自此页所不知的版本，核查范围无从核对。", "Its scope: it was made by a release that this page does not know, so nothing is proven by it."));
  }
  if (scope.absent.length) {
    told.push(word(`登记的主机未核查：${named(scope.absent)}`, `Declared, and not looked at: ${named(scope.absent)}`));
  }
  return told;
}

// The signer's own word, which softens verdicts or puts them otherwise.
function asserted({ evidence, looked, predicate }) {
  const told = [];
  const { waivers } = evidence;
  if (waivers.length) {
    const names = waivers.map((one) => `${visible(one.control)} @ ${oneName(one.host)} (${visible(one.approver)})`);
    told.push(word(
      `${waivers.length} 项豁免是否确经批准：仅为签名人所言，须与登记核对：${some(names)}${more(names)}。`,
      `That ${waivers.length} waiver(s) were approved: the signer says so, and only the pledge record shows it: ${some(names)}${more(names)}.`,
    ));
  }
  if (looked.strange.size) {
    const names = Array.from(looked.strange);
    told.push(word(
      `所用文字与所称版本不符，共 ${names.length} 处：${some(names)}${more(names)}；出自签名人。`,
      `The words: ${names.length} text(s) are not those of the release it names, but the signer's own: ${some(names)}${more(names)}.`,
    ));
  }
  if (looked.unread.count) {
    told.push(word(
      `所运行脚本中有 ${looked.unread.count} 项读取不在完整的采集文件中（如 ${visible(looked.unread.first)}）：由此得出的结论须以 replay 核对。`,
      `What follows from ${looked.unread.count} read(s) of the script that ran and are not in the captures, though these are whole (as ${visible(looked.unread.first)}): hostpledge replay shows it.`,
    ));
  }
  return [...told, ...alike(predicate), ...nothingApplies(evidence)];
}

function alike({ targets = [] }) {
  const machines = new Map();
  for (const { host, machine } of targets) {
    if (machine) machines.set(machine, [...(machines.get(machine) ?? []), oneName(host)]);
  }
  const several = Array.from(machines.values()).filter((hosts) => hosts.length > 1);
  if (!several.length) return [];
  const count = several.reduce((sum, hosts) => sum + hosts.length, 0);
  return [word(
    `${count} 台主机是否各为一台机器：其 machine-id 相同（如 ${some(several[0])}），也可能是克隆而来。`,
    `That ${count} host(s) are each a machine of their own: they have the same machine-id (as ${some(several[0])}), which clones have as well.`,
  )];
}

function nothingApplies({ clauses }) {
  const all = ({ counts }) => Object.values(counts).reduce((sum, many) => sum + many, 0);
  return CLAUSES.filter((n) => clauses[n].counts.notapplicable && clauses[n].counts.notapplicable === all(clauses[n])).map((n) => word(
    `${cited(n)}的 ${all(clauses[n])} 条结论均为“不适用”，是否果真如此：核验不能判明，请用 replay。`,
    `${cited(n)}: all its ${all(clauses[n])} finding(s) are “not applicable”; whether that is so no verifying shows, and hostpledge replay does.`,
  ));
}

// What is dated later than now, in the words of `verify`; empty where nothing is.
function ahead({ looked, predicate }, now) {
  const latest = [...looked.looks, ...looked.times].reduce((last, one) => (one > last ? one : last));
  const dated = [
    [latest, word("采集或判定时间", "a look, or what it was judged for,")],
    [moment(predicate.made_at), word("签署时间", "the signing")],
  ].filter(([at]) => at > now + SKEW).map(([at, what]) => `${what} ${written(at)}`);
  if (!dated.length) return [];
  return [word(
    `时间属于将来：${dated.join("、")}，晚于本机时钟 ${written(now)}，两者必有一个不准。`,
    `Its time, which is yet to come: ${dated.join(", ")} is later than this machine's clock shows (${written(now)}), and one of the two is wrong.`,
  )];
}

const ofAnotherDay = ({ looked }) => looked.apart > A_DAY;
const dated = ({ looked }) => looked.undated === 0;
const oldestOf = ({ looked }) => looked.looks.reduce((first, one) => (one < first ? one : first));

function spanOf(apart) {
  const minutes = apart / 60000000n;
  if (apart >= A_DAY) return word(`${apart / A_DAY} 天`, `${apart / A_DAY} day(s)`);
  if (minutes >= 60n) return word(`${minutes / 60n} 小时`, `${minutes / 60n} hour(s)`);
  return word(`${minutes} 分钟`, `${minutes} minute(s)`);
}

// When it was looked at, and for when it was judged, in the words of `verify`.
function ofWhen(found, now) {
  const { undated, elsewhen, apart, unseen } = found.looked;
  const told = [];
  if (!dated(found)) {
    told.push(
      word(
        "主机现在是否仍然如此：采集距今多久无从得知；核验通过不说明证据是新近的。",
        "That the hosts are still so: how old the oldest look in it is nobody can tell, and that it verifies does not make it fresh.",
      ),
      word(
        `采集时间：${undated} 台主机的采集时间未载明，其证据有多旧无从得知。`,
        `When it was looked at: of ${undated} host(s) nothing says so, and how old that is stays unknown.`,
      ),
    );
  } else {
    const oldest = oldestOf(found);
    const days = (now - oldest) / A_DAY;
    told.push(oldest > now + SKEW
      ? word(
        `主机现在是否仍然如此：其中最早的采集为 ${written(oldest)}，属于将来；核验通过不说明证据是新近的。`,
        `That the hosts are still so: the oldest look in it is of ${written(oldest)}, which is yet to come, and that it verifies does not make it fresh.`,
      )
      : word(
        `主机现在是否仍然如此：最早的采集距今 ${days} 天；核验通过不说明证据是新近的。`,
        `That the hosts are still so: the oldest look is ${days} day(s) old, and that it verifies does not make it fresh.`,
      ));
  }
  if (elsewhen) {
    told.push(word(
      `采集之时是否如此判定：${elsewhen} 台主机的判定时刻不是其采集时刻，相差最多 ${spanOf(apart)}；豁免、期限与逾期均按判定时刻计算。`,
      `That it was so when it was looked at: ${elsewhen} host(s) were judged for another time than that of the look, by up to ${spanOf(apart)}; waivers and what is due are reckoned for that time.`,
    ));
  }
  if (unseen) {
    told.push(word(
      `未能核查的主机：${unseen} 台没有应答、拒绝登录或中途断开，其状况无从得知。`,
      `Hosts that could not be looked at: ${unseen} did not answer, refused or were cut off, and how they are is not known.`,
    ));
  }
  return told;
}

function unproven(found) {
  const now = BigInt(Date.now()) * 1000n;
  const told = [
    ...limits(found),
    ...asserted(found),
    ...ahead(found, now),
  ];
  if (found.signed.wantsSm2) {
    told.push(word(
      "国密签名：信任文件中有 SM2 密钥，而签名方没有在此证据包上作 SM2 签名。",
      "Anything by SM2: the trust file names SM2 keys, and the signer made no SM2 signature of this bundle.",
    ));
  }
  if (found.redacted) {
    told.push(word("结论与采集文件是否对应：采集文件已略去。", "That the findings come from the captures: those were left out."));
  }
  told.push(
    ...ofWhen(found, now),
    word("时间：签署时间由签名人自称。", "The time: it is the signer's own word."),
    word(
      "主机所言是否属实：拥有 root 权限的人可以让主机输出任何内容。",
      "That the hosts told the truth: whoever is root on a host can make it print anything.",
    ),
    word(
      "此前或此后没有证据包被删除：本页不核验登记库日志的证明。",
      "That no bundle before or after it was removed: this page checks no proof of the register's log.",
    ),
  );
  if (found.looked.handedIn) {
    told.push(word(
      `${found.looked.handedIn} 份采集文件由用户自行运行脚本后提交，采集方未连接这些主机。`,
      `${found.looked.handedIn} capture(s) were handed in by whoever ran the script: nobody connected to those hosts.`,
    ));
  }
  const workers = found.predicate.workers ?? [];
  if (workers.length) {
    const count = workers.reduce((all, one) => all + one.hosts, 0);
    const names = workers.map(({ node, key }) => `${node} ${key}`);
    told.push(word(
      `${count} 台主机由网格节点采集，签名方未直接连接：${names.join("、")}。`,
      `${count} host(s) were collected from by mesh nodes, and not by the signer: ${names.join(", ")}.`,
    ));
  }
  if (!Object.hasOwn(found.predicate, "handed_in") && found.looked.handedIn < found.predicate.hosts) {
    told.push(word(
      "其余主机是否确由采集方连接：制作此证据包的版本只凭采集文件自己的说法。",
      "That the other hosts were connected to: the version that made this bundle took the captures' own word for it.",
    ));
  }
  return list(word("未证明", "Not proven"), told);
}
