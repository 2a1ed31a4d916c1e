"""HTTP requests with limits for bytes and time. No redirect leads from https to http."""

from __future__ import annotations

import io
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import gevent  # type: ignore[import-untyped]

from fleethands.text.format import format_size

MOST = 4 << 20  # bytes of an answer; a manifest has a few hundred
PATIENCE = 20.0  # seconds for a whole response
SILENCE = 60.0  # seconds without a byte
OVERHEAD = 1 << 20  # bytes for headers, redirects and the marks of chunks
REDIRECTS = 5
LONGEST_REASON = 300
FAILURES = (OSError, HTTPException, ValueError)  # HTTPError and URLError are among them


@contextmanager
def open_url(
    url: str, *, most: int = MOST, patience: float = PATIENCE, accept: str = "*/*", token: str = "", start: int = 0
) -> Iterator[Any]:
    """
    Open the response of a server, or a file.

    + most: bytes of the whole response, redirects included
    + patience: seconds for the whole response
    + token: only for this server, and not for one that it redirects to
    + start: bytes that are not asked for; a server that sends them anyway answers 200 instead of 206

    Raises one of FAILURES, also while the response is read.
    """
    meter = _Meter(most + OVERHEAD, patience)
    opener = build_opener(_Plain(meter), _Secure(meter), _Redirects)
    request = _request(url, accept, token)
    if start:
        request.add_header("Range", f"bytes={start}-")
    with opener.open(request, timeout=min(patience, SILENCE)) as answer:
        yield answer


def fetch(url: str, *, most: int = MOST, patience: float = PATIENCE, accept: str = "*/*", token: str = "") -> bytes:
    """The whole body of a response. Raises one of FAILURES."""
    with open_url(url, most=most, patience=patience, accept=accept, token=token) as answer:
        body: bytes = answer.read(most + 1)
        if len(body) > most:
            raise ValueError(f"sends more than {format_size(most)}")
        if getattr(answer, "length", None):
            raise ValueError("the answer was cut off")
    return body


def failure(error: BaseException) -> str:
    """The reason of a failed request, on one line of limited length, because the text may come from the server."""
    if isinstance(error, HTTPError):
        return f"it answers {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    return " ".join(str(cause or type(error).__name__).split())[:LONGEST_REASON]


def public_url(url: str) -> str:
    """An address without its user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _request(url: str, accept: str, token: str) -> Request:
    """User and password of an address become a header that is not sent to the target of a redirect."""
    parts = urlsplit(url)
    request = Request(public_url(url), headers={"Accept": accept})  # noqa: S310  settings and _token check the scheme
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    elif parts.username is not None:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {b64encode(words.encode()).decode()}")
    return request


class _Meter:
    """Counts the bytes and the time that are left for a response."""

    def __init__(self, most: int, patience: float) -> None:
        self._left, self._most = most, most
        self._end, self._patience = time.monotonic() + patience, patience

    def wait(self) -> float:
        """Seconds to wait for the next bytes. Raises TimeoutError."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.late()
        return min(left, SILENCE)

    def late(self) -> TimeoutError:
        """The error once the time is over."""
        return TimeoutError(f"no whole answer within {self._patience:g} s")

    def came(self, count: int) -> None:
        """Count received bytes. Raises ValueError over the limit."""
        self._left -= count
        if self._left < 0:
            raise ValueError(f"sends more than {format_size(self._most)}")
        gevent.sleep(0)  # a server that never pauses would block all other hosts


class _Metered(io.RawIOBase):
    """The bytes of a socket: status line, headers, chunks and body."""

    def __init__(self, raw: Any, sock: socket.socket, meter: _Meter) -> None:
        self._raw, self._sock, self._meter = raw, sock, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._meter.wait())
        try:
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            self._meter.wait()
            raise TimeoutError(f"nothing came for {SILENCE:g} s") from None
        self._meter.came(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *, meter: _Meter, **options: Any) -> None:
        super().__init__(sock, **options)
        self.fp: Any = io.BufferedReader(_Metered(self.fp.detach(), sock, meter))


class _Connection(HTTPConnection):
    def __init__(self, *words: Any, meter: _Meter, **options: Any) -> None:
        super().__init__(*words, **options)
        self._meter = meter
        self.response_class: Any = partial(_Response, meter=meter)

    def connect(self) -> None:
        """One limit for DNS, TCP, the proxy and TLS."""
        with gevent.Timeout(self._meter.wait(), self._meter.late()):
            super().connect()


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Plain(HTTPHandler):
    def __init__(self, meter: _Meter) -> None:
        super().__init__()
        self._meter = meter

    def http_open(self, request: Request) -> Any:
        return self.do_open(partial(_Connection, meter=self._meter), request)


class _Secure(HTTPSHandler):
    def __init__(self, meter: _Meter) -> None:
        super().__init__()
        self._meter = meter

    def https_open(self, request: Request) -> Any:
        return self.do_open(partial(_SecureConnection, meter=self._meter), request)


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect, but never from https to http. The body of the redirect is not read."""

    max_redirections = REDIRECTS

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Any:
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in {"https", old}:
            raise URLError(f"it leads from {old} to {new}, which is refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any) -> Any:
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
