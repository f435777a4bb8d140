"""What the plugins rest on: the Python package hostpledge, in the Python that runs Ansible."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleFilterError, AnsibleLookupError
from ansible.plugins.action import ActionBase
from ansible.plugins.lookup import LookupBase

# of this collection, and of the package that it wants
VERSION = "0.1.0"


def lacking(problem: str) -> str:
    """What is wrong and what mends it, on one line, in English and in Chinese."""
    mend = f"{sys.executable} -m pip install hostpledge-{VERSION}-py3-none-any.whl"
    return (
        f"hostpledge.pledge {VERSION} needs the Python package hostpledge {VERSION} where Ansible "
        f"runs, and {problem}: {mend} / "
        f"控制节点上运行 Ansible 的 Python 需要 hostpledge {VERSION}，请执行：{mend}"
    )


def action(module: str, name: str) -> type[Any]:
    """The action `name` of the package, or one that fails with a line that says what is missing."""
    try:
        there = _there(module, name)
        if (version := importlib.import_module("collector").__version__) == VERSION:
            return there
        why = lacking(f"it has {version}")
    except ImportError as problem:
        why = lacking(f"it is not there ({problem})")

    class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
        """Nothing is asked of the host."""

        TRANSFERS_FILES = False
        _supports_check_mode = True
        _requires_connection = False

        def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
            """Ansible's entry."""
            super().run(tmp, dict(task_vars or {}))
            raise AnsibleActionFail(why)

    return ActionModule


def lookup(module: str, name: str) -> type[Any]:
    """The lookup `name` of the package, or one that says what is missing."""
    try:
        return _there(module, name)
    except ImportError as problem:
        why = lacking(f"it is not there ({problem})")

    class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible ships no types
        """Finds nothing."""

        def run(self, terms: Any, variables: Any = None, **options: Any) -> list[Any]:
            """Ansible's entry."""
            del terms, variables, options
            raise AnsibleLookupError(why)

    return LookupModule


def function(module: str, name: str) -> Callable[..., Any]:
    """The function `name` of the package, or one that says what is missing."""
    try:
        return _there(module, name)  # type: ignore[no-any-return]
    except ImportError as problem:
        why = lacking(f"it is not there ({problem})")

    def absent(*words: Any, **options: Any) -> Any:
        del words, options
        raise AnsibleFilterError(why)

    return absent


def _there(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
