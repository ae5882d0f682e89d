"""docker-compose.yml does as the README says, and holds no secret."""

import re
from pathlib import Path

import pytest
import yaml

from search.parser import build_parser

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SEARCHES = ["search", "search-gpu"]


def filled(word: str) -> str:
    """Put a variable's default where compose would."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word)


def test_plain_up_starts_the_postgres_of_the_readme_and_nothing_else() -> None:
    unprofiled = [name for name, service in SERVICES.items() if "profiles" not in service]

    assert unprofiled == ["postgres"]
    assert "docker compose up -d postgres" in (ROOT / "README.md").read_text()
    environment = SERVICES["postgres"]["environment"]
    assert environment["POSTGRES_USER"] == environment["POSTGRES_DB"] == "search"


def test_every_port_is_on_the_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_password_is_written_down() -> None:
    passwords = [
        value
        for service in SERVICES.values()
        for name, value in service["environment"].items()
        if "PASSWORD" in name
    ]

    assert len(passwords) == len(SERVICES)
    assert all(password.startswith("${POSTGRES_PASSWORD:?") for password in passwords)
    assert not re.search(r"//\w+:[^@\s]*@", TEXT)


def test_what_must_survive_lies_in_named_volumes() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service["volumes"]]

    assert "postgres:/var/lib/postgresql" in mounts
    assert "home:/home/search/.search" in mounts
    assert set(COMPOSE["volumes"]) == {"postgres", "home"}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_waits_for_postgres_and_types_a_command_that_exists(name: str) -> None:
    service = SERVICES[name]
    arguments = build_parser().parse_args([filled(word) for word in service["command"]])

    assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert (arguments.study, arguments.workers) == ("digits", 2)


def test_the_image_is_built_from_the_files_that_are_not_ignored() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    let_through = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert sorted(" ".join(copied).split()) == sorted(let_through)
    assert all((ROOT / name).exists() for name in let_through)
