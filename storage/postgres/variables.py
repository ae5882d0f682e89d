"""libpq's environment variables: taken away for the embedded Postgres, kept for a given URL."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PREFIX = "PG"  # every variable of libpq and of Postgres's programs begins with it
# Those of the options that we set ourselves, or repeat in a message.
OF_OPTION = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


@contextmanager
def without_variables() -> Iterator[None]:
    """Take libpq's variables out of this process, and of its children, until the block ends.

    An argument of a connection cannot replace them: an empty PGSERVICE names a service as well.
    """
    taken = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in taken:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(taken)


def with_variables(options: Mapping[str, object]) -> dict[str, object]:
    """Return a URL's options, with libpq's variables for those that it does not state."""
    given = {
        name: os.environ[variable] for name, variable in OF_OPTION.items() if variable in os.environ
    }
    return {**given, **options}
