// A page that was opened from a disk may start no worker, and the search is one: a hidden frame stands in for it.
// Opened in either way, the search is asked in words that it has: see `inWords` and `undashed`.
"use strict";
(() => {
  const SETUP = 0, QUERY = 2;
  const HAN = /\p{sc=Han}+/gu;
  // a Chinese character of no text; with it behind a word, the theme's search takes the word as it is
  const GUARD = "\u3005";
  const LONGEST = 8;

  // Chinese words of the index: jieba put U+200B around each
  function known(docs) {
    const words = new Set();
    for (const doc of docs)
      for (const text of [doc.title, doc.text])
        for (const [word] of text.matchAll(HAN)) words.add(word);
    return words;
  }

  // Cuts what is asked in Chinese into all words of the index that it has, and what is left over into characters:
  // the theme's own way of cutting leaves out the last word, and takes the first of two that overlap.
  function inWords(asked, words) {
    return asked.replace(HAN, (run) => {
      const found = [];
      let covered = 0;
      for (let start = 0; start < run.length; start++) {
        for (let length = Math.min(LONGEST, run.length - start); length > 1; length--) {
          const word = run.slice(start, start + length);
          if (!words.has(word)) continue;
          found.push(word + GUARD);
          covered = Math.max(covered, start + length);
        }
        if (start >= covered) found.push(words.has(run[start]) ? run[start] + GUARD : run[start]);
      }
      return ` ${found.join(" ")} `;
    });
  }

  // `--policy` and `off-host` are looked for; to the theme's search, a dash says that a page with the word behind it
  // is not wanted, and one with no word behind it has no end
  function undashed(asked) {
    return asked.replace(/-+(?=\*|$)/g, "").replace(/-+/g, " ");
  }

  function asking(Base) {
    return class extends Base {
      postMessage(message) {
        if (message.type === SETUP) this.docs = message.data.docs;
        if (message.type === QUERY) message = { ...message, data: this.asked(undashed(message.data)) };
        super.postMessage(message);
      }
      asked(words) {
        if (words.search(HAN) < 0) return words;
        this.words ??= known(this.docs);
        return inWords(words, this.words);
      }
    };
  }

  class Framed extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inner = frame.contentWindow;
      inner.importScripts = (...urls) =>
        urls.reduce((before, each) => before.then(() => load(inner, each)), Promise.resolve());
      inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      load(inner, new URL(url, location.href).href).then(() => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.send(data));
      });
      this.inner = inner;
    }
    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.send(data);
    }
    send(data) {
      this.inner.dispatchEvent(new MessageEvent("message", { data }));
    }
  }

  function load(inner, url) {
    return new Promise((done, failed) => {
      const script = inner.document.createElement("script");
      script.src = url;
      script.onload = done;
      script.onerror = failed;
      inner.document.body.append(script);
    });
  }

  const disk = location.protocol === "file:";
  window.Worker = asking(disk ? Framed : window.Worker);
  // by this the theme's search tells that it runs in a frame
  if (disk) window.IFrameWorker = window.Worker;
})();
