"""A gRPC server with plain functions of Google's published messages as its methods."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import grpc

from rotulus.pubsub.fake.requests import Refused

_THREADS = 16
_OF_ANY_SIZE = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class Method(NamedTuple):
    """A method of a service: its function, and the types of its request and answer."""

    call: Callable[[Any], Any]
    takes: Any
    gives: Any


class GrpcServer:
    """Serves services on a free port of loopback, from `start` to `close`.

    Args:
        services: the methods of each service, by the full name of the service and of the method.
    """

    def __init__(self, services: dict[str, dict[str, Method]]) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "fake-grpc")
        self._server: Any = grpc.server(
            self._threads, handlers=list(_handlers(services)), options=_OF_ANY_SIZE
        )
        self.port = int(self._server.add_insecure_port("127.0.0.1:0"))

    def start(self) -> None:
        """Answer calls from now on."""
        self._server.start()

    def close(self) -> None:
        """Answer no more calls; open calls are cut off."""
        self._server.stop(None).wait()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _handlers(services: dict[str, dict[str, Method]]) -> Iterable[Any]:
    for name, methods in services.items():
        known = {word: _handler(method) for word, method in methods.items()}
        yield grpc.method_handlers_generic_handler(name, known)


def _handler(method: Method) -> Any:
    def answer(request: Any, context: Any) -> Any:
        try:
            return method.call(request)
        except Refused as refused:
            context.abort(refused.code, refused.text)

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=method.takes.deserialize,
        response_serializer=_serialize(method.gives),
    )


def _serialize(kind: Any) -> Callable[[Any], bytes]:
    if hasattr(kind, "serialize"):
        return kind.serialize
    return kind.SerializeToString
