"""Downloads from a server of our own on the loopback address; nothing here needs a network."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import logging
import random
import re
import shutil
import socket
import ssl
import threading
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ontologies.errors import OntologyError
from ontologies.fetching.errors import (
    DownloadError,
    MissingError,
    RefusedError,
    UnreachableError,
)
from ontologies.fetching.fetched import fetch_file
from ontologies.fetching.mesh import fetch_mesh, plan_mesh
from ontologies.fetching.source import Manner, Source
from ontologies.fetching.umls import UMLS_URL, fetch_umls, plan_umls

YEAR = date.today().year
KEY = "1b2c3d4e-0000-1111-2222-333344445555"
LATEST = f"/MESH_FILES/xmlmesh/desc{YEAR}.gz"
PAGE = b"<!DOCTYPE html><html><body>No such file.</body></html>"
QUICK = Manner(retries=3, pause_seconds=0)


class Site(ThreadingHTTPServer):
    """Files, how the next requests are answered, and what was asked.

    A turn is a word: ``ok``, ``half`` (sends half of what is asked for, then hangs up), ``stall``
    (sends half, then nothing), ``page``, a status such as ``500``, ``no-range``, ``no-if-range``,
    ``no-length``, ``to:URL`` (redirects), ``wrong-range``.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.etags: dict[str, str | None] = {}
        self.turns: list[str] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.released = threading.Event()
        self.base = f"http://127.0.0.1:{self.server_port}"

    def gets(self) -> list[str]:
        return [path for method, path, _ in self.asked if method == "GET"]

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        site = self.server
        site.asked.append((self.command, self.path, dict(self.headers)))
        turn = site.turns.pop(0) if site.turns else "ok"
        parts = urlsplit(self.path)
        name = parse_qs(parts.query).get("url", [parts.path])[0]
        if turn.isdecimal():
            self._send(int(turn), {"Content-Length": "0"}, b"")
            return
        if turn.startswith("to:"):
            self._send(302, {"Location": turn[3:], "Content-Length": "0"}, b"")
            return
        content = site.files.get(name)
        if turn == "page" or content is None:
            status = 200 if turn == "page" else 404
            headers = {"Content-Type": "text/html", "Content-Length": str(len(PAGE))}
            self._send(status, headers, PAGE if with_body else b"")
            return
        self._send_file(turn, content, site.etags.get(name, '"one"'), with_body=with_body)

    def _send_file(self, turn: str, content: bytes, etag: str | None, *, with_body: bool) -> None:
        headers = {"Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"}
        if etag:
            headers["ETag"] = etag
        status, start = 200, 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        known = self.headers.get("If-Range")
        same = known in (None, etag, headers["Last-Modified"]) or turn == "no-if-range"
        if asked and same and turn != "no-range":
            status, start = 206, int(asked[1])
            if start >= len(content):
                self._send(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
                return
            first = start + 1 if turn == "wrong-range" else start
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        if turn == "no-length":
            self.close_connection = True
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = str(len(body))
        if turn in ("half", "stall"):
            self._send(status, headers, body[: len(body) // 2])
            if turn == "stall":
                self.server.released.wait(10)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(status, headers, body if with_body else b"")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status == 416:
            self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Site]:
    site = Site()
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        site.socket = context.wrap_socket(site.socket, server_side=True)
        site.base = site.base.replace("http:", "https:")
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.released.set()
        site.shutdown()
        thread.join()
        site.server_close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for the loopback address, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "charthouse tests")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(plain + signed.public_bytes(pem))
    return path


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    """No proxy, and one trusted certificate, which is also quicker than loading a bundle."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as server:
        yield server


def noise(seed: int, size: int = 300_000) -> bytes:
    """Bytes that no compression makes smaller: a file is several chunks long."""
    return random.Random(seed).randbytes(size)


def gz(seed: int = 0, size: int = 300_000) -> bytes:
    return gzip.compress(noise(seed, size), mtime=0)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def ranges(site: Site) -> list[str | None]:
    return [headers.get("Range") for method, _, headers in site.asked if method == "GET"]


def test_a_file_comes_whole_and_recorded(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = content = gz()
    seen: list[tuple[str, int, int | None]] = []
    manner = Manner(progress=lambda *told: seen.append(told))
    got = fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=manner)
    assert (tmp_path / "x.gz").read_bytes() == content
    assert got.new and got.sha256 == hashlib.sha256(content).hexdigest()
    assert got.size == len(content)
    assert json.loads((tmp_path / "x.gz.fetched.json").read_text()) == {
        "url": f"{site.base}/x.gz",
        "sha256": got.sha256,
        "size": len(content),
        "last_modified": "Mon, 05 Jan 2026 10:00:00 GMT",
        "fetched_at": got.fetched_at,
    }
    assert names(tmp_path) == ["x.gz", "x.gz.fetched.json"]
    coming = [done for what, done, _ in seen if what == "x.gz"]
    assert coming == sorted(coming) and coming[-1] == len(content)
    assert {total for _, _, total in seen} == {len(content)}


@pytest.mark.parametrize("etag", ['"one"', 'W/"weak"', None])
def test_a_drop_in_the_middle_resumes(site: Site, tmp_path: Path, etag: str | None) -> None:
    site.files["/x.gz"] = content = gz()
    site.etags["/x.gz"] = etag
    site.turns = ["half", "half", "ok"]
    notes: list[str] = []
    manner = Manner(retries=1, pause_seconds=0, note=notes.append)
    fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=manner)
    assert (tmp_path / "x.gz").read_bytes() == content
    first, second, third = ranges(site)
    assert first is None and second and third and second != third
    known = {headers.get("If-Range") for _, _, headers in site.asked[1:]}
    assert known == {'"one"' if etag == '"one"' else "Mon, 05 Jan 2026 10:00:00 GMT"}
    assert len(notes) == 2 and "the connection broke at byte" in notes[0]


def test_a_later_call_resumes(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = content = gz()
    source, target = Source(f"{site.base}/x.gz"), tmp_path / "x.gz"
    site.turns = ["half"]
    with pytest.raises(DownloadError, match=r"the connection broke, 1 times in a row.*are kept"):
        fetch_file(source, target, manner=Manner(retries=0))
    assert names(tmp_path) == ["x.gz.part", "x.gz.part.json"]
    half = (tmp_path / "x.gz.part").stat().st_size
    assert half > 0
    fetch_file(source, target)
    assert ranges(site) == [None, f"bytes={half}-"]
    assert target.read_bytes() == content
    assert names(tmp_path) == ["x.gz", "x.gz.fetched.json"]


@pytest.mark.parametrize("turn", ["no-range", "wrong-range", "ok"])
def test_another_file_at_the_server_starts_afresh(site: Site, tmp_path: Path, turn: str) -> None:
    site.files["/x.gz"] = gz()
    source, target = Source(f"{site.base}/x.gz"), tmp_path / "x.gz"
    site.turns = ["half"]
    with pytest.raises(DownloadError):
        fetch_file(source, target, manner=Manner(retries=0))
    if turn == "ok":
        site.files["/x.gz"], site.etags["/x.gz"] = gz(1), '"two"'
    site.turns = [turn]
    fetch_file(source, target, manner=QUICK)
    assert target.read_bytes() == site.files["/x.gz"]


@pytest.mark.parametrize("size", [300_000, 310_000])
def test_a_range_of_another_file_is_not_joined(site: Site, tmp_path: Path, size: int) -> None:
    """Servers there are that send a range though the file changed."""
    site.files["/x.gz"] = gz()
    source, target = Source(f"{site.base}/x.gz"), tmp_path / "x.gz"
    site.turns = ["half"]
    with pytest.raises(DownloadError):
        fetch_file(source, target, manner=Manner(retries=0))
    site.files["/x.gz"], site.etags["/x.gz"] = gz(1, size), '"two"'
    site.turns = ["no-if-range"]
    fetch_file(source, target, manner=QUICK)
    assert target.read_bytes() == site.files["/x.gz"]


def test_a_part_from_elsewhere_is_not_gone_on_with(site: Site, tmp_path: Path) -> None:
    site.files |= {"/a/x.gz": gz(1), "/b/x.gz": gz(2)}
    site.turns = ["half"]
    target = tmp_path / "x.gz"
    with pytest.raises(DownloadError):
        fetch_file(Source(f"{site.base}/a/x.gz"), target, manner=Manner(retries=0))
    fetch_file(Source(f"{site.base}/b/x.gz"), target)
    assert target.read_bytes() == gz(2)
    assert ranges(site) == [None, None]


def test_a_part_longer_than_the_file(site: Site, tmp_path: Path) -> None:
    """Status 416: what is there cannot be the beginning of what the server has."""
    site.files["/x.gz"] = content = gz()
    source, target = Source(f"{site.base}/x.gz"), tmp_path / "x.gz"
    site.turns = ["half"]
    with pytest.raises(DownloadError):
        fetch_file(source, target, manner=Manner(retries=0))
    (tmp_path / "x.gz.part").write_bytes(bytes(400_000))
    fetch_file(source, target, manner=QUICK)
    assert target.read_bytes() == content


def test_a_complete_part_needs_no_server(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = content = gz()
    source, target = Source(f"{site.base}/x.gz"), tmp_path / "x.gz"
    site.turns = ["half"]
    with pytest.raises(DownloadError):
        fetch_file(source, target, manner=Manner(retries=0))
    (tmp_path / "x.gz.part").write_bytes(content)
    fetch_file(source, target, manner=QUICK)
    assert target.read_bytes() == content and len(site.asked) == 1


def test_troubles_of_the_server_pass(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = content = gz()
    site.turns = ["500", "503", "429", "ok"]
    notes: list[str] = []
    manner = Manner(retries=3, pause_seconds=0, note=notes.append)
    fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=manner)
    assert (tmp_path / "x.gz").read_bytes() == content
    assert [note[-8:] for note in notes] == ["(1 of 3)", "(2 of 3)", "(3 of 3)"]


def test_troubles_that_stay_end_it(site: Site, tmp_path: Path) -> None:
    site.turns = ["500"] * 9
    with pytest.raises(DownloadError, match=r"status 500, 4 times in a row; run the same command"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=QUICK)
    assert len(site.asked) == 4
    assert names(tmp_path) == []


def test_a_stall_is_a_drop(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = content = gz()
    site.turns = ["stall", "ok"]
    notes: list[str] = []
    manner = Manner(stall_seconds=1, pause_seconds=0, note=notes.append)
    fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=manner)
    assert (tmp_path / "x.gz").read_bytes() == content
    assert "the server sends nothing more" in notes[0]


@pytest.mark.parametrize("turn", ["page", "404", "ok"])
def test_what_is_not_there_leaves_nothing(site: Site, tmp_path: Path, turn: str) -> None:
    site.turns = [turn]
    with pytest.raises(MissingError, match=r"/x\.gz: (a web page came|no such file)"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=QUICK)
    assert names(tmp_path) == []
    assert len(site.asked) == 1


def test_a_page_called_otherwise_is_told_by_its_beginning(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = b"\xef\xbb\xbf\n" + PAGE
    with pytest.raises(MissingError, match="a web page came instead"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz")
    assert names(tmp_path) == []


def test_a_page_does_not_cost_the_part(site: Site, tmp_path: Path) -> None:
    """A proxy that wants a password again, say."""
    site.files["/x.gz"] = content = gz()
    source, target = Source(f"{site.base}/x.gz"), tmp_path / "x.gz"
    site.turns = ["half", "page"]
    with pytest.raises(MissingError):
        fetch_file(source, target, manner=QUICK)
    fetch_file(source, target, manner=QUICK)
    assert target.read_bytes() == content
    assert ranges(site)[2] is not None


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "sent an empty file"),
        (b"%PDF-1.7 something else", "is no gzip file"),
        (gz()[:-9], "cut short or damaged"),
        (gz()[:-8] + bytes(8), "cut short or damaged"),
        (gz()[:1000] + bytes(1000) + gz()[2000:], "cut short or damaged"),
    ],
    ids=["empty", "other", "short", "checksum", "hole"],
)
@pytest.mark.parametrize("turn", ["ok", "no-length"])
def test_damage_is_noticed(
    site: Site, tmp_path: Path, content: bytes, match: str, turn: str
) -> None:
    site.files["/x.gz"] = content
    site.turns = [turn]
    with pytest.raises(DownloadError, match=match):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=QUICK)
    assert names(tmp_path) == []


def test_a_server_that_states_no_length(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = content = gz()
    site.turns = ["no-length"]
    fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz")
    assert (tmp_path / "x.gz").read_bytes() == content


@pytest.mark.parametrize("status", ["401", "403"])
def test_refused(site: Site, tmp_path: Path, status: str) -> None:
    site.turns = [status]
    with pytest.raises(RefusedError, match=f"status {status}"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz")


def test_redirects_are_followed_with_the_range(site: Site, tmp_path: Path) -> None:
    site.files["/y.gz"] = content = gz()
    to = f"to:{site.base}/y.gz"
    site.turns = [to, "half", to, "ok"]
    fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=QUICK)
    assert (tmp_path / "x.gz").read_bytes() == content
    assert site.gets() == ["/x.gz", "/y.gz"] * 2
    assert ranges(site)[3] is not None


def test_redirects_in_circles(site: Site, tmp_path: Path) -> None:
    site.turns = ["to:/x.gz"] * 40
    with pytest.raises(DownloadError, match="in circles"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=QUICK)


def test_encryption_is_not_given_up(
    site: Site, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(certificate) as safe:
        safe.files["/x.gz"] = site.files["/y.gz"] = gz()
        source, target = Source(f"{safe.base}/x.gz"), tmp_path / "x.gz"
        fetch_file(source, target)
        safe.turns = [f"to:{site.base}/y.gz"]
        with pytest.raises(DownloadError, match="redirects to an address that is not encrypted"):
            fetch_file(source, target)
        assert site.asked == []
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(DownloadError, match=r"is not trusted.* SSL_CERT_FILE"):
            fetch_file(source, target)


def test_a_full_disk(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = gz()
    (tmp_path / "x.gz.part").symlink_to("/dev/full")
    with pytest.raises(OntologyError, match="no space left on the disk; make room"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz")


def test_too_little_room_is_told_at_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/x.gz"] = gz()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6 - 7, 7))
    with pytest.raises(OntologyError, match=r"needs 0\.00 GB more, 0\.00 GB are free"):
        fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz")
    assert names(tmp_path) == []


def test_one_process_at_a_time(site: Site, tmp_path: Path) -> None:
    site.files["/x.gz"] = gz()
    with (tmp_path / "x.gz.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another process is downloading it"):
            fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz")


def mesh_site(site: Site) -> None:
    for number, name in enumerate(("desc", "supp")):
        site.files[f"/MESH_FILES/xmlmesh/{name}{YEAR}.gz"] = gz(number)


def test_mesh(site: Site, tmp_path: Path) -> None:
    mesh_site(site)
    out = tmp_path / "a folder"
    got = fetch_mesh(YEAR, out, base=site.base)
    assert [file.path for file in got.files] == [out / f"desc{YEAR}.gz", out / f"supp{YEAR}.gz"]
    assert got.attribution == "MeSH: U.S. National Library of Medicine"
    assert got.command == (
        f"charthouse ontology build --mesh '{out}/desc{YEAR}.gz' --mesh '{out}/supp{YEAR}.gz' "
        f"--out mesh{YEAR}"
    )


def test_mesh_that_is_there_is_left_alone(site: Site, tmp_path: Path) -> None:
    mesh_site(site)
    first = fetch_mesh(YEAR, tmp_path, base=site.base)
    site.asked.clear()
    second = fetch_mesh(YEAR, tmp_path, base=site.base)
    assert site.asked == []
    assert [file.new for file in second.files] == [False, False]
    assert [file.sha256 for file in second.files] == [file.sha256 for file in first.files]
    site.files[LATEST] = gz(7)
    third = fetch_mesh(YEAR, tmp_path, base=site.base, again=True)
    assert third.files[0].new and (tmp_path / f"desc{YEAR}.gz").read_bytes() == gz(7)
    assert fetch_mesh(YEAR, tmp_path, base=site.base).files[0].sha256 == third.files[0].sha256


def test_a_changed_file_is_not_overwritten_unasked(site: Site, tmp_path: Path) -> None:
    mesh_site(site)
    fetch_mesh(YEAR, tmp_path, base=site.base)
    path = tmp_path / f"desc{YEAR}.gz"
    path.write_bytes(gz(9))
    with pytest.raises(OntologyError, match=r"is not the file that was fetched at .* --again"):
        fetch_mesh(YEAR, tmp_path, base=site.base)
    assert path.read_bytes() == gz(9)


def test_files_put_there_by_hand_are_checked_and_taken(site: Site, tmp_path: Path) -> None:
    for number, name in enumerate(("desc", "supp")):
        (tmp_path / f"{name}{YEAR}.gz").write_bytes(gz(number))
    got = fetch_mesh(YEAR, tmp_path, base=site.base)
    assert site.asked == [] and [file.url for file in got.files] == [None, None]
    (tmp_path / f"desc{YEAR}.gz.fetched.json").unlink()
    (tmp_path / f"desc{YEAR}.gz").write_bytes(gz()[:-100])
    with pytest.raises(OntologyError, match=rf"desc{YEAR}\.gz: the gzip file is cut short"):
        fetch_mesh(YEAR, tmp_path, base=site.base)
    assert (tmp_path / f"desc{YEAR}.gz").exists(), "a file of the user's is never removed"


@pytest.mark.parametrize("year", [YEAR, YEAR - 2])
@pytest.mark.parametrize("folder", ["/MESH_FILES/xmlmesh", "/{year}/xmlmesh", ""])
def test_mesh_is_found_where_it_is(site: Site, tmp_path: Path, year: int, folder: str) -> None:
    for name in ("desc", "supp"):
        site.files[f"{folder.format(year=year)}/{name}{year}.gz"] = gz()
    got = fetch_mesh(year, tmp_path, base=f"{site.base}/")
    place = folder.format(year=year)
    assert got.files[0].url == f"{site.base}{place}/desc{year}.gz"


def test_a_year_that_is_not_there(site: Site, tmp_path: Path) -> None:
    site.turns = ["page"]
    with pytest.raises(MissingError) as error:
        fetch_mesh(YEAR + 1, tmp_path, base=site.base)
    message = str(error.value)
    assert f"desc{YEAR + 1}.gz is not there" in message
    assert "a web page came" in message and "status 404" in message
    assert f"such as {YEAR}" in message and f"{site.base}/" in message
    assert "\n" not in message
    assert names(tmp_path) == []


def nowhere() -> str:
    """An address where no server listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def test_mesh_offline_tells_the_way_by_hand(tmp_path: Path) -> None:
    base = nowhere()
    with pytest.raises(UnreachableError) as error:
        fetch_mesh(YEAR, tmp_path, base=base, manner=QUICK)
    message = str(error.value)
    assert "cannot be reached (Connection refused)" in message
    assert f"{base}{LATEST} and {base}/MESH_FILES/xmlmesh/supp{YEAR}.gz" in message
    assert f"put both into {tmp_path}" in message
    assert f"--mesh {tmp_path}/desc{YEAR}.gz --mesh {tmp_path}/supp{YEAR}.gz" in message
    assert "\n" not in message
    assert names(tmp_path) == []


def test_a_network_that_fails_later_is_waited_for(site: Site, tmp_path: Path) -> None:
    """Only a server that never answered is told as being offline."""
    site.turns = ["500", f"to:{nowhere()}/x.gz", "ok"]
    site.files["/x.gz"] = content = gz()
    fetch_file(Source(f"{site.base}/x.gz"), tmp_path / "x.gz", manner=QUICK)
    assert (tmp_path / "x.gz").read_bytes() == content


@pytest.mark.parametrize(
    "base", ["", "mirror.example/mesh", "ftp://mirror.example", "https://", "https://u:p@mirror/"]
)
def test_a_base_that_is_no_address(tmp_path: Path, base: str) -> None:
    with pytest.raises(OntologyError, match="CHARTHOUSE_MESH_URL"):
        fetch_mesh(YEAR, tmp_path / "out", base=base)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OntologyError, match="cannot be written"):
        fetch_mesh(YEAR, tmp_path / "file" / "out", base="http://127.0.0.1:9")


