"""HTTP for all that is fetched: sessions that try again, how long they wait, and what went wrong in a few words."""

import http.client
import io
import logging
import math
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests import exceptions as of_requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3 import exceptions as of_urllib3

RETRIES = 4  # times that a thing is asked for, the first included
PAUSE = 1.5  # seconds; after the second failure twice this is waited, after the third four times
LONGEST_WAIT = 60.0  # seconds that a server may make us wait by Retry-After
NOTICEABLE = 5.0  # seconds of such a wait from which the user is told
REDIRECTS = 5
BLOCK = 1 << 18  # most bytes that are taken from a connection at once
PASSING = frozenset({408, 429, 500, 502, 503, 504})
_HEAD = 1 << 20  # bytes of an answer that are not its body: status, headers, marks between chunks


@dataclass(frozen=True)
class Patience:
    """How long things may take, in seconds; `rate` in bytes a second, on average over `silence` seconds."""

    connect: float  # until a connection stands
    silence: float  # without a byte
    whole: float = math.inf  # for all attempts at one thing together
    rate: float = 0.0


# The time-outs of all that is fetched. What is small has an end; what is large may last as long as something comes.
PATIENCE = {
    "page": Patience(connect=10, silence=60, whole=300),
    "piece": Patience(connect=10, silence=30, whole=600),
    "download": Patience(connect=10, silence=60, rate=2_000),
}


class FailedError(Exception):
    """A request failed; the text says what happened, without address and advice."""


class LinkError(FailedError):
    """The server cannot be reached, or does not answer in time."""


class BrokeOffError(LinkError):
    """The answer broke off; another attempt may bring the rest."""


class ContentError(FailedError):
    """What the server sends is not what was asked for."""


class StatusError(FailedError):
    """The server refuses, by a number."""

    def __init__(self, text: str, code: int):
        super().__init__(text)
        self.code = code


class Watch:
    """What one call has cost and may cost (`limit`: bytes of one answer), shared by everything that works for it."""

    def __init__(self, patience: Patience, limit: int):
        self.patience, self.limit = patience, limit
        self.until = time.monotonic() + patience.whole
        self.url, self.attempts, self.asked_wait = "", 0, 0.0

    @property
    def left(self) -> float:
        """Seconds that are left of the whole."""
        return self.until - time.monotonic()

    def times(self) -> str:
        """Say how often it was tried, if more than once."""
        return f", {self.attempts} times" if self.attempts > 1 else ""


class _Watched(io.RawIOBase):
    """The bytes of a connection, under the eyes of a watch.

    A time-out of a socket starts anew with each byte, and a line or a chunk is waited for by those who read it
    until it is whole. Only here every byte comes by, so only here an answer that never ends can be stopped.
    """

    def __init__(self, raw: Any, watch: Watch):
        self._raw, self._watch = raw, watch
        self.has_ended, self._n_bytes = False, 0
        self._window: tuple[float, int] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n_bytes = self._raw.readinto(buffer)
        self.has_ended = not n_bytes
        self._n_bytes += n_bytes
        patience, now = self._watch.patience, time.monotonic()
        if now > self._watch.until:
            raise LinkError(f"no whole answer within {patience.whole:g} s")
        if self._n_bytes > self._watch.limit:
            raise ContentError(f"the answer does not end after {self._n_bytes:,} bytes")
        since, before = self._window = self._window or (now, self._n_bytes)
        if now - since > patience.silence:
            came, self._window = self._n_bytes - before, (now, self._n_bytes)
            if came < patience.rate * patience.silence:
                raise BrokeOffError(f"only {came:,} bytes came in {now - since:.3g} s")
        return n_bytes

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose bytes are watched, and whose head is whole."""

    def __init__(self, watch: Watch, sock: socket.socket, *args: Any, **settings: Any):
        super().__init__(sock, *args, **settings)
        self._bytes = _Watched(self.fp.detach(), watch)
        self.fp = io.BufferedReader(self._bytes)

    def begin(self) -> None:
        super().begin()
        # The parser takes the end of the connection for the end of the head, and half a length for a length.
        if self._bytes.has_ended:
            raise ConnectionResetError("the head of the answer broke off")


class _Retry(Retry):
    """urllib3's rules for trying again, within the limits of a watch."""

    watch: Watch

    def increment(self, *args: Any, response: Any = None, error: Any = None, **more: Any) -> "_Retry":
        """Count an attempt; raise what urllib3 raises when there is none left, or none that can help."""
        self.watch.attempts += 1
        if response is not None:
            response.close()  # urllib3 reads an error page to its end, which may never come
            self.watch.asked_wait = self.get_retry_after(response) or 0.0
        distrusted = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))
        hopeless = distrusted or self.watch.left <= 0 or self.watch.asked_wait > LONGEST_WAIT
        last = self.new(total=0) if hopeless else self
        return Retry.increment(last, *args, response=response, error=error, **more)  # type: ignore[misc]  # neither of the two is ever among args

    def get_retry_after(self, response: Any) -> float | None:
        """Return the seconds that the server asks to wait, also if it names a date."""
        try:
            return super().get_retry_after(response)
        except (of_urllib3.InvalidHeader, ValueError, OverflowError):
            return None

    def sleep_for_retry(self, response: Any) -> bool:
        """Wait as long as the server asks, and tell it."""
        wait = self.get_retry_after(response) or 0.0
        if wait >= NOTICEABLE:
            text = f"the server answers {response.status} and asks to wait {_duration(wait)}; waiting"
            tqdm.write(f"{self.watch.url}: {text}", file=sys.stderr)
        time.sleep(max(0.0, min(wait, self.watch.left)))
        return wait > 0


