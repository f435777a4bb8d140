"""`make deb [PYTHON=python3.13]`: dist/hostpledge_VERSION_ARCH.deb, which wants no package index.

A virtual environment with all that the lock file names lies in /opt/hostpledge; its interpreter is
the system's, so a package is for the releases of Debian and Ubuntu with that version of Python.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from collector import __version__

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "deb"
HOME = "/opt/hostpledge"
PROGRAMS = ("hostpledge", "hostpledge-backup-report")
# what only building wanted
_BUILDERS = ("hatchling", "editables", "trove-classifiers", "setuptools", "pip")
_CONTROL = """\
Package: hostpledge
Version: {version}
Architecture: {architecture}
Maintainer: hostpledge maintainers <maintainers@localhost>
Section: admin
Priority: optional
Installed-Size: {size}
Depends: python3 (>= {python}), python3 (<< {next}), libc6, openssh-client
Recommends: fonts-noto-cjk, libharfbuzz-subset0, libpango-1.0-0, libpangoft2-1.0-0, sshpass
Suggests: bash-completion, softhsm2
Description: shows, host by host, that the duties of a network pledge are kept
 Checks servers for the technical clauses of the pledge that customers of
 Chinese providers sign, hardens them, and turns what it saw into signed
 evidence that anyone can verify and judge again, offline.
 .
 All Python packages that it wants are inside, in /opt/hostpledge.
"""
# what ran as root may have compiled into it
_POSTRM = f"""\
#!/bin/sh
set -e
case $1 in remove | purge) rm -rf {HOME} ;; esac
"""
_SHARE = {
    "man": "man",
    "bash-completion/completions": "bash-completion/completions",
    "zsh/site-functions": "zsh/vendor-completions",
    "fish/vendor_completions.d": "fish/vendor_completions.d",
}


def main() -> int:
    """Exit status 2, and one line, where the package cannot be made."""
    python = os.environ.get("PYTHON", "python3")
    if shutil.which("dpkg-deb") is None:
        return _complain("dpkg-deb is not here: a Debian package is made on Debian or Ubuntu")
    shutil.rmtree(BUILD, ignore_errors=True)
    tree = BUILD / "tree"
    try:
        version = _said(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        _install(python, tree)
        _share(tree)
        _relocate(tree, version, python)
        made = _packed(tree, version)
    except subprocess.CalledProcessError as problem:
        lines = (problem.stderr or b"").decode(errors="replace").strip().splitlines()
        return _complain(f"{problem.cmd[0]}: {lines[-1] if lines else problem.returncode}")
    print(made.relative_to(ROOT))
    return 0


def _install(python: str, tree: Path) -> None:
    place = tree / HOME[1:]
    wheels = BUILD / "wheel"
    _said(sys.executable, "-m", "tools.share", str(ROOT / "build" / "share"))
    _said(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
          "--wheel-dir", str(wheels), str(ROOT))  # fmt: skip
    (wheel,) = wheels.glob("*.whl")
    place.parent.mkdir(parents=True)
    _said(python, "-m", "venv", str(place))
    pip = (str(place / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check")
    lock = str(ROOT / "requirements" / "all.txt")
    _said(*pip, "install", "--no-compile", "--only-binary=:all:", "--require-hashes", "-r", lock)
    _said(*pip, "install", "--no-compile", "--no-deps", str(wheel))
    _said(*pip, "uninstall", "--yes", *_BUILDERS)


def _share(tree: Path) -> None:
    """From the environment to where Debian has it; what packages of others brought goes."""
    own = tree / HOME[1:] / "share"
    for here, there in _SHARE.items():
        for file in (own / here).rglob("*hostpledge*"):
            if file.is_file():
                target = tree / "usr/share" / there / file.relative_to(own / here)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    for page in (tree / "usr/share/man").rglob("*.1"):
        page.with_name(f"{page.name}.gz").write_bytes(gzip.compress(page.read_bytes(), 9, mtime=0))
        page.unlink()
    shutil.rmtree(own)
    about = tree / "usr/share/doc/hostpledge"
    about.mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", about / "copyright")
    log = (ROOT / "CHANGELOG.md").read_bytes()
    (about / "changelog.gz").write_bytes(gzip.compress(log, 9, mtime=0))


def _relocate(tree: Path, version: str, python: str) -> None:
    """From where it was made to where it will lie, upon the interpreter that Debian has."""
    place = tree / HOME[1:]
    for script in (place / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        if script.name.lower().startswith("activate"):
            script.unlink()
        elif script.read_bytes().startswith(b"#!"):
            script.write_bytes(script.read_bytes().replace(str(place).encode(), HOME.encode()))
    for name in ("python", "python3", f"python{version}"):
        link = place / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/bin/python{version}" if name == "python" else "python")
    settings = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    (place / "pyvenv.cfg").write_text(settings)
    for told in place.rglob("direct_url.json"):
        told.unlink()
    for cache in place.rglob("__pycache__"):
        shutil.rmtree(cache)
    # a user who may not write there would compile at each start
    _said(
        python,
        "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash",
        "-s", str(tree), "-p", "/", str(place / "lib"),
    )  # fmt: skip
    programs = tree / "usr/bin"
    programs.mkdir(parents=True)
    for name in PROGRAMS:
        (programs / name).symlink_to(f"{HOME}/bin/{name}")
    left = _said("grep", "-rlI", str(BUILD), str(tree), status=1)
    if left:
        raise SystemExit(_complain(f"the place where it was made stands in {left}"))


def _packed(tree: Path, version: str) -> Path:
    architecture = _said("dpkg", "--print-architecture")
    major, minor = version.split(".")
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    about = tree / "DEBIAN"
    about.mkdir()
    named = re.sub(r"(a|b|rc)(\d)", r"~\1\2", __version__)
    full = f"{named}+py{major}{minor}"
    control = _CONTROL.format(
        version=full,
        architecture=architecture,
        size=sum(path.stat().st_size for path in files) // 1024,
        python=version,
        next=f"{major}.{int(minor) + 1}",
    )
    (about / "control").write_text(control, encoding="utf-8")
    sums = (f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(tree)}\n" for p in files)  # noqa: S324 - dpkg's own form
    (about / "md5sums").write_text("".join(sums), encoding="utf-8")
    (about / "postrm").write_text(_POSTRM, encoding="utf-8")
    (about / "postrm").chmod(0o755)
    _said("chmod", "-R", "u=rwX,go=rX", str(tree))
    made = ROOT / "dist" / f"hostpledge_{full}_{architecture}.deb"
    made.parent.mkdir(exist_ok=True)
    _said("dpkg-deb", "--root-owner-group", "-Zzstd", "--build", str(tree), str(made))
    return made


def _said(*words: str, status: int = 0) -> str:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
    if done.returncode not in (0, status):
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
    return done.stdout.decode().strip()


def _complain(what: str) -> int:
    print(f"make deb: {what}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
