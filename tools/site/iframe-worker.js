// A page that was opened from a disk may start no worker, and the search is one: a hidden frame stands in for it.
"use strict";
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
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
        waiting.forEach((data) => this.postMessage(data));
      });
      this.inner = inner;
    }
    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.inner.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
  // by this the theme's search tells that it runs in a frame
  window.IFrameWorker = window.Worker;
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
