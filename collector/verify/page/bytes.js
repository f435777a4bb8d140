"use strict";
// Checks a bundle as `hostpledge verify` does, as far as a browser can: nothing leaves this page.

const MOST_BYTES = 256 * 1024 * 1024;

// What cannot be seen, ends a line, or turns what follows around, is written out.
const plain = (text) =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
const visible = (text) => plain(text.slice(0, 500));
// A name in a list of names; what could pass for several is in quotation marks.
const oneName = (name) => (name === "" || /[,;:、，；：“”" ]/u.test(name) ? `“${visible(name)}”` : visible(name));

// Why a bundle does not verify: `where` is a file inside it, in both languages where it is a word.
class Failed extends Error {
  constructor(where, zh, en) {
    super(visible(en));
    this.where = typeof where === "string" ? { zh: visible(where), en: visible(where) } : where;
    this.said = { zh: visible(zh), en: visible(en) };
  }
}

// What this page cannot decide, either way.
class Undecided extends Failed {}

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const digestOf = async (bytes) => hex(await sha256(bytes));
const same = (a, b) => a.length === b.length && a.every((byte, place) => byte === b[place]);

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function base64(bytes) {
  let text = "";
  for (let place = 0; place < bytes.length; place += 32768) {
    text += String.fromCharCode(...bytes.subarray(place, place + 32768));
  }
  return btoa(text);
}

function fromBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

// base64 in its one spelling (RFC 4648 section 4)
function strictBase64(text, where) {
  const bytes = fromBase64(text);
  if (bytes === null || base64(bytes) !== text) {
    throw new Failed(where, "base64 编码形式不对", "not base64 in its one spelling");
  }
  return bytes;
}

// The order in which Python sorts text: by code points.
function byCodePoints(a, b) {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
    const difference = left[place].codePointAt(0) - right[place].codePointAt(0);
    if (difference) return difference;
  }
  return left.length - right.length;
}

// Letters of which Python and browsers know different cases (collector/alike_names.py).
const UNSURE =
  /[\u0131\u1c89\u1c8a\ua7cb-\ua7cf\ua7d2-\ua7d5\ua7da-\ua7dc\u{10d50}-\u{10d85}\u{16ea0}-\u{16ed3}]/u;

// Names that are one name to some file system or reader.
const fold = (name) =>
  Array.from(name, (one) => (UNSURE.test(one) ? one : one.toLowerCase().toUpperCase().toLowerCase())).join("");

// The bytes of a stream; null where it is broken, or holds more than `most`.
async function drain(stream, most) {
  const parts = [];
  let total = 0;
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concat(...parts);
      total += value.length;
      if (total > most) {
        await reader.cancel();
        return undefined;
      }
      parts.push(value);
    }
  } catch {
    return null;
  }
}

// As `drain`, unpacked. Not every browser refuses what follows the end of a stream: where that is
// so, the stream is whole without its last byte too.
async function inflate(blob, how, most) {
  const unpacked = (part) => drain(part.stream().pipeThrough(new DecompressionStream(how)), most);
  const bytes = await unpacked(blob);
  if (bytes === null || bytes === undefined) return bytes;
  return (await unpacked(blob.slice(0, blob.size - 1))) === null ? bytes : null;
}

// --- times --------------------------------------------------------------------------------------

// in microseconds, as all times here
const A_DAY = 86400n * 1000000n;
const TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

// RFC 3339 → microseconds since 1970, or null; a time that cannot be told in UTC is none
function moment(text) {
  const found = typeof text === "string" ? TIME.exec(text) : null;
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  if (year < 1 || hour > 23 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const ahead = found[8] ? (found[8] === "-" ? -1 : 1) * (Number(found[9]) * 60 + Number(found[10])) : 0;
  const at = date.getTime() - ahead * 60000;
  if (new Date(at).getUTCFullYear() < 1 || new Date(at).getUTCFullYear() > 9999) return null;
  return BigInt(at) * 1000n + BigInt((found[7] ?? "").slice(0, 6).padEnd(6, "0"));
}

// as Python's isoformat writes it, in UTC
function written(at) {
  const micro = ((at % 1000000n) + 1000000n) % 1000000n;
  const whole = new Date(Number((at - micro) / 1000n)).toISOString().slice(0, 19);
  return `${whole}${micro ? `.${micro.toString().padStart(6, "0")}` : ""}+00:00`;
}