class _Adapter(HTTPAdapter):
    def __init__(self, watch: Watch):
        watched = {
            "response_class": staticmethod(lambda *args, **settings: _Answer(watch, *args, **settings))
        }
        self._pools = {
            pool.scheme: type(
                "Pool", (pool,), {"ConnectionCls": type("Connection", (pool.ConnectionCls,), watched)}
            )
            for pool in (HTTPConnectionPool, HTTPSConnectionPool)
        }
        # A class of its own, because urllib3 makes a new object of it after each attempt.
        rules = type("WatchedRetry", (_Retry,), {"watch": watch})
        retry = rules(RETRIES - 1, status_forcelist=PASSING, backoff_factor=PAUSE, raise_on_status=False)
        retry.retry_after_max = sys.maxsize  # how much is too much is decided above
        super().__init__(max_retries=retry)

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **settings)
        if not proxy.lower().startswith("socks"):  # those have pools of their own
            manager.pool_classes_by_scheme = self._pools
        return manager


class Session(requests.Session):
    """A session for one call: its retries, its redirects and its bytes are within the limits of its `watch`."""

    def __init__(self, watch: Watch):
        super().__init__()
        self.watch, self.max_redirects = watch, REDIRECTS
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(watch))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where an answer leads on to, if one may go there."""
        try:
            target = super().get_redirect_target(resp)
            scheme = urlsplit(urljoin(resp.url, target or "")).scheme.lower()
        except ValueError as error:
            raise ContentError("the server redirects to what is no valid address") from error
        if target:
            resp.raw.close()  # requests reads the text of a redirect to its end, which may never come
        allowed = ("https",) if resp.url.lower().startswith("https:") else ("https", "http")
        if target and scheme not in allowed:
            raise ContentError(f"the server redirects to {_clean(target)}, not to {' or '.join(allowed)}")
        return target


def session(kind: str, limit: int) -> Session:
    """Return a session for one call, to be closed after it.

    It asks again after failures of the connection and after the `PASSING` statuses, with growing pauses or after
    the time that the server asks for, if that is no more than `LONGEST_WAIT`.

    Parameters
    ----------
    kind : {"page", "piece", "download"}
        Whose `PATIENCE` holds.
    limit : int
        Most bytes of an answer's body.
    """
    # What urllib3 logs of every attempt is said better by our own errors.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Session(Watch(PATIENCE[kind], limit + _HEAD))


def ask(web: Session, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
    """Return the answer to a GET as soon as its head is there, to be read and closed.

    Raises
    ------
    LinkError
        If there is none within the session's patience.
    StatusError
        If it is neither 200 nor 206.
    ContentError
        If it is a web page, packed, a part that was not asked for, or led on to where nobody should follow.
    """
    watch = web.watch
    watch.url, watch.attempts, watch.asked_wait = url, 0, 0.0
    patience, wanted = watch.patience, {"Accept-Encoding": "identity", **(headers or {})}
    try:
        answer = web.get(url, headers=wanted, stream=True, timeout=(patience.connect, patience.silence))
    except FAULTS as error:
        raise explained(error, watch) from error
    try:
        _refuse(answer, watch)
    except FailedError:
        answer.close()
        raise
    return answer


def _refuse(answer: requests.Response, watch: Watch) -> None:
    """Raise if an answer does not bring what was asked for."""
    code, packed = answer.status_code, answer.headers.get("Content-Encoding", "identity")
    if code not in (200, 206):
        phrase = _clean(answer.reason or http.client.responses.get(code, ""))
        said = f"the server answers {code} {phrase}".rstrip() + watch.times()
        if watch.asked_wait > LONGEST_WAIT:
            said += f" and asks to wait {_duration(watch.asked_wait)}"
        raise StatusError(said, code)
    if "html" in answer.headers.get("Content-Type", "").lower():
        raise ContentError("a web page came instead of the file (a login page of this network?)")
    if code == 206 and "Range" not in answer.request.headers:
        raise ContentError("the server sends a part (206) where the whole was asked for")
    if packed.strip().lower() not in ("", "identity"):
        raise ContentError(f"the server packs what it sends ({_clean(packed)}), which was not asked for")


FAULTS = (of_requests.RequestException, of_urllib3.HTTPError, http.client.HTTPException, OSError, ValueError)
_NO_ADDRESS = "no valid address; give one that starts with https://"
_SAYINGS: tuple[tuple[tuple[type[BaseException], ...], type[FailedError], str], ...] = (
    ((of_requests.TooManyRedirects,), ContentError, "the server redirects more than {redirects} times"),
    ((of_requests.InvalidURL, of_requests.InvalidSchema, of_requests.MissingSchema), ContentError, _NO_ADDRESS),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), LinkError, "the connection broke off"),
    ((ssl.SSLError, of_urllib3.SSLError), LinkError, "no safe connection (TLS: {detail})"),
    ((of_urllib3.ProxyError,), LinkError, "no connection (through the proxy: {detail})"),
    ((socket.gaierror, of_urllib3.NameResolutionError), LinkError, "no connection (unknown host)"),
    ((ConnectionRefusedError,), LinkError, "no connection (refused)"),
    ((of_urllib3.ConnectTimeoutError,), LinkError, "no connection (no reply within {patience.connect:g} s)"),
    ((of_urllib3.TimeoutError, TimeoutError), LinkError, "no answer within {patience.silence:g} s"),
    ((of_urllib3.NewConnectionError,), LinkError, "no connection ({detail})"),
    ((ConnectionError, http.client.IncompleteRead), LinkError, "the connection broke off"),
    ((http.client.HTTPException, of_urllib3.InvalidHeader, of_requests.InvalidHeader), LinkError,
     "what answers there does not speak HTTP"),
    ((ValueError,), ContentError, _NO_ADDRESS),
    ((BaseException,), LinkError, "the connection broke off ({detail})"),
)  # fmt: skip


def explained(error: BaseException, watch: Watch) -> FailedError:
    """Return what an exception of requests or urllib3 means: the first of the sayings that fits one of its causes."""
    causes = list(_causes(error))
    made, text = next(
        (made, text) for kinds, made, text in _SAYINGS if any(isinstance(c, kinds) for c in causes)
    )
    inner = causes[-1]
    reason = getattr(inner, "reason", None)  # of TLS, in capitals
    reason = reason.replace("_", " ").lower() if isinstance(reason, str) else None
    detail = (
        getattr(inner, "verify_message", None) or reason or getattr(inner, "strerror", None) or str(inner)
    )
    said = text.format(
        patience=watch.patience, redirects=REDIRECTS, detail=_clean(detail or type(inner).__name__)
    )
    return made(said + watch.times() if made is LinkError else said)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what it was made of, down to the innermost; the libraries wrap several times."""
    for _ in range(20):
        if error is None:
            return
        yield error
        wrapped = next((item for item in error.args if isinstance(item, BaseException)), None)
        error = wrapped or error.__cause__ or error.__context__


def _clean(text: str) -> str:
    """Return what a stranger wrote as part of one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:100]


def _duration(seconds: float) -> str:
    units = (("days", 86_400), ("h", 3_600), ("min", 60))
    return next(
        (f"{seconds / size:.0f} {unit}" for unit, size in units if seconds >= 2 * size), f"{seconds:.0f} s"
    )
