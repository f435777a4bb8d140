"""The options that are handed on to Ansible, and the passwords that it wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.remedies.work import unfilled
from collector.run.ansible.inventory import How, Mesh, asked_by_default

family_option = click.option(
    "--family",
    "families",
    multiple=True,
    metavar="F",
    help=tr("只看这一类核查项（可重复）", "only this family of controls (repeatable)"),
)


_ANSIBLE: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-l", "--limit"), {"default": "", "help": tr("只查这些主机", "only these hosts")}),
    (("-u", "--user"), {"default": "", "help": tr("登录用户", "user to log in as")}),
    (("-b", "--become"), {"is_flag": True, "help": tr("提升为 root", "become root")}),
    (("-k", "--ask-pass"), {"is_flag": True, "help": tr("询问登录口令", "ask for the password")}),
    (
        ("-K", "--ask-become-pass"),
        {"is_flag": True, "help": tr("询问提权口令", "ask for the become password")},
    ),
    (
        ("--private-key",),
        {"default": "", "metavar": "FILE", "help": tr("SSH 私钥", "SSH private key")},
    ),
    (
        ("--vault-password-file",),
        {
            "multiple": True,
            "metavar": "FILE",
            "help": tr("Ansible Vault 口令文件", "password file of Ansible Vault"),
        },
    ),
    (
        ("-e", "--extra-vars"),
        {"multiple": True, "metavar": "VARS", "help": tr("附加变量", "extra variables")},
    ),
    (
        ("-f", "--forks"),
        {
            "type": click.IntRange(1, 500),
            "default": 50,
            "show_default": True,
            "help": tr("同时查几台主机", "hosts at a time"),
        },
    ),
    (
        ("--seconds",),
        {
            "type": click.IntRange(5, 86_400),
            "default": 300,
            "show_default": True,
            "help": tr(
                "每台主机的时限；整改时也是每一步的时限（不指定则一步 1800 秒）",
                "seconds one host may take to be looked at, and each step of hardening (1800 there "
                "where this is not given)",
            ),
        },
    ),
)


def ansible_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that are handed on to Ansible, under Ansible's own names."""
    for names, how in reversed(_ANSIBLE):
        command = click.option(*names, **how)(command)
    return command


def how_of(inventory: tuple[str, ...], given: dict[str, Any], mesh: Mesh | None = None) -> How:
    """The Ansible options as one value; asks for passwords where that was wanted.

    Downloads and first scans take longer than a look: only who says `--seconds` limits them by it.
    """
    login, become = _asked(*asked_by_default(), given)
    return How(
        inventory=inventory,
        limit=given["limit"],
        user=given["user"],
        become=given["become"],
        ask_pass=login,
        ask_become_pass=become,
        vault_password_files=given["vault_password_file"],
        private_key=given["private_key"],
        extra_vars=_filled_in(given["extra_vars"]),
        forks=given["forks"],
        seconds=given["seconds"],
        step_seconds=given["seconds"] if _said("seconds") else How.step_seconds,
        mesh=mesh,
    )


def _filled_in(variables: tuple[str, ...]) -> tuple[str, ...]:
    """Raises BadInput where a command of a report was typed as it stands, capitals and all."""
    for one in variables:
        if word := unfilled(one):
            raise BadInput(
                msg("word_not_filled_in", word=word), where="-e", mend=msg("put_your_own_in_place")
            )
    return variables


def _asked(login: bool, become: bool, given: dict[str, Any]) -> tuple[str, str]:
    """The passwords, as Ansible asks for them: where both are, an empty one is the same again."""
    first = second = ""
    if login or given["ask_pass"]:
        first = click.prompt(tr("SSH 口令", "SSH password"), hide_input=True, err=True)
    if become or given["ask_become_pass"]:
        text = tr("提权口令", "become password")
        if first:
            text += tr("（留空则同上）", " (empty: the same)")
        default = "" if first else None
        second = click.prompt(text, default, hide_input=True, show_default=False, err=True)
    return first, second or (first if become or given["ask_become_pass"] else "")


def _said(option: str) -> bool:
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(option) if context else None
    return source is not None and source is not click.core.ParameterSource.DEFAULT
