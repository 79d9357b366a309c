"""One header of a request, looked up quickly, also when it is missing.

`request.headers.get(...)` raises and catches an error for each header that is not there.
"""

from starlette.requests import HTTPConnection


def header(connection: HTTPConnection, name: bytes) -> str | None:
    """Returns the value of a header, the first of several; None when there is none.

    Args:
        connection: the request.
        name: the name of the header, in small letters.
    """
    for found, value in connection.scope["headers"]:
        if found == name:
            text: str = value.decode("latin-1")
            return text
    return None
