"""Where a PostgreSQL store is: its URL, as the driver and we need it."""

from typing import NamedTuple
from urllib.parse import quote, urlencode, urlunsplit

from rotulus._text.postgres_urls import DEADLINE, read_postgres_url
from rotulus._text.urls import without_password
from rotulus.errors import OptionError


class Address(NamedTuple):
    """A URL, taken apart.

    Attributes:
        conninfo: what the driver connects with.
        shown: the URL without its password.
        schema: the schema of the tables; None: the first one of the connection's search path.
        listen: whether connections last, and so can listen, prepare statements, and keep
            settings. False behind a transaction pooler.
        deadline: seconds for one call.
    """

    conninfo: str
    shown: str
    schema: str | None
    listen: bool
    deadline: float = DEADLINE

    @property
    def channel(self) -> str:
        """The channel on which new work is told."""
        return f"rotulus_{self.schema}" if self.schema else "rotulus"


def read_address(url: str) -> Address:
    """Take a URL apart: `postgresql://user@host/database?schema=jobs&listen=false&sslmode=require`.

    Raises:
        OptionError: `schema`, `listen` or `deadline` has a value that is not allowed, or a
            character in the user or the password is not escaped.
    """
    try:
        read = read_postgres_url(url)
    except ValueError as error:
        raise OptionError(
            f"The store URL {without_password(url)} cannot be read: {error}"
        ) from None
    plain = read.parts._replace(query=urlencode(read.rest, quote_via=quote))  # libpq knows no +
    return Address(
        urlunsplit(plain._replace(scheme="postgresql")),
        without_password(urlunsplit(plain._replace(query=urlencode(read.ours)))),
        read.schema,
        read.listen,
        read.deadline,
    )
