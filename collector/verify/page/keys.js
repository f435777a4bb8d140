// --- keys ---------------------------------------------------------------------------------------

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256 = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const ED25519 = "302a300506032b6570032100";
const SM2 = "3059301306072a8648ce3d020106082a811ccf5501822d03420004";
const TRUSTED = { zh: "信任的密钥", en: "trusted keys" };

function der(pem, where) {
  const found = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END PUBLIC KEY-----\n$/.exec(pem);
  if (found === null) throw new Failed(where, "不是 PEM 格式的公钥", "not a public key in PEM");
  const lines = found[1].split("\n");
  if (!lines.every((one, n) => (n + 1 < lines.length ? one.length === 64 : one.length <= 64))) {
    throw new Failed(where, "不是 PEM 格式的公钥", "not a public key in PEM");
  }
  return strictBase64(lines.join(""), where);
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

const unpadded = (bytes) => base64(bytes).replaceAll("=", "");

async function publicKey(pem, where) {
  const spki = der(pem, where);
  const text = hex(spki);
  let key = null;
  if (text.startsWith(P256) && spki.length === 91) {
    const line = wire(utf8("ecdsa-sha2-nistp256"), utf8("nistp256"), spki.subarray(26));
    key = { type: "p256", line, algorithm: { name: "ECDSA", namedCurve: "P-256" } };
  } else if (text.startsWith(ED25519) && spki.length === 44) {
    const line = wire(utf8("ssh-ed25519"), spki.subarray(12));
    key = { type: "ed25519", line, algorithm: { name: "Ed25519" } };
  } else if (text.startsWith(SM2) && spki.length === 91) {
    return sm2Key(spki, where);
  } else {
    throw new Failed(where, "只接受 P-256、Ed25519 和 SM2 公钥", "only P-256, Ed25519 and SM2 keys are taken");
  }
  key.keyid = `SHA256:${unpadded(await sha256(key.line))}`;
  try {
    key.crypto = await crypto.subtle.importKey("spki", spki, key.algorithm, false, ["verify"]);
  } catch {
    throw key.type === "ed25519"
      ? new Undecided(where, "公钥无效，或此浏览器不支持 Ed25519", "no valid key, or this browser knows no Ed25519")
      : new Failed(where, "公钥无效", "no valid key");
  }
  return key;
}

// A trust file of `hostpledge key trust`, or a public key in PEM → keys, and how many timestamp
// authorities it names.
async function readTrust(text) {
  if (text.trimStart().startsWith("-----BEGIN")) {
    const key = await publicKey(`${text.trim().replaceAll("\r", "")}\n`, TRUSTED);
    return { keys: [{ ...key, name: key.keyid }], authorities: 0 };
  }
  let document = null;
  try {
    document = readJson(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch {
    throw new Failed(TRUSTED, "不是信任文件或 PEM 公钥", "neither a trust file nor a public key in PEM");
  }
  conform(document, "trust", TRUSTED);
  const keys = [];
  for (const entry of document.keys) {
    const key = await publicKey(entry.pem, TRUSTED);
    if (key.keyid !== entry.keyid) {
      throw new Failed(TRUSTED, `指纹与公钥不符：${entry.name}`, `the keyid is not that of the key: ${entry.name}`);
    }
    if (keys.some((one) => one.keyid === key.keyid)) {
      throw new Failed(TRUSTED, `密钥出现两次：${entry.name}`, `the key stands twice: ${entry.name}`);
    }
    keys.push({ ...key, ...entry });
  }
  return { keys, authorities: (document.timestamp_authorities ?? []).length };
}

// --- signatures ---------------------------------------------------------------------------------

// ECDSA in DER, and no other spelling → r and s
function integers(signature, where) {
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
  if (end !== signature.length) throw bad;
  return [r, s];
}

// of the two values of s the lower one → r and s, 32 bytes each
function rawEcdsa(signature, where) {
  const [r, s] = integers(signature, where);
  if (r < 1n || r >= ORDER || s < 1n || s > ORDER / 2n) {
    throw new Failed(where, "签名不是唯一允许的编码形式", "the signature is not in its one allowed form");
  }
  const text = r.toString(16).padStart(64, "0") + s.toString(16).padStart(64, "0");
  return Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
}

// DSSE v1.0: lengths count bytes
function pae(payload) {
  return concat(utf8(`DSSEv1 ${utf8(PAYLOAD_TYPE).length} ${PAYLOAD_TYPE} ${payload.length} `), payload);
}

async function checkSignature(key, sealed, where) {
  const { signature, payload } = sealed;
  let holds = false;
  if (key.type === "sm2") {
    holds = sm2Holds(key, integers(signature, where), pae(payload));
  } else {
    const ecdsa = key.type === "p256";
    const raw = ecdsa ? rawEcdsa(signature, where) : signature;
    const how = ecdsa ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" };
    holds = await crypto.subtle.verify(how, key.crypto, raw, pae(payload));
  }
  if (!holds) {
    throw new Failed(where, `签名无效：不是 ${key.keyid} 对此内容的签名`, `the signature is not by ${key.keyid} over this`);
  }
}

// The key may have signed then. Who holds a key that has ended dates as they like: then something
// else has to show that the signature is older. Whose word a timestamp is, this page does not check:
// where all depends on that, it decides nothing.
function checkWindow(key, madeAt, stamps, where) {
  const time = (text) => (text ? moment(text) : null);
  const [from, until, revoked] = [time(key.valid_from), time(key.valid_until), time(key.revoked_at)];
  const bad = (zh, en) => new Failed(where, zh, en);
  const [earliest, latest] = [stamps[0] ?? null, stamps.at(-1) ?? null];
  if (latest !== null && madeAt > latest + 300000000n) {
    throw bad("所称的签署时间晚于其时间戳", "says that it was signed later than its timestamp");
  }
  if (from !== null && madeAt < from) {
    throw bad(`签署早于密钥“${key.name}”的启用时间`, `signed before the key ${key.name} was valid`);
  }
  const lost = revoked !== null && (earliest === null || earliest >= revoked);
  if (until !== null && (madeAt > until || (earliest !== null && earliest > until))) {
    throw bad(`签署晚于密钥“${key.name}”的有效期`, `signed after the end of the key ${key.name}`);
  }
  const ended = until !== null && until < BigInt(Date.now()) * 1000n;
  if (lost || (ended && earliest === null)) {
    const [zh, en] = lost ? ["已被吊销", "was revoked"] : ["已到期", "has ended"];
    // the time in a log is its keeper's word, which counts for an end alone
    const log = lost ? ["", ""] : [
      "；如有登记库日志的证明，请用 hostpledge verify --proof",
      "; with a proof of the register's log use hostpledge verify --proof",
    ];
    throw bad(
      `密钥“${key.name}”${zh}，没有什么表明签署在此之前${log[0]}`,
      `the key ${key.name} ${en}, and nothing shows that it was signed before${log[1]}`,
    );
  }
  if (revoked !== null || ended) {
    throw new Undecided(
      where,
      `密钥“${key.name}”已停用或被吊销，能否采信取决于时间戳机构，本页不核验：请用 hostpledge verify`,
      `the key ${key.name} has ended or was revoked: whether this counts depends on its timestamp, whose authority this page does not check: use hostpledge verify`,
    );
  }
}
