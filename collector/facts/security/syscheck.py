"""What syscheck of Wazuh and OSSEC compares: its folders, what it leaves out, with which digests.

>>> found = syscheck(['<syscheck>', '<directories check_all="yes">/etc,/usr/bin</directories>',
...     '<ignore>/etc/mtab</ignore>',
...     '<ignore type="sregex">.log$|^/usr/bin</ignore>', '</syscheck>'])
>>> [folder.path for folder in found.folders], found.covers("/etc"), found.covers("/usr/bin")
(['/etc', '/usr/bin'], True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# what whoever broke in changes first
_PROBES: Mapping[str, tuple[str, ...]] = {
    "/etc": ("/etc/passwd", "/etc/shadow", "/etc/sudoers", "/etc/ssh/sshd_config"),
    "/usr/bin": ("/usr/bin/passwd", "/usr/bin/su", "/usr/bin/sudo"),
}
_CHECKS = ("check_sha256sum", "check_sum", "check_all")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is compared, with the attributes of its element."""

    path: str
    said: tuple[tuple[str, str], ...] = ()

    def strong(self, *, wazuh: bool) -> bool:
        """Is SHA-256 compared? Wazuh does unless told otherwise, OSSEC where it is told to."""
        said = dict(self.said)
        for name in _CHECKS if wazuh else _CHECKS[:1]:
            if name in said:
                return said[name] == "yes"
        return wazuh


@dataclass(frozen=True, slots=True)
class Syscheck:
    """`ignored` are plain starts of paths, `patterns` sregex; `asked`: were they asked for?"""

    disabled: bool
    folders: tuple[Folder, ...]
    ignored: tuple[str, ...]
    patterns: tuple[str, ...]
    asked: bool

    def covers(self, folder: str, strong: bool | None = None, *, wazuh: bool = True) -> bool:
        """Is all that matters in the folder compared (`strong`: by SHA-256)?"""
        watched = any(
            f"{folder}/".startswith(f"{one.path.rstrip('/')}/")
            and "restrict" not in dict(one.said)
            and (not strong or one.strong(wazuh=wazuh))
            for one in self.folders
        )
        return watched and not any(map(self._left_out, _PROBES.get(folder, (f"{folder}/x.php",))))

    def _left_out(self, path: str) -> bool:
        name = path.lower()
        plain = any(name.startswith(start.lower()) for start in self.ignored)
        return plain or any(_hits(pattern.lower(), name) for pattern in self.patterns)


def _hits(pattern: str, path: str) -> bool:
    """OSSEC's sregex: words parted by `|`, `^` at the start and `$` at the end of one."""
    for word in pattern.split("|"):
        bare = word.removeprefix("^").removesuffix("$")
        start = word.startswith("^") and not path.startswith(bare)
        end = word.endswith("$") and not path.endswith(bare)
        if bare and not start and not end and bare in path:
            return True
    return False


def syscheck(lines: Iterable[str]) -> Syscheck:
    """Of the elements that the read keeps of ossec.conf."""
    inside, disabled, asked = False, False, False
    folders: list[Folder] = []
    ignored: list[str] = []
    patterns: list[str] = []
    for line in lines:
        asked = asked or line.strip() == "asked ignore"
        if "<syscheck>" in line or "</syscheck>" in line:
            inside = "</syscheck>" not in line
        elif inside and (value := re.search(r"<disabled>\s*(\w+)", line)):
            disabled = value[1] == "yes"
        elif inside and (found := re.search(r"<directories([^>]*)>([^<]*)", line)):
            said = dict(re.findall(r'([a-z_0-9]+)="(\w+)"', found[1]))
            if re.search(r"\srestrict\b", found[1]):
                said["restrict"] = "yes"
            names = [x.strip() for x in found[2].split(",") if x.strip()]
            folders += [Folder(name, tuple(said.items())) for name in names]
        elif inside and (found := re.search(r"<ignore([^>]*)>([^<]*)", line)):
            text = found[2].strip()
            (patterns if "sregex" in found[1] else ignored).append(text)
    starts = [x.strip() for text in ignored for x in text.split(",") if x.strip()]
    return Syscheck(disabled, tuple(folders), tuple(starts), tuple(patterns), asked)
