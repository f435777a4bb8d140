"""Products against malicious code, and the signals by which each is seen on a host.

The products are data (`catalogs/antimalware.yml`). No single signal proves one: a name can be
taken by any program, and a folder stays behind when its product is gone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import Process, Processes, of_the_host, processes
from collector.facts.system.services import READS as _SERVICE_READS
from collector.facts.system.services import Services, services
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell
from collector.resources import package_text
from collector.schema import load_own


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the catalogue; the fields are those of the file, which explains them."""

    id: str
    name: Text
    counts: str
    signatures: str
    programs: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return self.programs + self.companions + self.under + self.places + self.needs


def _load() -> tuple[Product, ...]:
    document: Mapping[str, Mapping[str, Any]] = load_own(
        package_text("catalogs/antimalware.yml"), where="catalogs/antimalware.yml"
    )
    return tuple(_product(id, entry) for id, entry in document.items())


def _product(id: str, entry: Mapping[str, Any]) -> Product:
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    name = Text(entry["name"]["zh"], entry["name"]["en"])
    return Product(id, name, entry["counts"], entry["signatures"], **lists)


PRODUCTS = _load()


def _look(products: Iterable[Product]) -> str:
    known = list(products)
    # a glob stays bare so that the shell expands it; the catalogue holds no other special sign
    paths = sorted({path for product in known for path in product.paths})
    packages = sorted({name for product in known for name in product.packages})
    return (
        OPENED + "set --\n"
        f'for p in {" ".join(paths)}; do [ -e "$p" ] && hp_plain "$p" && set -- "$@" "$p"; done\n'
        '[ $# -gt 0 ] && ls -ldnL "$@"\n'
        "echo '== packages'\n"
        f"for p in {' '.join(map(shlex.quote, packages))}; do\n"
        '  for f in "/var/lib/dpkg/info/$p.md5sums" "/var/lib/dpkg/info/$p":*.md5sums; do\n'
        '    [ -e "$f" ] && printf "%s\\n" "$p"\n'
        "  done\n"
        "done\n"
        "if command -v rpm >/dev/null 2>&1 && [ -d /var/lib/rpm ]; then\n"
        f"  rpm -q --qf '%{{NAME}}\\n' {' '.join(map(shlex.quote, packages))} 2>/dev/null"
        " | grep -v ' '\n"
        "fi\n"
        "true"
    )


READS: tuple[Read, ...] = (
    shell(
        "antimalware.places",
        _look(PRODUCTS),
        limit=1 << 16,
        why=Text(
            "防恶意代码产品的安装位置与软件包",
            "where products against malicious code are installed, and their packages",
        ),
    ),
    *_PROCESS_READS,
    *_SERVICE_READS,
)

_ENTRY = re.compile(r"^(\S)(\S{9})\S*\s+\d+\s+(\d+)\s+\d+\s.*?\s(/.*)$")


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder of a product; `trusted`: root owns it and nobody else may write it."""

    path: str
    trusted: bool
    line: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one product.

    `engines` run from its own place, `imposters` only go by its name. `signals` are the words
    of what speaks for a running product (`program`, `started`, `companion`, `unit`, `script`,
    `package`, `place`); `marks` are the lines that show it installed.
    """

    product: Product
    engines: tuple[Process, ...]
    imposters: tuple[Process, ...]
    signals: tuple[str, ...]
    marks: tuple[str, ...]
    units: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """Does it run for certain: its program from its own trusted place, and one signal more?

        Where the kernel does not show root the program (in a container without SYS_PTRACE), what
        systemd started as the product's unit stands for it, if the product's package is there.
        """
        if "program" in self.signals:
            return len(self.signals) >= 2
        return {"started", "package"} <= set(self.signals)

    @property
    def running(self) -> bool:
        """Does one run that no user who can log in has started?"""
        return any(not p.login for p in self.engines)

    @property
    def installed(self) -> bool:
        return bool(self.marks)


@dataclass(frozen=True, slots=True)
class Antimalware:
    """Every product of which anything was seen. `blind`: programs of others could not be seen,

    so that one not seen may still run.
    """

    sightings: tuple[Sighting, ...]
    blind: bool