def test_what_would_come(site: Site, tmp_path: Path) -> None:
    mesh_site(site)
    desc, supp = plan_mesh(YEAR, tmp_path, base=site.base)
    assert desc.url == f"{site.base}{LATEST}" and desc.size == len(site.files[LATEST])
    assert desc.path == tmp_path / f"desc{YEAR}.gz" and not desc.there and not desc.remark
    assert {method for method, *_ in site.asked} == {"HEAD"}
    del site.files[LATEST]
    (tmp_path / f"supp{YEAR}.gz").touch()
    desc, supp = plan_mesh(YEAR, tmp_path, base=site.base)
    assert desc.size is None and desc.remark == "not found at the server"
    assert supp.there
    site.turns = ["405", "403", "403", "403"]
    desc, supp = plan_mesh(YEAR, tmp_path, base=site.base)
    assert (desc.remark, supp.remark) == ("size not known", "refused by the server")
    desc, _ = plan_mesh(YEAR, tmp_path, base=nowhere())
    assert "cannot be reached" in desc.remark


RELEASE = "2026AA"
FULL = f"umls-{RELEASE}-metathesaurus-full.zip"
CONSO = b"C0000001|ENG|P|L1|PF|S1|Y|A1||||MTH|PN|U1|Invented finding|0|N||\n"


