"""Requests that do their worst, drawn from random numbers: bodies, headers, paths, queries."""

import json
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from service.rich import NAMES

ID = "01234567-89ab-cdef-0123-456789abcdef"

PARAMS = {
    "add": {"a": 1, "b": 2},
    "order": {
        "order": {"number": 1, "lines": {"a": 1.5}, "pet": {"kind": "cat"}, "parts": []},
        "colour": "blue",
        "places": [{"x": 1.5}],
    },
    "moment": {
        "at": "2026-11-20T08:00:00Z",
        "day": "2026-11-20",
        "length": "PT1S",
        "of": ID,
    },
    "anything": {"value": {"a": [1, "b", None]}},
}

BODIES = {
    "$backfill": {"since": "1d", "until": None, "dry_run": True},
    "$replay": {"step": "", "context": {"a": 1}},
    "$skip": {"step": "", "dry_run": True},
    "$add": {"task": "none", "params": [{}], "options": {"priority": 1, "delay": 5}},
    "$reprioritise": {"priority": 1},
    "$retry": {"dry_run": True},
    "$delete": {"dry_run": True, "ids": [ID]},
    "/schedules": {
        "name": "add", "task": "add", "cron": "* * * * *", "timezone": "UTC", "missed": "all(3)",
        "arguments": {"a": 1}, "start": "2026-11-20T08:00:00Z", "end": None, "spread": 1.5,
    },
    "/tokens": {"name": "add", "role": "nobody"},  # with a token, all others would be refused
    "/webhooks": {"name": "add", "url": "https://93.184.216.34/", "events": ["job.failed"]},
    "/groups": {"name": "add", "then": "anything"},
}  # fmt: skip
"""The bodies of what is steered, by the ends of paths, or a step in them."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "\xff"]

WORST_VALUES = [
    None, True, 0, -1, 1.5, 1e308, 10**30, -(10**400), 2**63, 2**64, "", "\0", "a\0b", "\ud800",
    "\u202e", "x" * 5_000, [], [[]], {}, {"": {}}, {"$ref": "#"}, {"kind": "cow"}, [None] * 50,
    "__proto__", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "P9999999999D", "NaN", "1e9999",
]  # fmt: skip

WORST_TEXTS = [
    b"", b"{", b"[" * 70, b"[" * 100_000, b'{"a":' * 70, b"nul", b"NaN", b'{"params": NaN}',
    b"\xff\xfe", b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b'{"params": {"a": 1e999}}',
    b'{"params": {"a": 1, "a": 2}}', b'{"params": {"a": ' + b"9" * 5_000 + b"}}",
    b'{"params": {"a": "\\ud800"}}', b'{"params": {"a": "\\u0000"}}', b'"' + b"\\" * 999,
    b'{"params": {}} {}', b"\0", b" " * 1_100_000, b"1" * 1_000_000, b"a=1&b=2", b"<a/>",
]  # fmt: skip

WORST_HEADERS = [
    (b"content-type", [
        b"", b"text/plain", b"application/json; charset=latin-1", b"application/json;",
        b"multipart/form-data", b"application/json\xff", b"a/b/c", b"APPLICATION/JSON", b";;;",
        b"application/x-www-form-urlencoded", b"image/png", b"application/json" + b"; a=b" * 900,
    ]),
    (b"content-length", [b"0", b"-1", b"1e9", b"9" * 400, b"", b"1, 2", "²".encode(), b"5"]),
    (b"content-encoding", [b"gzip", b"br, gzip", b"", b"\xff", b"identity"]),
    (b"transfer-encoding", [b"chunked", b"gzip", b"\xfe"]),
    (b"idempotency-key", [
        b"", b'"', b'"a"', b"a, b", b"x" * 300, b"\xff\xfe", b'"\\"', b"a;b=c", b"k", b" ", b"'",
    ]),
    (b"prefer", [
        b"wait=0", b"wait=-1", b"wait=nan", b"respond-async", b"wait=" + b"9" * 900, b",,;=",
        b"wait=\xb2", b'wait="', b"wait=1.5", b"return=minimal" * 200,
    ]),
    (b"host", [
        b"", b"[", b"[::1", b"evil.example", b"localhost:99999999", b"\xff", b"127.0.0.1:a", b"]",
        b"testserver", b"testserver\0", b"localhost,localhost",
    ]),
    (b"origin", [
        b"null", b"http://[", b"http://testserver", b"\xff", b"http://a:b:c", b"://", b"http://[::1",
        "http://\u24d4xample\u2100.com".encode(), b"//",
    ]),
    (b"referer", [b"http://[", b"\xff"]),
    (b"sec-fetch-site", [b"cross-site", b"same-origin", b"none", b"", b"\xff", b"same-site"]),
    (b"authorization", [b"", b"Bearer", b"Bearer \xff", b"Basic !!!", b"Basic /w==", b"x" * 9_000]),
    (b"if-match", [b"*", b'"1"', b'W/"1"', b"1", b"\xff", b'"1", ' * 500, b""]),
    (b"if-none-match", [b"*", b'W/"', b"\xff", b'"a", ' * 500, b""]),
    (b"last-event-id", [b"-1", b"\xff", b"9" * 99]),
    (b"cookie", [b"a=b; c", b"=", b"\xff=\xfe", b"a=" + b"x" * 9_000]),
    (b"accept", [b"", b"text/html", b"*/*;q=2", b"\xff"]),
    (b"range", [b"bytes=0-0", b"bytes=-", b"items=\xff"]),
    (b"x-request-id", [b"", b"\xff", b"a\rb", b"x" * 9_000]),
    (b"x-forwarded-for", [b"1.2.3.4"]),
    (b"x-forwarded-prefix", [b"/\xff", b"//evil.example"]),
    (b"expect", [b"100-continue", b"\xff"]),
    (b"upgrade", [b"websocket", b"h2c"]),
    (b"x-http-method-override", [b"DELETE"]),
    (b"\xff\xfe", [b"a"]),
    (b"", [b"a"]),
]  # fmt: skip

PAGED = [
    b"/api/v1/jobs", b"/api/v1/artifacts", b"/api/v1/schedules", b"/api/v1/runs",
    b"/api/v1/audit", b"/api/v1/webhooks/$deliveries",
    b"/api/v1/runs/" + ID.encode() + b"/$steps", b"/api/v1/jobs/" + ID.encode() + b"/$logs",
]  # fmt: skip

WORST_STEPS = [
    b"", b"\0", b"\xff", b"\xc0\xaf", b"..", b".", b"%", b"$", b"$execute", b"$stream", b"$schema",
    b"a" * 3_000, b"none", b"add%00", b"-1", b"0", ID.encode(), ID.upper().encode(), b"{name}",
    b"add/", "\uff41dd".encode(), b"add?", b"add;x=1", b"*", b"'", b"\xed\xa0\x80", b"\r\n",
]  # fmt: skip

WORST_QUERIES = [
    b"", b"&", b"=", b"%", b"%zz", b"a=%ff", b"limit=0", b"limit=-1", b"limit=501", b"limit=1e3",
    b"limit=" + b"9" * 5_000, b"limit=", b"limit=1&limit=2", b"limit=\xff", b"after=", b"after=%00",
    b"after=AAAA", b"after=%ff", b"after=" + b"A" * 4_000, b"after=====", "after=é".encode(),
    b"state=", b"state=nosuch", b"state=queued&state=running", b"state=%00", b"status_filter=x",
    b"status_filter=running", b"task=%00", b"task=%ff", b"queue=%00", b"queue=%ed%a0%80",
    b"queue=" + b"q" * 5_000, b"level=-1", b"level=99999999999999999999", b"level=x",
    b"parent_id=%00", b"parent_id=x", b"parent_id=" + ID.encode(), b"depth=-1", b"depth=x",
    b"depth=" + b"9" * 400, b"data=maybe", b"recursive=2", b"recursive=1", b"poll_interval=nan",
    b"poll_interval=inf", b"poll_interval=-1", b"poll_interval=1e400", b"filename=%00",
    b"filename=" + b"f" * 300, b"filename=%ed%a0%80", b"filename=..%2f..%2fa", b"tag=%00", b"tag=",
    b"since=0001-01-01T00:00Z", b"since=9999-12-31T23:59Z", b"since=-1", b"until=x", b"count=0",
    b"since=" + b"9" * 400 + b"d", b"after=0001-01-01T00:00:00%2B14:00", b"within=%00", b"seconds=nan",
    b"label.a=b", b"args.a=1", b"args.=1", b"args." + b"a." * 50 + b"=1", b"label=%00=1", b"step=%ff",
    b"group=%00", b"fingerprint=x", b"metric=ran_max", b"step=1e-9", b"by=queue", b"slots=0",
    b"&".join(b"a%d=" % number for number in range(2_000)), b"limit[]=1", b"q=%", b";;",
]  # fmt: skip


class Sent(NamedTuple):
    """A request as a server gets it.

    Attributes:
        method: its method.
        path: its path, not encoded.
        query: as it is sent.
        headers: names and values.
        body: its body.
        whole: whether the client has sent all of it.
    """

    method: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    whole: bool = True

    @property
    def encoded_path(self):
        """The path as it is sent."""
        return quote_from_bytes(self.path, safe="/$%;?*{}'")


class Malformed:
    """Draws requests.

    Args:
        random: random numbers.
        known: what there is to be found: ids of jobs and artifacts, and cursors.
    """

    def __init__(self, random, jobs, artifacts, cursors):
        self._random = random
        self._jobs, self._artifacts, self._cursors = jobs, artifacts, cursors

    def draw(self):
        """A request that was one that fits, before one to four things became others."""
        sent = self._usual()
        for _ in range(self._random.randint(1, 4)):
            spoil = self._random.choice(
                [self._body, self._body, self._header, self._header, self._path, self._query,
                 self._cursor, self._method]
            )  # fmt: skip
            sent = spoil(sent)
        return sent._replace(whole=self._random.random() > 0.03)

    def _usual(self):
        choose = self._random.choice
        name, job, artifact = choose(NAMES), choose(self._jobs), choose(self._artifacts)
        method, path = choose([
            *[("POST", f"/api/v1/tasks/{name}/$execute")] * 6,
            *[("POST", f"/api/v1/tasks/{name}/$enqueue")] * 6,
            ("GET", "/api/v1/tasks"), ("GET", f"/api/v1/tasks/{name}"),
            *[("GET", "/api/v1/jobs")] * 3, ("GET", f"/api/v1/jobs/{job}"),
            ("DELETE", f"/api/v1/jobs/{job}"), ("POST", f"/api/v1/jobs/{job}/$cancel"),
            ("POST", f"/api/v1/jobs/{job}/$retry"), ("GET", f"/api/v1/jobs/{job}/$stream"),
            *[("GET", "/api/v1/artifacts")] * 3, *[("POST", "/api/v1/artifacts")] * 4,
            ("GET", f"/api/v1/artifacts/{artifact}"), ("DELETE", f"/api/v1/artifacts/{artifact}"),
            ("GET", f"/api/v1/artifacts/{artifact}/$expand"),
            ("GET", f"/api/v1/artifacts/{artifact}/$tree"),
            ("GET", f"/api/v1/artifacts/{artifact}/$metadata"),
            ("GET", f"/api/v1/artifacts/{artifact}/$download"),
            *self._resources(name, job),
            ("GET", "/"), ("GET", "/health"), ("GET", "/metrics"), ("GET", "/api/v1/system"),
            ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/nowhere"),
        ])  # fmt: skip
        body, query = b"", b""
        headers = [(b"host", b"testserver")]
        if method in ("POST", "PATCH"):
            body = json.dumps(self._told(path, name)).encode()
            headers += [(b"content-type", b"application/json")]
        if path.endswith("/changes"):
            query = b"seconds=0.01"  # it would not end
        return Sent(method, path.encode(), query, headers, body)

    def _resources(self, name, job):
        """Requests for what is steered: three of all there are."""
        print_ = "0123456789ab"
        every = [
            ("GET", "/api/v1/schedules"), ("POST", "/api/v1/schedules"),
            ("GET", f"/api/v1/schedules/{name}"), ("PATCH", f"/api/v1/schedules/{name}"),
            ("DELETE", f"/api/v1/schedules/{name}"), ("GET", f"/api/v1/schedules/{name}/$instants"),
            ("POST", f"/api/v1/schedules/{name}/$backfill"),
            ("POST", f"/api/v1/schedules/{name}/$pause"), ("POST", f"/api/v1/schedules/{name}/$run"),
            ("GET", "/api/v1/failures"), ("GET", f"/api/v1/failures/{print_}"),
            ("POST", f"/api/v1/failures/{print_}/$retry"),
            ("POST", f"/api/v1/failures/{print_}/$delete"),
            ("GET", "/api/v1/runs"), ("GET", f"/api/v1/runs/{job}"),
            ("GET", f"/api/v1/runs/{job}/$steps"), ("GET", f"/api/v1/runs/{job}/$graph"),
            ("GET", f"/api/v1/runs/{job}/$timeline"), ("POST", f"/api/v1/runs/{job}/$cancel"),
            ("POST", f"/api/v1/runs/{job}/$replay"), ("POST", f"/api/v1/runs/{job}/$pause"),
            ("POST", f"/api/v1/runs/{job}/$skip"),
            ("POST", "/api/v1/groups"), ("GET", f"/api/v1/groups/{name}"),
            ("POST", f"/api/v1/groups/{name}/$add"), ("POST", f"/api/v1/groups/{name}/$close"),
            ("GET", "/api/v1/jobs/$count"), ("GET", f"/api/v1/jobs/{job}/$logs"),
            ("GET", "/api/v1/jobs/$count_by"),
            ("GET", f"/api/v1/jobs/{job}/$result"), ("POST", "/api/v1/jobs/$retry"),
            ("POST", "/api/v1/jobs/$delete"), ("POST", f"/api/v1/jobs/{job}/$reprioritise"),
            ("GET", "/api/v1/changes"), ("GET", "/api/v1/queues"), ("GET", "/api/v1/queues/default"),
            ("POST", "/api/v1/queues/default/$pause"), ("POST", "/api/v1/queues/default/$resume"),
            ("GET", "/api/v1/demand"), ("GET", "/api/v1/workers"), ("GET", "/api/v1/stats/series"),
            ("GET", "/api/v1/stats/totals"), ("GET", "/api/v1/me"), ("GET", "/api/v1/audit"),
            ("PATCH", f"/api/v1/jobs/{job}"), ("GET", "/api/v1/tokens"), ("POST", "/api/v1/tokens"),
            ("GET", f"/api/v1/tokens/{name}"), ("DELETE", f"/api/v1/tokens/{name}"),
            ("GET", "/api/v1/webhooks"), ("POST", "/api/v1/webhooks"),
            ("GET", f"/api/v1/webhooks/{name}"), ("PATCH", f"/api/v1/webhooks/{name}"),
            ("DELETE", f"/api/v1/webhooks/{name}"), ("POST", f"/api/v1/webhooks/{name}/$pause"),
            ("POST", f"/api/v1/webhooks/{name}/$rotate"), ("POST", f"/api/v1/webhooks/{name}/$test"),
            ("GET", "/api/v1/webhooks/$deliveries"),
            ("POST", f"/api/v1/webhooks/$deliveries/{job}/$replay"),
        ]  # fmt: skip
        return self._random.choices(every, k=20)

    def _told(self, path, name):
        if path.endswith("/artifacts"):
            return {"data": {"rows": 3}, "metadata": {"day": "2026-11-20"}}
        for end, body in BODIES.items():
            if path.endswith(end) or (f"{end}/" in f"{path}/" and end.startswith("/")):
                return body
        told = {"params": PARAMS.get(name, {})}
        if path.endswith("$enqueue"):
            told["options"] = {"priority": 1}
        return told

    def _body(self, sent):
        choose = self._random.choice
        how = self._random.random()
        if how < 0.25:
            return sent._replace(body=choose(WORST_TEXTS))
        if how < 0.4:
            return sent._replace(body=sent.body[: self._random.randint(0, len(sent.body))])
        if how < 0.5:
            return sent._replace(body=self._random.randbytes(self._random.randint(0, 300)))
        if how < 0.6 and sent.body:
            spoilt = bytearray(sent.body)
            spoilt[self._random.randrange(len(spoilt))] = self._random.randrange(256)
            return sent._replace(body=bytes(spoilt))
        try:
            value = json.loads(sent.body)
        except (ValueError, RecursionError):
            value = {}
        return sent._replace(body=json.dumps(self._spoilt(value)).encode())

    def _spoilt(self, value, depth=0):
        """A JSON value with one within it replaced, taken away or added."""
        choose = self._random.choice
        if isinstance(value, dict) and (depth == 0 or self._random.random() < 0.8):
            name = choose([*value, "params", "options", "id", "parent_id", "media_type", "x\0",
                           "key", "queue", "at", "delay", "expires", "priority", "cron", "every",
                           "start", "end", "spread", "arguments", "since", "dry_run", "ids", "limit",
                           "context", "step", "then", "url", "events", "role", "secret", "task", "name", "labels"])  # fmt: skip
            if name in value and self._random.random() < 0.7:
                return value | {name: self._spoilt(value[name], depth + 1)}
            if self._random.random() < 0.2:
                return {key: one for key, one in value.items() if key != name}
            return value | {name: choose(WORST_VALUES)}
        if isinstance(value, list) and value and self._random.random() < 0.7:
            return [self._spoilt(value[0], depth + 1), *value[1:]]
        return choose(WORST_VALUES)

    def _header(self, sent):
        name, values = self._random.choice(WORST_HEADERS)
        value = self._random.choice([*values, self._random.randbytes(20)])
        kept = sent.headers
        if self._random.random() < 0.7:
            kept = [header for header in kept if header[0] != name]
        return sent._replace(headers=[*kept, (name, value)])

    def _path(self, sent):
        steps = sent.path.split(b"/")
        step = self._random.choice([*WORST_STEPS, self._random.randbytes(9)])
        place = self._random.randrange(1, len(steps) + 1)
        if self._random.random() < 0.3:
            steps.insert(place, step)
        else:
            steps[place : place + 1] = [step]
        return sent._replace(path=b"/".join(steps))

    def _query(self, sent):
        choose = self._random.choice
        more = [choose(WORST_QUERIES) for _ in range(self._random.randint(1, 3))]
        return sent._replace(query=b"&".join([part for part in (sent.query, *more) if part]))

    def _cursor(self, sent):
        cursor = bytearray(self._random.choice(self._cursors).encode())
        how = self._random.random()
        if how < 0.4:
            cursor[self._random.randrange(len(cursor))] = self._random.randrange(256)
        elif how < 0.7:
            cursor = cursor[: self._random.randrange(len(cursor))]
        elif how < 0.9:
            cursor += self._random.randbytes(4)
        path = self._random.choice(PAGED)
        query = b"after=" + quote_from_bytes(bytes(cursor)).encode()
        return sent._replace(method="GET", path=path, query=query)

    def _method(self, sent):
        return sent._replace(method=self._random.choice(METHODS))
