// --- SM2 with SM3 (GB/T 32918, GB/T 32905): nothing here is secret -----------------------------

const SM2_P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const SM2_N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const SM2_B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const SM2_G = [
  0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
];
const SM2_ID = "1234567812345678";

function sm3(bytes) {
  const rotated = (word, by) => (word << by % 32) | (word >>> (32 - (by % 32)));
  const state = Int32Array.of(
    0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
  );
  const whole = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  const view = new DataView(whole.buffer);
  view.setBigUint64(whole.length - 8, BigInt(bytes.length) * 8n);
  const w = new Int32Array(68);
  for (let block = 0; block < whole.length; block += 64) {
    for (let j = 0; j < 16; j += 1) w[j] = view.getInt32(block + 4 * j);
    for (let j = 16; j < 68; j += 1) {
      const mixed = w[j - 16] ^ w[j - 9] ^ rotated(w[j - 3], 15);
      w[j] = mixed ^ rotated(mixed, 15) ^ rotated(mixed, 23) ^ rotated(w[j - 13], 7) ^ w[j - 6];
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let j = 0; j < 64; j += 1) {
      const early = j < 16;
      const one = rotated((rotated(a, 12) + e + rotated(early ? 0x79cc4519 : 0x7a879d8a, j)) | 0, 7);
      const two = one ^ rotated(a, 12);
      const left = ((early ? a ^ b ^ c : (a & b) | (a & c) | (b & c)) + d + two + (w[j] ^ w[j + 4])) | 0;
      const right = ((early ? e ^ f ^ g : (e & f) | (~e & g)) + h + one + w[j]) | 0;
      d = c;
      c = rotated(b, 9);
      b = a;
      a = left;
      h = g;
      g = rotated(f, 19);
      f = e;
      e = right ^ rotated(right, 9) ^ rotated(right, 17);
    }
    [a, b, c, d, e, f, g, h].forEach((word, place) => { state[place] ^= word; });
  }
  const digest = new Uint8Array(32);
  state.forEach((word, place) => new DataView(digest.buffer).setInt32(4 * place, word));
  return digest;
}

const number = (bytes) => BigInt(`0x${hex(bytes) || "0"}`);
const bytes32 = (value) => Uint8Array.from(value.toString(16).padStart(64, "0").match(/../g), (pair) => parseInt(pair, 16));
const modulo = (value, by) => ((value % by) + by) % by;

function inverse(value, by) {
  let [a, b, x, y] = [modulo(value, by), by, 1n, 0n];
  while (a > 1n) {
    const many = b / a;
    [a, b, x, y] = [b - many * a, a, y - many * x, x];
  }
  return modulo(x, by);
}

// null is the point at infinity
function sum(one, other) {
  if (one === null) return other;
  if (other === null) return one;
  const [[x1, y1], [x2, y2]] = [one, other];
  if (x1 === x2 && modulo(y1 + y2, SM2_P) === 0n) return null;
  const slope = x1 === x2
    ? (3n * x1 * x1 - 3n) * inverse(2n * y1, SM2_P)
    : (y2 - y1) * inverse(x2 - x1, SM2_P);
  const x = modulo(slope * slope - x1 - x2, SM2_P);
  return [x, modulo(slope * (x1 - x) - y1, SM2_P)];
}

function times(point, many) {
  let found = null;
  for (const bit of many.toString(2)) {
    found = sum(found, found);
    if (bit === "1") found = sum(found, point);
  }
  return found;
}

// The key whose point lies on the curve; its id is the SM3 digest of its SubjectPublicKeyInfo.
function sm2Key(spki, where) {
  const point = [number(spki.subarray(27, 59)), number(spki.subarray(59))];
  const [x, y] = point;
  if (x >= SM2_P || y >= SM2_P || modulo(y * y - x * x * x + 3n * x - SM2_B, SM2_P) !== 0n) {
    throw new Failed(where, "公钥无效", "no valid key");
  }
  return { type: "sm2", point, keyid: `SM3:${unpadded(sm3(spki))}` };
}

function sm2Holds(key, [r, s], data) {
  if (r < 1n || r >= SM2_N || s < 1n || s >= SM2_N || modulo(r + s, SM2_N) === 0n) return false;
  const id = utf8(SM2_ID);
  const curve = [SM2_P - 3n, SM2_B, ...SM2_G, ...key.point].map(bytes32);
  const who = sm3(concat(Uint8Array.of(0, id.length * 8), id, ...curve));
  const found = sum(times(SM2_G, s), times(key.point, modulo(r + s, SM2_N)));
  return found !== null && modulo(number(sm3(concat(who, data))) + found[0], SM2_N) === r;
}