def packed(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return stream.getvalue()


UMLS = packed(
    {
        f"{RELEASE}/META/MRCONSO.RRF": CONSO * 5000 + noise(1),
        f"{RELEASE}/META/MRSTY.RRF": b"C0000001|T033|A2.2|Finding|AT1||\n",
        f"{RELEASE}/META/MRHIER.RRF": b"not needed\n",
        f"{RELEASE}/META/CHANGE/MERGEDCUI.RRF": b"C0000009|C0000001|\n",
        f"{RELEASE}/META/CHANGE/DELETEDCUI.RRF": b"C0000008|Gone|\n",
        f"{RELEASE}/LEX/LRAGR": b"not needed\n",
    }
)
UNPACKED = ["CHANGE/DELETEDCUI.RRF", "CHANGE/MERGEDCUI.RRF", "MRCONSO.RRF", "MRSTY.RRF"]


def umls_site(site: Site, content: bytes = UMLS, name: str = FULL) -> str:
    """The base address of a site that has a release, as UTS has it."""
    site.files[f"{UMLS_URL}/{RELEASE}/{name}"] = content
    return f"{site.base}/download"


def test_umls(site: Site, tmp_path: Path) -> None:
    base = umls_site(site)
    got = fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base)
    inner = f"{UMLS_URL}/{RELEASE}/{FULL}"
    assert site.gets() == [f"/download?url={inner}&apiKey={KEY}"]
    assert got.files[0].url == f"{base}?url={inner}"
    records = [f"{FULL}.fetched.json", f"{FULL}.unpacked.json"]
    assert names(tmp_path) == sorted([FULL, *records, *UNPACKED])
    assert sorted(got.unpacked) == UNPACKED
    assert (tmp_path / "MRCONSO.RRF").read_bytes() == CONSO * 5000 + noise(1)
    assert (tmp_path / "CHANGE" / "MERGEDCUI.RRF").read_bytes() == b"C0000009|C0000001|\n"
    assert got.command == f"charthouse ontology build --umls {tmp_path} --out umls{RELEASE}"
    assert "U.S. National Library of Medicine" in got.attribution


