// --- the form -----------------------------------------------------------------------------------

// What is shown is about what is chosen now: a slower answer about something else comes too late.
let latest = 0;

function forget() {
  latest += 1;
  at("result").dataset.state = "";
  at("result").replaceChildren();
}

async function run() {
  latest += 1;
  const mine = latest;
  const [zip, folder] = [at("zip").files, at("folder").files];
  const chosen = at("trust-file").files[0];
  show("busy", word("核验中…", "Verifying …"));
  try {
    const trust = chosen ? await chosen.text() : at("trust").value;
    if (!trust.trim()) {
      throw new Failed("", "请给出信任文件或公钥：不能取自证据包本身", "give a trust file or a public key: it cannot come from the bundle");
    }
    if (!zip.length && !folder.length) throw new Failed("", "请选择证据包", "choose a bundle");
    RELEASES = await releases;
    const trusted = await readTrust(trust);
    const files = zip.length ? await fromZip(zip[0]) : fromFolder(folder);
    const found = await verifyBundle(files, trusted, (done, of) => {
      if (mine === latest && done % 50 === 0) show("busy", `${word("核验中…", "Verifying …")} ${done}/${of}`);
    }, !zip.length);
    if (mine === latest) showFound(found);
  } catch (problem) {
    if (mine === latest) showProblem(problem);
  }
}

function speak() {
  document.documentElement.lang = lang;
  for (const one of document.querySelectorAll("[data-zh]")) {
    one.textContent = one.dataset[lang];
  }
}

at("language").addEventListener("click", () => {
  lang = lang === "zh" ? "en" : "zh";
  speak();
  if (["verified", "narrow", "partial", "undecided", "failed"].includes(at("result").dataset.state)) run();
});
at("zip").addEventListener("change", () => { at("folder").value = ""; });
at("folder").addEventListener("change", () => { at("zip").value = ""; });
for (const id of ["zip", "folder", "trust-file", "trust"]) at(id).addEventListener("input", forget);
at("verify").addEventListener("click", run);
speak();
