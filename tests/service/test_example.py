"""The service of the examples: pictures are uploaded, made small by jobs, and downloaded."""

import os
import re
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.service.png import PictureError, _chunk, read_header, shrink, write
from programs import Program

MAIN = Path(__file__).parents[2] / "examples" / "service" / "main.py"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The address of the service, which runs as a process of its own on a free port."""
    folder = tmp_path_factory.mktemp("pictures")
    environment = os.environ | {"ROTULUS_URL": f"sqlite:///{folder / 'pictures.db'}"}
    with Program(
        [sys.executable, MAIN, "--port", "0"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        said = re.match(r"Pictures: (http://[\d.:]+)/pictures/$", process.stdout.readline())
        try:
            assert said, process.communicate(timeout=30)[0]
            yield said[1]
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    assert "Interrupt" not in rest


@pytest.fixture
def client(service):
    """Asks the service, once it listens."""
    with httpx.Client(base_url=service, timeout=30) as client:
        yield client


def pixels(png):
    """The rows of a picture of ours, as bytes of red, green and blue."""
    width, height, _ = read_header(png)
    length = int.from_bytes(png[33:37], "big")
    data = zlib.decompress(png[41 : 41 + length])
    rows = [data[at : at + 3 * width + 1] for at in range(0, len(data), 3 * width + 1)]
    assert len(rows) == height
    assert {row[0] for row in rows} == {0}
    return [row[1:] for row in rows]


def halves(width, height):
    """A picture whose left half is red, and whose right half is blue."""
    row = b"\xff\x00\x00" * (width // 2) + b"\x00\x00\xff" * (width // 2)
    return write(width, height, [row] * height)


def upload(client, content, name="halves.png"):
    """Upload a picture; its id."""
    answer = client.post(
        "/api/v1/artifacts",
        params={"filename": name},
        content=content,
        headers={"Content-Type": "image/png"},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def thumbnail(client, picture, **params):
    """Enqueue a job for a picture, wait for its end, and give the job."""
    answer = client.post(
        "/api/v1/tasks/pictures.thumbnail/$enqueue",
        json={"params": {"picture": picture, **params}},
    )
    assert answer.status_code == 202, answer.text
    place = f"/api/v1/jobs/{answer.json()['id']}"
    with client.stream("GET", f"{place}/$stream") as stream:
        told = [line for line in stream.iter_lines() if line.startswith("event: ")]
    assert told[-1] in ("event: completed", "event: failed")
    return client.get(place).json()


def test_a_picture_becomes_a_thumbnail_that_can_be_downloaded(client):
    """By a job, whose stream tells when it has ended."""
    picture = upload(client, halves(400, 300))
    job = thumbnail(client, picture, width=40)
    made = job["result"]["thumbnail"]
    content = client.get(f"/api/v1/artifacts/{made}/$download")

    assert job["state"] == "succeeded"
    assert content.headers["content-type"] == "image/png"
    assert content.content == halves(40, 30)
    tree = client.get(f"/api/v1/artifacts/{picture}/$tree").json()
    assert tree["level_label"] == "picture"
    assert [(c["id"], c["level_label"]) for c in tree["children"]] == [(made, "thumbnail")]


def test_what_is_no_picture_fails_its_job(client):
    """Which says why."""
    job = thumbnail(client, upload(client, b"GIF89a"))

    assert job["state"] == "failed"
    assert ("PictureError", "this is no PNG") == (job["error"]["type"], job["error"]["message"])


def test_the_pages_are_there(client):
    """The gallery with its files, and the page of tasks, which leads to it."""
    gallery = client.get("/pictures/")

    assert gallery.status_code == 200
    for name in re.findall(r'(?:src|href)="([\w.]+)"', gallery.text):
        assert client.get(f"/pictures/{name}").status_code == 200
    landing = client.get("/").text
    assert 'href="pictures/"' in landing
    assert 'data-task="pictures.thumbnail"' in landing
    assert client.get("/health").json()["status"] == "healthy"


def filtered(rows, step, kinds):
    """Rows as PNG packs them, each with its filter."""
    above, packed = bytes(len(rows[0])), b""
    for row, kind in zip(rows, kinds, strict=True):
        packed += bytes([kind])
        for place, value in enumerate(row):
            left = row[place - step] if place >= step else 0
            corner = above[place - step] if place >= step else 0
            up = above[place]
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda one: abs(guess - one))
            packed += bytes([(value - (0, left, up, (left + up) // 2, nearest)[kind]) & 255])
        above = row
    return packed


def png(width, height, colour, data, *, palette=b"", depth=8, interlaced=0):
    """A picture with the header that is told."""
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    made = SIGNATURE + _chunk(b"IHDR", size + bytes([depth, colour, 0, 0, interlaced]))
    made += _chunk(b"PLTE", palette) if palette else b""
    half = len(data) // 2
    return made + _chunk(b"IDAT", data[:half]) + _chunk(b"IDAT", data[half:]) + _chunk(b"IEND", b"")


def small(picture, width=1024):
    """A picture made small, and how far that was said to be."""
    told = []
    return shrink(picture, width, lambda *how: told.append(how)), told


@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.tuples(st.integers(0, 4), st.binary(min_size=3 * width, max_size=3 * width)),
            min_size=1,
            max_size=6,
        )
    )
)
def test_every_filter_is_undone(rows):
    """At its own size a picture comes out as it went in."""
    kinds, rows = [kind for kind, _ in rows], [row for _, row in rows]
    data = zlib.compress(filtered(rows, 3, kinds))
    made, told = small(png(len(rows[0]) // 3, len(rows), 2, data))

    assert pixels(made) == rows
    assert told[-1] == (len(rows), len(rows))


@pytest.mark.parametrize(
    ("colour", "row", "expected"),
    [
        (0, b"\x10\xff", b"\x10\x10\x10\xff\xff\xff"),
        (3, b"\x01\x00", b"\x04\x05\x06\x01\x02\x03"),
        (4, b"\x10\xff\x00\x00", b"\x10\x10\x10\xff\xff\xff"),
        (6, b"\x01\x02\x03\xff\x01\x02\x03\x00", b"\x01\x02\x03\xff\xff\xff"),
    ],
    ids=["grey", "palette", "grey with transparency", "colour with transparency"],
)
def test_every_colour_type_is_read(colour, row, expected):
    """What is transparent lies on white."""
    palette = b"\x01\x02\x03\x04\x05\x06" if colour == 3 else b""
    made, _ = small(png(2, 1, colour, zlib.compress(b"\0" + row), palette=palette))

    assert pixels(made) == [expected]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_a_thumbnail_has_its_size(width, height, wanted):
    """At most the width that was asked for, never more than there was, and at least one row."""
    made, _ = small(write(width, height, [b"\x20\x40\x60" * width] * height), wanted)
    found = read_header(made)

    assert found.width == min(width, wanted)
    assert found.height == max(1, height * found.width // width)
    assert set(pixels(made)) == {b"\x20\x40\x60" * found.width}


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (b"", "no PNG"),
        (SIGNATURE, "no PNG"),
        (png(2, 2, 2, b"", depth=16), "8 bits"),
        (png(2, 2, 2, b"", interlaced=1), "8 bits"),
        (png(0, 2, 2, b""), "or none"),
        (png(2**31, 2**31, 2, b""), "too many"),
        (png(2, 2, 2, b"what is this"), "damaged"),
        (png(2, 2, 2, zlib.compress(bytes(8))), "too early"),
        (png(2, 1, 2, zlib.compress(b"\x09" + bytes(6))), "no filter 9"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_said(picture, told):
    """In words, before memory is taken for it."""
    with pytest.raises(PictureError, match=told):
        small(picture)