def test_umls_that_is_there_is_left_alone(site: Site, tmp_path: Path) -> None:
    base = umls_site(site)
    first = fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base)
    site.asked.clear()
    (tmp_path / "MRSTY.RRF").touch()
    written = (tmp_path / "MRCONSO.RRF").stat().st_mtime_ns
    assert fetch_umls(RELEASE, tmp_path, base=base).unpacked == first.unpacked
    (tmp_path / FULL).unlink()
    without = fetch_umls(RELEASE, tmp_path, base=base)
    assert without.unpacked == first.unpacked and without.files[0].sha256 == first.files[0].sha256
    assert site.asked == []
    assert (tmp_path / "MRCONSO.RRF").stat().st_mtime_ns == written


def test_what_is_missing_is_unpacked_again(site: Site, tmp_path: Path) -> None:
    base = umls_site(site)
    fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base)
    (tmp_path / "MRSTY.RRF").unlink()
    site.asked.clear()
    fetch_umls(RELEASE, tmp_path, base=base)
    assert (tmp_path / "MRSTY.RRF").exists() and site.asked == []
    (tmp_path / "MRSTY.RRF").unlink()
    (tmp_path / FULL).unlink()
    fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base)
    assert (tmp_path / "MRSTY.RRF").exists() and len(site.asked) == 1


