"""What of the settings of programs' own logs leaves the host: names, paths, numbers, patterns."""

from __future__ import annotations

from collections.abc import Iterator

from collector.facts.base.redaction import FORMS, values_of_short
from collector.facts.base.redaction_of_places import no_sessions
from collector.facts.logs.web.redaction import PIPES, XML

# Of an element only these attributes are asked; what stands before it is text, or of a remark.
_ATTRIBUTES = (
    "name", "value", "key", "file", "fileName", "filePattern", "class", "className", "directory",
    "prefix", "suffix", "maxDays", "rotatable", "max", "min", "age", "exceeds", "bytes", "files",
    "basePath", "glob", "regex", "size", "interval", "type", "ref", "maxDepth", "fileIndex",
)  # fmt: skip
_HELD = ("[Pp]roperty", "[Vv]ariable", "[Pp]aram")
# Of a property these stay, whole: numbers and sizes, paths, which begin as such or with the word
# log, and patterns of dates. A password holds the same signs.
_PATH = r"[A-Za-z0-9_.\/${}:%+,-]*"
_VALUES = (
    r"[0-9][0-9A-Za-z.]\{0,5\}",
    r"[0-9]\{1,6\} [KMGkmg][Bb]",
    rf"[.]\{{0,2\}}\/[A-Za-z0-9_.$%{{-]{_PATH}",
    rf"[$]{{[A-Za-z0-9_.:-]*}}{_PATH}",
    rf"[$]{{[A-Za-z0-9_.:-]*:-[.]\{{0,2\}}\/[A-Za-z0-9_.\/-]*}}{_PATH}",
    rf"[$]{{[A-Za-z0-9_.:-]*:-[Ll]ogs\{{0,1\}}[A-Za-z0-9_.\/-]*}}{_PATH}",
    rf"[Ll]ogs\{{0,1\}}\/{_PATH}",
    rf"[A-Za-z0-9_-]\{{1,30\}}\/[Ll]ogs\{{0,1\}}\/{_PATH}",
    r"[A-Za-z0-9_.\/${}-]*%d{[A-Za-z0-9_., :'-]*}[A-Za-z0-9_.\/%${}-]*",
    r"[.'_-]\{0,4\}yyyy[MdHm.'_-]\{1,20\}",
    "true",
    "false",
)
_BEGINS = (r"[[:space:]]value[[:space:]]*=[[:space:]]*\)\"", r"[^<>\/]>\)")
_ENDS = ('"', "<")


def _held(name: str) -> Iterator[str]:
    """What an element of that name keeps of its value, be it an attribute or its text."""
    for begins, end in zip(_BEGINS, _ENDS, strict=True):
        told, quote = rf"\(<{name}[^<>]*{begins}", end.strip("<")
        for value in _VALUES:
            yield rf"s/{told}\({value}\){end}/\1{quote}~k~\2{end}/g"
        yield rf"s/{told}[^\"<~][^\"<]*{end}/\1{quote}***{end}/g"


_ELEMENTS = "\n".join(
    [
        r"/:[^<]*<[A-Za-z\/!]/{",
        "s/=[[:space:]]*'\\([^'\"]*\\)'/=\"\\1\"/g",
        r"s/^\([^:]*:\)[^<]*[^<[:space:]][^<]*</\1</",
        *(rf"s/\([[:space:]]\)\({name}[[:space:]]*=\)/\1~q~\2/g" for name in _ATTRIBUTES),
        r"s/\([[:space:]][A-Za-z:._-]\{1,\}[[:space:]]*=[[:space:]]*\)\"[^\"]*\"/\1\"***\"/g",
        "s/~q~//g",
        # what is given where a name is not set
        r"s/:-\([Ll]ogs\{0,1\}[}\/]\)/:-~l~\1/g",
        r"s/\([$]{[^{}\"<>]*:-\)[^\/.}{$~][^{}\"<>]*}/\1***}/g",
        "s/~l~//g",
        *(step for name in _HELD for step in _held(name)),
        "s/~k~//g",
        "}",
    ]
)
# The path of a hook is its secret: of what lies elsewhere the host stays.
_HOSTS = r"s#\(://[^\/[:space:]\"'<>?]\{1,\}\)[\/?][^[:space:]\"'<>]*#\1/***#g"
# of settings of databases, of properties and of YAML: what stands behind a value is a remark
_REMARK = r"/:[^<]*=.*[[:space:]]#/s/[[:space:]]\{1,\}#.*//"
# PostgreSQL lets one leave out the `=`
_REMARK += "\n" + r"/\.conf:[^<]*[[:space:]]#/s/[[:space:]]\{1,\}#.*//"
# Of remarks in XML only their signs leave; a setting of anything but logs is nobody's business.
_UNASKED = r"""s/<!--[^>]*-->/~c~/g
s/<!--.*-->/~c~/
s/<!--.*/<!--/
s/^\([^:]*:\).*-->/\1-->/
s/~c~/<!-- -->/g
/\.properties:/{
/:[^=]*[Ll]og/b hpu
/:[^=]*appender/b hpu
/:[^=]*Handler/b hpu
s/=.*/=***/
:hpu
}"""
# A line that names a secret keeps its element and loses its values.
MASKED = "\n".join(
    [
        "s/~[qkl]~//g",
        PIPES,
        _UNASKED,
        _REMARK,
        _ELEMENTS,
        XML,
        FORMS,
        _HOSTS,
        *values_of_short("***"),
        *(
            f'/{word}/{{s/="[^"]*"/="***"/g;s/>[^<]*</>***</g;s/=[^"].*/=***/;s/: .*/: ***/;}}'
            for word in ("[Pp][Aa][Ss][Ss]", "[Ss][Ee][Cc][Rr][Ee]", "[Tt][Oo][Kk][Ee][Nn]")
        ),
        "s#://[^/@[:space:]]*@#://***@#g",
        no_sessions("@O "),
    ]
)
