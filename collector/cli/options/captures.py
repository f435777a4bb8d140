"""The captures and the data inventory that a command line names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from collector import captures
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line
from collector.facts.data.inventory import DOCUMENT
from collector.facts.data.inventory_signature import KEYS, SIGNATURE
from collector.i18n.message import of_system

# where captures lie in a folder that hostpledge made: a run's output, then a bundle
_KNOWN_PLACES = ("captures", "data/captures")


_ENDS = (captures.SUFFIX, ".capture")
_NAMED = 8


owner_keys_option = click.option(
    "--owner-keys",
    type=FilePath(path_type=Path),
    metavar="FILE",
    help=tr(
        "清单责任人的公钥（allowed_signers 格式），用以核验清单旁的 .sig 签名",
        "public keys of the inventory's owner (an allowed signers file), to verify the .sig beside "
        "it with",
    ),
)


def capture_files(paths: Iterable[Path]) -> list[Path]:
    """The capture files that the paths name, or hold where they are folders; each once.

    Raises BadInput for a path that is not there, and for a folder without any capture.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            here = _in_folder(path)
            if not here:
                raise BadInput(
                    tr("目录中没有采集文件", "no capture in this folder"),
                    where=str(path),
                    mend=tr(
                        f"采集文件名以 {' 或 '.join(_ENDS)} 结尾",
                        f"captures end in {' or '.join(_ENDS)}",
                    ),
                )
            for file in here:
                found.setdefault(file.resolve(), file)
        elif path.exists():
            found.setdefault(path.resolve(), path)
        else:
            raise BadInput(tr("没有这个文件或目录", "no such file or folder"), where=str(path))
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    for place in _KNOWN_PLACES:
        if (folder / place).is_dir():
            _say_beside(folder, folder / place)
            folder = folder / place
            break
    return sorted(_every(folder))


def _every(folder: Path) -> Iterator[Path]:
    """Raises BadInput for what is named as a capture and is none, and for a folder that cannot be

    looked into: a host that is left out in silence is one that nobody misses.
    """

    def stop(problem: OSError) -> None:
        raise BadInput(of_system(problem, "cannot_read"), where=str(problem.filename)) from None

    for above, _, names in os.walk(folder, onerror=stop):
        for file in (Path(above, name) for name in names if name.endswith(_ENDS)):
            if file.name.startswith("."):
                continue
            if not file.is_file():
                raise BadInput(
                    tr(
                        "不是普通文件，不能作为采集文件",
                        "is no regular file, so no capture",
                    ),
                    where=str(file),
                    mend=tr("移走它或换成采集文件", "take it away, or put the capture there"),
                )
            yield file


def _captures(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.name.endswith(_ENDS) and not file.name.startswith(".") and file.is_file():
            yield file


def _say_beside(folder: Path, place: Path) -> None:
    """Names the captures that lie beside those of a run or of a bundle: they are not taken."""
    bags = {file.parent for file in folder.rglob("bagit.txt")} - {folder}
    beside = sorted(
        file
        for file in _captures(folder)
        if not file.is_relative_to(place) and not any(bag in file.parents for bag in bags)
    )
    if not beside:
        return
    names = tr("、", ", ").join(one_line(str(f.relative_to(folder))) for f in beside[:_NAMED])
    names += " …" if len(beside) > _NAMED else ""
    click.echo(
        tr(
            f"{folder}：只取 {place.relative_to(folder)} 中的采集文件，另有 {len(beside)} 份未取："
            f"{names}（须另存一目录，单独处理）",
            f"{folder}: the captures of {place.relative_to(folder)} are taken, and {len(beside)} "
            f"beside them not: {names} (put them into a folder of their own)",
        ),
        err=True,
    )


def data_documents(inventory: Path | None, owner_keys: Path | None) -> dict[str, bytes]:
    """The data inventory, its signature where one lies beside it, the keys of its owner."""
    named: dict[str, Path] = {}
    if inventory is not None:
        named[DOCUMENT] = inventory
        beside = inventory.with_name(f"{inventory.name}.sig")
        if beside.exists():
            named[SIGNATURE] = beside
    if owner_keys is not None:
        named[KEYS] = owner_keys
    return {name: document(path) for name, path in named.items()}


def document(path: Path) -> bytes:
    """A file's content; raises BadInput where it cannot be read, and for what no bundle takes."""
    return captures.read_at_most(path, captures.LARGEST)
