'use strict';
// Shows the findings that are asked for, and copies what is to be typed. Without it the page reads whole; printed, it always does.
(() => {
  const bar = document.getElementById('filter');
  const text = bar.querySelector('input');
  const [verdict, clause] = bar.querySelectorAll('select');
  const told = bar.querySelector('output');
  const clear = bar.querySelector('button');
  const fold = (said) => said.normalize('NFKC').toLowerCase();
  const hosts = [...document.querySelectorAll('article.host')].map((article) => ({
    article,
    name: fold(article.querySelector('h3').textContent),
    about: fold(article.querySelector('.about').textContent),
    row: document.querySelector(`.matrix tr[data-host="${article.id}"]`),
    findings: [...article.querySelectorAll('[data-verdict]')].map((place) => ({
      place,
      verdict: place.dataset.verdict,
      clause: place.dataset.clause,
      said: fold(place.textContent),
    })),
  }));

  const asked = () => ({
    words: fold(text.value).split(/\s+/).filter(Boolean),
    verdict: verdict.value,
    clause: clause.value,
  });

  function show() {
    const { words, verdict: wanted, clause: of } = asked();
    const any = words.length > 0 || wanted !== '' || of !== '';
    let findings = 0;
    let shown = 0;
    for (const host of hosts) {
      let here = 0;
      for (const finding of host.findings) {
        const fits = (wanted === '' || wanted.split(' ').includes(finding.verdict))
          && (of === '' || finding.clause === of)
          && words.every((word) => finding.said.includes(word) || host.name.includes(word)
            || host.about.includes(word));
        finding.place.classList.toggle('out', !fits);
        here += fits;
      }
      host.article.classList.toggle('out', any && here === 0);
      host.article.classList.toggle('some', any);
      if (host.row) host.row.classList.toggle('out', any && here === 0);
      findings += here;
      shown += here > 0;
    }
    clear.hidden = !any;
    told.value = any
      ? told.dataset.said.replace('{findings}', findings).replace('{hosts}', shown)
      : '';
  }

  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest('.out')) empty();
  }

  function empty() {
    text.value = verdict.value = clause.value = '';
    show();
  }

  // browsers that keep the clipboard from a file on disk still copy what is selected
  async function copy(block) {
    try {
      await navigator.clipboard.writeText(block.textContent);
    } catch {
      getSelection().selectAllChildren(block);
      return document.execCommand('copy');
    }
    return true;
  }

  for (const block of document.querySelectorAll('pre.typed')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy screen-only';
    button.textContent = told.dataset.copy;
    button.addEventListener('click', async () => {
      if (!(await copy(block))) return;
      button.textContent = told.dataset.copied;
      setTimeout(() => { button.textContent = told.dataset.copy; }, 2000);
    });
    block.before(button);
  }

  text.addEventListener('input', show);
  verdict.addEventListener('change', show);
  clause.addEventListener('change', show);
  clear.addEventListener('click', () => { empty(); text.focus(); });
  window.addEventListener('hashchange', reveal);
  bar.hidden = false;
  // a browser that goes back fills in what was asked before
  show();
  reveal();
})();
