"""Copies of copies: a dump that another job takes into its repository is kept there, too."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.backup.coverage import Cover
from collector.facts.backup.job_artefacts import left_by
from collector.model import Facts


def with_copies(facts: Facts, known: Cover) -> tuple[BackupJob, ...]:
    """The jobs that surely take the store, and those that surely take the files they leave.

    Raises FactError.
    """
    every = facts.get(all_jobs)
    found = dict.fromkeys(known.sure)
    others = [j for j in dict.fromkeys(every) if j.job.enabled and j not in found]
    for job in known.sure:
        left = left_by(facts, job)
        folders = {a.path.rpartition("/")[0] for a in left if not a.repository}
        found |= dict.fromkeys(filter(partial(_takes, known, folders), others))
    return tuple(found)


def _takes(known: Cover, folders: set[str], job: BackupJob) -> bool:
    """Does it take all of the folders?"""
    return bool(folders) and all(
        job.covers(replace(known.store, kind="path", path=f, engine=""), f) == "yes"
        for f in folders
    )
