// --- timestamps (RFC 3161): their form, and what they are over; not whose word they are ---------

const LARGEST_STAMP = 65536;
const DIGESTS = {
  "608648016503040201": "SHA-256",
  "608648016503040202": "SHA-384",
  "608648016503040203": "SHA-512",
};
const SIGNED_DATA = "2a864886f70d010702";
const TST_INFO = "2a864886f70d0109100104";

// The elements of DER, each { tag, body }; null where it is none.
function elements(bytes) {
  const found = [];
  let place = 0;
  while (place < bytes.length) {
    const tag = bytes[place];
    let length = bytes[place + 1];
    let start = place + 2;
    if ((tag & 0x1f) === 0x1f || length === undefined) return null;
    if (length >= 0x80) {
      const many = length & 0x7f;
      const digits = bytes.subarray(start, start + many);
      if (many < 1 || many > 3 || digits.length !== many || digits[0] === 0) return null;
      length = digits.reduce((sum, one) => sum * 256 + one, 0);
      if (length < 0x80) return null;
      start += many;
    }
    if (start + length > bytes.length) return null;
    found.push({ tag, body: bytes.subarray(start, start + length) });
    place = start + length;
  }
  return found;
}

// The elements of a constructed one of this tag.
function within(element, tag) {
  const found = element !== undefined && element.tag === tag ? elements(element.body) : null;
  if (found === null) throw new TypeError("not in DER");
  return found;
}

function only(element, tag, text) {
  if (element === undefined || element.tag !== tag || (text !== undefined && hex(element.body) !== text)) {
    throw new TypeError("not as expected");
  }
  return element.body;
}

function generalTime(body) {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d*[1-9])?Z$/.exec(new TextDecoder("latin1").decode(body));
  const at = found && moment(`${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:${found[6]}${found[7] ?? ""}Z`);
  if (!at) throw new TypeError("no time");
  return at;
}

// The time that a timestamp names; raises Failed unless it is a granted one over this signature.
async function stampTime(bytes, signature, where) {
  let [kind, imprint, at] = ["", new Uint8Array(), 0n];
  try {
    if (bytes.length > LARGEST_STAMP) throw new TypeError("too large");
    const [whole, ...more] = elements(bytes) ?? [];
    const [status, token] = within(whole, 0x30);
    const said = within(status, 0x30);
    only(said[0], 0x02, "00");
    const [type, content] = within(token, 0x30);
    only(type, 0x06, SIGNED_DATA);
    const signed = within(within(content, 0xa0)[0], 0x30);
    only(signed[0], 0x02, "03");
    only(signed[1], 0x31);
    const [info, octets] = within(signed[2], 0x30);
    only(info, 0x06, TST_INFO);
    const signers = within(signed.at(-1), 0x31);
    only(within(signers[0], 0x30)[0], 0x02, "01");
    if (more.length || said.length !== 1 || signers.length !== 1) throw new TypeError("not in the one form");
    const told = within((elements(only(within(octets, 0xa0)[0], 0x04)) ?? [])[0], 0x30);
    const [algorithm, hashed] = within(told[2], 0x30);
    kind = DIGESTS[hex(only(within(algorithm, 0x30)[0], 0x06))] ?? "";
    imprint = only(hashed, 0x04);
    at = generalTime(only(told[4], 0x18));
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem;
    throw new Failed(where, "其时间戳无法读取（RFC 3161，DER）", "its timestamp cannot be read (RFC 3161, in DER)");
  }
  if (!kind || !same(new Uint8Array(await crypto.subtle.digest(kind, signature)), imprint)) {
    throw new Failed(where, "其时间戳不是对此签名所作", "its timestamp is not over this signature");
  }
  return at;
}
