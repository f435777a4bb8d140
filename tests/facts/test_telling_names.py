"""What the names of files say of what is in them."""

from __future__ import annotations

import pytest

from collector.facts.data.telling_names import deployed, telling


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (".npmrc", True),
        (".bash_history", True),
        (".env", True),
        (".git", True),
        ("wp-config.php.1", True),
        ("index.php.bak", True),
        ("database.yml", True),
        ("docker-compose.yml", True),
        ("application-prod.yaml", True),
        ("shop.sql", True),
        ("openapi.yaml", False),
        ("plugin.ini", False),
        ("Dockerfile", False),
        (".travis.yml", False),
        ("page.php.twig", False),
    ],
)
def test_of_a_site(name: str, told: bool) -> None:
    assert telling(f"/var/www/html/{name}", "h") is told


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/opt/app/db/migrations/001_init.sql", True),
        ("/opt/app/db/migrate/20240101120000_users.sql", True),
        ("/opt/app/V1.2__orders.sql", True),
        ("/srv/app/schema.sql", True),
        ("/opt/app/sql/create_tables.sql", True),
        ("/opt/app/db/shop.sql", False),
        ("/backup/shop_20240101.sql", False),
        ("/opt/app/install/dump.sql", False),
        ("/opt/app/db/migrations/backup.sql", False),
        ("/opt/app/schema.sql.gz", False),
        ("/data/update_20240101.sql", False),
    ],
)
def test_of_deployed_code(path: str, code: bool) -> None:
    assert deployed(path) is code
