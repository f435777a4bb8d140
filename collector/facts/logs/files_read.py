"""The text that looks into the log files of a host: which to open, and their records' times.

It lists all files with their sizes, chooses by an estimate of cost which it can afford to open and
how far (`log_choose.awk`), and prints nothing of what stands in them but times (`log_times.awk`).
What it left unopened is in its list too. The kinds:

    S read whole    P places spread over it    E beginning and end    U login records (utmp)
    Z unpacked whole    z the beginning unpacked    D wtmpdb    N holds no records    - not opened

Its output:

    @F SIZE MTIME KIND PATH     one file
    @O WORD                     what hindered it: a command that is not there, a newline in a name
    @D BIRTH FOLDER             when a folder was made, epoch seconds
    @P PATH                     what follows is of this file
    @d COUNT OWN FIRST LAST     records of one day that stand together; OWN: does the first of them
                                name this host (1, 0), `-` where it names none
    @b                          between the beginning and the end of a file
    @a ACCEPTED ADDRESS OPENED CLOSED    lines of sshd and PAM in auth.log or secure
    @r                          the recording of one session: only when it began and ended is told
    @u …                        of login records: `2` boot, `1` shutdown, `<` time runs back, and
                                records, logins, logouts, with address, zeroed, first, last
    @e STATE LINES              the end of a file: `.` all of it was seen, `!` it cannot be unpacked
                                or read, `~` more days than are told, nothing: cut off
    @Z                          the end of all files
    @W TIME                     since when wtmpdb holds records
    @w b BOOT SHUTDOWN          a boot and its end, `-` where none is recorded; `@w l` the newest
                                entry, `@w .` counts: logins, logouts, logins with an address
"""

from __future__ import annotations

from collector.facts.base.opened import OPENED
from collector.resources import package_text

# more files than these are not listed: then nothing is said of the host's logs at all
MOST = 10_000
# estimated milliseconds that opening files may take, and the seconds after which no more is opened
_COST, _SECONDS = 2500, 3


def body() -> str:
    """The text with its programs of awk and its numbers in place."""
    text = OPENED + package_text("facts/logs/log_look.sh")
    for name, value in (
        ("CHOOSE_", package_text("facts/logs/log_choose.awk")),
        ("TIMES_", package_text("facts/logs/log_times.awk")),
        ("MOST_", str(MOST)),
        ("COST_", str(_COST)),
        ("SECONDS_", str(_SECONDS)),
    ):
        text = text.replace(name, value)
    return text