def test_names_only_in_either_layout(site: Site, tmp_path: Path) -> None:
    name = f"umls-{RELEASE}-mrconso.zip"
    for number, member in enumerate(("MRCONSO.RRF", f"{RELEASE}/META/MRCONSO.RRF")):
        base = umls_site(site, packed({member: CONSO}), name)
        out = tmp_path / str(number)
        got = fetch_umls(RELEASE, out, api_key=KEY, base=base, names_only=True)
        assert got.unpacked == {"MRCONSO.RRF": len(CONSO)}
        assert (out / "MRCONSO.RRF").read_bytes() == CONSO


def test_an_archive_put_there_by_hand_needs_neither_network_nor_key(tmp_path: Path) -> None:
    (tmp_path / FULL).write_bytes(UMLS)
    got = fetch_umls(RELEASE, tmp_path, base=nowhere())
    assert sorted(got.unpacked) == UNPACKED and got.files[0].url is None


def test_nothing_is_unpacked_outside_the_folder(site: Site, tmp_path: Path) -> None:
    evil = {
        "../MRSTY.RRF": b"evil",
        "/MRREL.RRF": b"evil",
        "../../META/MRDEF.RRF": b"its name decides, its path does not",
        f"{RELEASE}/META/../../MRRANK.RRF": b"evil",
        f"{RELEASE}/META/MRCONSO.RRF": CONSO,
    }
    base = umls_site(site, packed(evil))
    out = tmp_path / "deep" / "out"
    fetch_umls(RELEASE, out, api_key=KEY, base=base)
    assert {Path(name).parent for name in names(tmp_path)} == {Path("deep/out")}
    assert [name for name in names(out) if name.endswith(".RRF")] == ["MRCONSO.RRF", "MRDEF.RRF"]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (UMLS[:-30], "zip archive is cut short or damaged"),
        (packed({"README": b"x"}), "holds no META/MRCONSO.RRF"),
        (packed({"META/MRCONSO.RRF": CONSO, "MRCONSO.RRF": CONSO}), "holds two files MRCONSO"),
        (UMLS[:50_000] + bytes(1000) + UMLS[51_000:], "is damaged; fetch it anew with --again"),
    ],
    ids=["short", "other", "twice", "hole"],
)
def test_archives_of_no_use(site: Site, tmp_path: Path, content: bytes, match: str) -> None:
    base = umls_site(site, content)
    with pytest.raises(OntologyError, match=match):
        fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base, manner=QUICK)
    assert not [name for name in names(tmp_path) if name.endswith((".RRF", ".part"))]


