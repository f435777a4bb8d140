// --- the signed statement, in its envelope ------------------------------------------------------

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const ENVELOPE = "data/bundle.sigstore.json";
const TWIN = "data/bundle.sm2.json";

// An envelope whose form is right; its signature is not checked yet.
async function openEnvelope(bytes, where) {
  const stored = conform(readCanonical(bytes, where), "sigstore-bundle", where);
  const [signed] = stored.dsseEnvelope.signatures;
  if (stored.verificationMaterial.publicKey.hint !== signed.keyid) {
    throw new Failed(where, "提示的密钥与签名处所写的不同", "names one key as hint and another at the signature");
  }
  if (signed.keyid.startsWith("SM3:") !== (where === TWIN)) {
    throw new Failed(where, "该类密钥不用于此文件", `signed by ${signed.keyid}, which is not a key for this file`);
  }
  const signature = strictBase64(signed.sig, where);
  const stamps = stored.verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
  const sealed = {
    where,
    keyid: signed.keyid,
    payload: strictBase64(stored.dsseEnvelope.payload, where),
    signature,
    stamps: [],
  };
  for (const { signedTimestamp } of stamps) {
    sealed.stamps.push(await stampTime(strictBase64(signedTimestamp, where), signature, where));
  }
  sealed.stamps.sort((a, b) => (a < b ? -1 : Number(a > b)));
  return sealed;
}

// The statement, and its subjects: names under data/ → digest.
function readStatement(sealed) {
  const second = sealed.where === TWIN;
  const document = conform(readCanonical(sealed.payload, sealed.where), "statement", sealed.where);
  if (document.subject.some((one) => Object.hasOwn(one.digest, "sm3") !== second)) {
    throw new Failed(sealed.where, "SM3 摘要的有无不对", "with or without SM3 digests, where it should be the other way");
  }
  const names = document.subject.map((one) => one.name);
  // two that differ in their letters alone are one file to many a disk
  const twice = new Set(names.map((name) => name.toLowerCase())).size < names.length;
  if (twice || names.some((name, place) => place && byCodePoints(names[place - 1], name) >= 0)) {
    throw new Failed(sealed.where, "签名声明中同一对象出现了两次", "the signed statement names a subject twice");
  }
  const subjects = new Map(document.subject.map((one) => [one.name, one.digest.sha256]));
  return { document, subjects, said: document.predicate };
}

// The SM2 signature that the statement names: over the same, with SM3 digests.
async function openTwin(bytes, statement, sealed) {
  if (bytes === null) {
    throw new Failed(TWIN, "文件缺失，而签名声明中列有此文件", "is missing, and the statement names it");
  }
  const twin = await openEnvelope(bytes, TWIN);
  if (twin.keyid !== statement.said.sm2) {
    throw new Failed(TWIN, `由 ${twin.keyid} 签名，而签名声明所列的是另一个`, `by ${twin.keyid}, and the statement names ${statement.said.sm2}`);
  }
  const { document } = readStatement(twin);
  const plain = document.subject.map(({ name, digest }) => ({ name, digest: { sha256: digest.sha256 } }));
  if (!same(utf8(canonical({ ...document, subject: plain })), sealed.payload)) {
    throw new Failed(TWIN, `声明与 ${ENVELOPE} 不同`, `another statement than in ${ENVELOPE}`);
  }
  return { ...twin, subject: document.subject };
}

async function checkTwin(twin, read) {
  for (const { name, digest } of twin.subject) {
    const found = await read(`data/${name}`);
    if (found !== null && hex(sm3(found)) !== digest.sm3) {
      throw new Failed(TWIN, `data/${name} 的 SM3 摘要不符`, `names another SM3 digest for data/${name}`);
    }
  }
}

// Each signature by a trusted key holds, and there is one at least; the first such leads.
async function checkSignatures(all, trust, madeAt) {
  const found = [];
  for (const sealed of all) {
    const key = trust.keys.find((one) => one.keyid === sealed.keyid) ?? null;
    if (key !== null) {
      // what it may sign, where the trust file says so
      if (key.roles !== undefined && !key.roles.includes("bundle")) {
        throw new Failed(sealed.where, `密钥“${key.name}”不用于签署证据包`, `signed by the key ${key.name}, which signs no bundles`);
      }
      await checkSignature(key, sealed, sealed.where);
      checkWindow(key, madeAt, trust.authorities ? sealed.stamps : [], sealed.where);
    }
    found.push({ sealed, key });
  }
  const leading = found.find((one) => one.key !== null);
  if (leading === undefined) {
    const names = all.map((one) => one.keyid);
    throw new Failed(
      ENVELOPE,
      `由 ${names.join("、")} 签名，该密钥不在信任之列`,
      `signed by ${names.join(" and ")}, which is not among the trusted keys`,
    );
  }
  return { found, leading, wantsSm2: found.length === 1 && trust.keys.some((one) => one.type === "sm2") };
}
