"""Variables that a vault holds one by one: opened at the centre, for `ansible-inventory` does not.

What lies in a vault as a whole file it opens itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.run.ansible.inventory import How

_VAULT = "__ansible_vault"


def opened(inventory: dict[str, Any], how: How) -> dict[str, Any]:
    """The same, with each vaulted value as it is. Raises BadInput where one cannot be opened."""
    if not _holds(inventory):
        return inventory
    decrypt = _decrypting(how)
    found: dict[str, Any] = _opened(inventory, decrypt)
    return found


def _holds(value: Any) -> bool:
    if isinstance(value, dict):
        return _VAULT in value or any(_holds(one) for one in value.values())
    return isinstance(value, list) and any(_holds(one) for one in value)


def _opened(value: Any, decrypt: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_VAULT}:
            return decrypt(str(value[_VAULT]))
        return {name: _opened(one, decrypt) for name, one in value.items()}
    if isinstance(value, list):
        return [_opened(one, decrypt) for one in value]
    return value


def _decrypting(how: How) -> Callable[[str], str]:
    """By the passwords that Ansible itself would take, those of the user's configuration too."""
    from ansible import constants
    from ansible.cli import CLI
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.parsing.vault import VaultLib

    refused = BadInput(
        msg("inventory_holds_variables_ansible"),
        where=", ".join(how.inventory),
        mend=msg("give_right_vault_password"),
    )
    try:
        loader = DataLoader()
        secrets = CLI.setup_vault_secrets(
            loader,
            vault_ids=list(constants.DEFAULT_VAULT_IDENTITY_LIST),
            vault_password_files=list(how.vault_password_files),
            ask_vault_pass=False,
            auto_prompt=False,
        )
    except AnsibleError:
        # what it says of it may quote a file
        raise refused from None
    vault = VaultLib(secrets)

    def decrypt(text: str) -> str:
        try:
            return str(vault.decrypt(text).decode("utf-8", "surrogateescape"))
        except AnsibleError:
            raise refused from None

    return decrypt