def test_too_little_room_to_unpack(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FULL).write_bytes(UMLS)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6, 1000))
    with pytest.raises(OntologyError, match=r"to unpack .* GB more are needed"):
        fetch_umls(RELEASE, tmp_path)
    assert not (tmp_path / "MRCONSO.RRF").exists()


@pytest.mark.parametrize("release", ["2026", "2026aa", "2026AC", "2026AA/..", "26AA", ""])
def test_what_is_no_release(tmp_path: Path, release: str) -> None:
    with pytest.raises(OntologyError, match="is no UMLS release"):
        fetch_umls(release, tmp_path / "out", api_key=KEY)
    assert not (tmp_path / "out").exists()


def test_umls_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"UMLS_API_KEY is not set.*https://uts\.nlm\.nih\.gov"):
        fetch_umls(RELEASE, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (planned,) = plan_umls(RELEASE, tmp_path)
    assert planned.remark == "UMLS_API_KEY is not set"


def test_a_mirror_folder_is_not_told_the_key(site: Site, tmp_path: Path) -> None:
    site.files[f"/umls/{FULL}"] = UMLS
    for key in (KEY, ""):
        got = fetch_umls(RELEASE, tmp_path / f"{key}x", api_key=key, base=f"{site.base}/umls/")
        assert sorted(got.unpacked) == UNPACKED
    assert site.gets() == [f"/umls/{FULL}"] * 2


def test_the_key_does_not_travel_unencrypted(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="unencrypted") as error:
        fetch_umls(RELEASE, tmp_path, api_key=KEY, base="http://mirror.example/download")
    assert KEY not in str(error.value)


@pytest.mark.parametrize("turns", [["401"], ["page"], ["404"], ["400"], ["500"] * 9, ["half"] * 25])
def test_the_key_is_in_no_error_log_or_file(
    site: Site,
    tmp_path: Path,
    turns: list[str],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for client in ("", "httpx", "httpcore"):  # code that sends texts has made the last two quiet
        caplog.set_level(logging.DEBUG, logger=client)
    base = umls_site(site)
    # A server that repeats the key in a redirect, as log-in pages do.
    site.turns = [f"to:{base}?url={UMLS_URL}/{RELEASE}/{FULL}&apiKey={KEY}", *turns]
    notes: list[str] = []
    manner = Manner(retries=2, pause_seconds=0, note=notes.append)
    with pytest.raises(OntologyError) as error:
        fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base, manner=manner)
    site.turns.clear()
    fetch_umls(RELEASE, tmp_path, api_key=KEY, base=base, manner=manner)
    assert any(KEY in path for path in site.gets()), "the server is told"
    assert any("HTTP Request: GET" in line for line in caplog.messages), "the client logs"
    told = [str(error.value), *notes, caplog.text, *capfd.readouterr()]
    told += [path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(KEY in text for text in told)


def test_a_refused_key_is_told_as_such(site: Site, tmp_path: Path) -> None:
    site.turns = ["401"]
    with pytest.raises(RefusedError, match=r"status 401.*UMLS_API_KEY against https://uts"):
        fetch_umls(RELEASE, tmp_path, api_key=KEY, base=f"{site.base}/download")


def test_umls_offline_tells_the_way_by_hand(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as error:
        fetch_umls(RELEASE, tmp_path, api_key=KEY, base=f"{nowhere()}/download", manner=QUICK)
    message = str(error.value)
    assert f"{UMLS_URL}/{RELEASE}/{FULL} in a browser" in message
    assert "licence" in message and "https://uts.nlm.nih.gov" in message
    assert f"charthouse ontology build --umls {tmp_path} --out umls{RELEASE}" in message
    assert KEY not in message and "\n" not in message


def test_what_would_come_of_umls(site: Site, tmp_path: Path) -> None:
    base = umls_site(site)
    (planned,) = plan_umls(RELEASE, tmp_path, api_key=KEY, base=base)
    assert planned.size == len(UMLS) and not planned.there
    assert KEY not in repr(planned)
    assert names(tmp_path) == []