def antimalware(capture: Capture) -> Antimalware:
    """Raises FactError when processes, services or places could not be looked at."""
    places, packages = _places(capture.read("antimalware.places").text())
    run = processes(capture)
    known = services(capture)
    sightings = (_sighting(product, run, known, places, packages) for product in PRODUCTS)
    return Antimalware(
        tuple(s for s in sightings if s.engines or s.imposters or s.marks),
        blind=not (run.complete and capture.root),
    )


def _places(text: str) -> tuple[dict[str, Place], frozenset[str]]:
    listing, separator, packages = text.partition("== packages\n")
    if not separator:
        raise NotUnderstood("antimalware.places", msg("ends_before_end"))
    places = {}
    for line in listing.splitlines():
        match = _ENTRY.match(line)
        if match is None:
            raise NotUnderstood("antimalware.places", msg("not_line_ls", line=line))
        mode, uid, path = match[2], match[3], match[4]
        trusted = uid == "0" and mode[4] != "w" and mode[7] != "w"
        places[path] = Place(path, trusted, line)
    return places, frozenset(packages.split())


def _sighting(
    product: Product,
    run: Processes,
    known: Services,
    places: Mapping[str, Place],
    packages: frozenset[str],
) -> Sighting:
    of_it = [p for p in run.all if _from(p, product.programs + product.companions, product.under)]
    of_it += [p for p in run.all if p.exe is None and _started(p, product, places)]
    whole = all(need in places for need in product.needs)
    own = [p for p in of_it if whole and not p.container]
    engines = [p for p in own if not _at(p, product.companions)]
    # what any user starts proves nothing
    trusted = of_the_host(p for p in engines if _trusted(p, product, places) and not p.login)
    imposters = [p for p in run.all if p not in own and (p.name in product.names or p in of_it)]
    units = [u for u in map(known.unit, product.units) if u.known]
    scripts = [name for name in product.scripts if name in known.scripts]
    installed = [name for name in product.packages if name in packages]
    there = [places[path] for path in product.places if path in places]
    apart = [
        place
        for place in there
        if place.trusted and not any((p.exe or "").startswith(place.path) for p in engines)
    ]
    programs = {p.exe for p in own if p.exe is not None and not p.login}
    speaking = {
        "program": any(p.exe is not None for p in trusted),
        "started": any(p.exe is None and not p.login for p in engines),
        "companion": len(programs) > 1,
        "unit": any(unit.active for unit in units),
        "script": bool(scripts),
        "package": bool(installed),
        "place": bool(apart),
    }
    marks = [u.line for u in units]
    marks += [f"/etc/init.d/{name}" for name in scripts]
    marks += installed
    marks += [place.line for place in there]
    return Sighting(
        product,
        tuple(engines),
        tuple(imposters),
        tuple(word for word, heard in speaking.items() if heard),
        tuple(marks) if whole else (),
        tuple(u.line for u in units) if whole else (),
    )


def _at(process: Process, patterns: tuple[str, ...]) -> bool:
    """Does the program of the process lie at one of the glob patterns?"""
    return bool(Processes((process,), complete=True).running(*patterns))


def _from(process: Process, patterns: tuple[str, ...], under: tuple[str, ...]) -> bool:
    return _at(process, patterns) or any(
        process.exe is not None and process.exe.startswith(f"{folder}/") for folder in under
    )


def _started(process: Process, product: Product, places: Mapping[str, Place]) -> bool:
    """Is it what systemd started as a unit of the product, by the path of a trusted program?"""
    program = process.cmdline.split(" ", 1)[0]
    units = {f"{name}.service" for name in product.units}
    known = program in places and places[program].trusted
    return known and program in product.programs and process.unit in units


def _trusted(process: Process, product: Product, places: Mapping[str, Place]) -> bool:
    """Is the program still that of the product, in nobody's hands but root's?"""
    exe = process.exe or ""
    own = places.get(exe)
    if own is not None:
        return own.trusted
    return any(
        exe.startswith(f"{folder}/") and folder in places and places[folder].trusted
        for folder in product.under
    )
