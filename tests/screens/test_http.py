"""Whatever a server does, an answer is the right bytes or one line, within a bounded time."""

import contextlib
import email.utils
import re
import socket
import socketserver
import ssl
import threading
import time

import pytest
import requests
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.screens import http
from helpers.screens.download import receive
from screens.liar import BODY, CHUNKED, GOOD, Liar, answer, head, lying, raw, silent


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Let every bound be reached soon."""
    monkeypatch.setattr(http, "PAUSE", 0.001)
    monkeypatch.setitem(http.PATIENCE, "page", http.Patience(connect=1, silence=0.25, whole=2))


def get(server: Liar, limit: int = 1000, **settings) -> bytes:
    return receive(server.url, "page", limit, **settings)[1]


def failure(server: Liar, kind: type[http.FailedError] = http.FailedError, **settings) -> str:
    """Return what is said of a failure, which has to come soon and in one line."""
    start = time.monotonic()
    with pytest.raises(kind) as raised:
        get(server, **settings)
    assert time.monotonic() - start < 10
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 250
    return str(raised.value)


@pytest.mark.parametrize("code", sorted(http.PASSING))
def test_a_passing_status_is_asked_again(code):
    with lying(*[answer(b"busy", f"{code} Busy")] * 3, GOOD) as server:
        assert get(server) == BODY
        assert len(server.asked) == 4


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 416, 451, 501, 505])
def test_a_lasting_status_is_not(code):
    with lying(answer(b"no", f"{code} Never")) as server:
        assert failure(server, http.StatusError) == f"the server answers {code} Never"
        assert len(server.asked) == 1


def test_pauses_grow(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(http, "PAUSE", 0.1)
    with lying(answer(b"", "503 Busy")) as server:
        assert failure(server) == "the server answers 503 Busy, 4 times"
    assert [pause for pause in slept if pause] == pytest.approx([0.2, 0.4])


@pytest.mark.parametrize("as_date", [False, True])
def test_a_wait_that_is_asked_for_is_kept_and_told(as_date, monkeypatch, capsys):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setitem(http.PATIENCE, "page", http.Patience(1, 5, whole=300))
    wait = email.utils.formatdate(time.time() + 30.9, usegmt=True) if as_date else "30"
    with lying(answer(b"", "429 Slow down", Retry_After=wait), GOOD) as server:
        assert get(server) == BODY
        said = capsys.readouterr().err
        assert f"{server.url}: the server answers 429 and asks to wait" in said
        assert said.count("\n") == 1
    assert max(slept) == pytest.approx(30, abs=1.5)


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        ("7200", "2 h"),
        ("999999", "12 days"),
        ("300", "5 min"),
        pytest.param(email.utils.formatdate(time.time() + 10 * 3600, usegmt=True), "10 h", id="a date"),
    ],
)
def test_a_wait_of_hours_is_told_and_not_waited(wait, said):
    with lying(answer(b"", "503 Busy", Retry_After=wait), GOOD) as server:
        assert failure(server, http.StatusError) == f"the server answers 503 Busy and asks to wait {said}"
        assert len(server.asked) == 1


@pytest.mark.parametrize("wait", ["soon", "", "-5", "9" * 5000, "Fri, 99 Feb 2099 25:00:00 GMT", "1e9", "0"])
def test_a_wait_that_nobody_can_read_is_none(wait):
    with lying(answer(b"", "503 Busy", Retry_After=wait), GOOD) as server:
        with contextlib.suppress(http.StatusError):  # a number of 5,000 digits may well be read
            assert get(server) == BODY
        assert len(server.asked) <= 2


HEADS = {
    "nothing": (silent, "no answer within 0.25 s"),
    "hangs up": (raw(b""), "the connection broke off, 4 times"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "does not speak HTTP"),
    "half a head": (raw(head(Server="liar")[:-2]), "the connection broke off, 4 times"),
    "half a length": (raw(head(Content_Length=500)[:-6]), "the connection broke off, 4 times"),
    "a head that drips": (raw(*(bytes([c]) for c in head() * 9), pause=0.05), "no whole answer within 2 s"),
    "headers without end": (raw(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", forever=True), "does not speak HTTP"),
    "a line without end": (raw(b"HTTP/1.1 200 OK\r\nA: ", b"b" * 9999, forever=True), "does not speak HTTP"),
    "continue without end": (
        raw(b"HTTP/1.1 100 Continue\r\n\r\n", forever=True),
        "does not end|no whole answer",
    ),
}


@pytest.mark.parametrize(("act", "said"), HEADS.values(), ids=HEADS.keys())
def test_heads_that_are_none(act, said):
    with lying(act) as server:
        assert re.search(said, failure(server))


BODIES = {
    "cut": (raw(head(Content_Length=500) + BODY[:77]), "the connection broke off, 4 times"),
    "cut chunks": (raw(CHUNKED + b"64\r\n" + BODY[:50]), "the connection broke off, 4 times"),
    "no last chunk": (raw(CHUNKED + b"64\r\n" + BODY[:100] + b"\r\n"), "the connection broke off, 4 times"),
    "chunks of letters": (raw(CHUNKED + b"xyz\r\n" + BODY), "broke off"),
    "stalls": (raw(head(Content_Length=500) + BODY[:77], b"", pause=9), "no answer within 0.25 s"),
    "drips": (raw(head(Content_Length=500), b"x", pause=0.05, forever=True), "no whole answer within 2 s"),
    "drips a chunk's length": (raw(CHUNKED, b"0", pause=0.05, forever=True), "no whole answer within 2 s"),
    "never ends": (raw(head(), b"x" * 999, forever=True), "more bytes come than the 1,000"),
    "never ends in chunks": (raw(CHUNKED, b"64\r\n" + BODY[:100] + b"\r\n", forever=True), "than the 1,000"),
    "a chunk's length without end": (raw(CHUNKED, b"0" * 999, forever=True), "broke off|does not"),
    "trailers without end": (
        raw(CHUNKED + b"0\r\n", b"A: b\r\n", forever=True),
        "does not end|no whole answer",
    ),
    "is announced too long": (raw(head(Content_Length=10**12) + BODY), "more bytes come than the 1,000"),
    "is longer than it says, and too long": (raw(head(Content_Length=1001), b"x" * 1001), "than the 1,000"),
    "two lengths": (raw(head(Content_Length="500, 400") + BODY), "does not speak HTTP"),
    "a part": (
        answer(status="206 Partial", Content_Range="bytes 0-499/900"),
        r"a part \(206\) where the whole",
    ),
    "packed": (answer(Content_Encoding="gzip"), r"packs what it sends \(gzip\)"),
    "packed strangely": (answer(Content_Encoding="gzip\x07, br" + "r" * 500), r"packs what it sends \(gzip"),
    "a web page": (answer(Content_Type="Text/HTML; charset=utf-8"), "a web page came instead of the file"),
    "no content": (raw(head("204 No Content")), "the server answers 204 No Content"),
    "no reason": (raw(head("418")), "the server answers 418"),
    "a strange reason": (
        raw(head("400 \x1b[31m\x07bad\tthing")),
        r"^the server answers 400 \[31m bad thing$",
    ),
    "an error page without end": (raw(head("503 Busy"), b"x" * 9999, forever=True), "503 Busy, 4 times"),
    "a refusal without end": (
        raw(head("404 Gone"), b"x" * 9999, forever=True),
        "the server answers 404 Gone",
    ),
}


@pytest.mark.parametrize(("act", "said"), BODIES.values(), ids=BODIES.keys())
def test_bodies_that_are_not_what_was_asked_for(act, said):
    with lying(act) as server:
        assert re.search(said, failure(server))
        server.acts = [GOOD]
        assert get(server) == BODY, "nothing is stuck"


@pytest.mark.parametrize("length", ["", "-5", "many", "500", "500, 500", " 500 "])
def test_a_length_that_makes_no_sense_does_no_harm(length):
    with lying(raw(head(Content_Length=length) + BODY)) as server:
        assert get(server) == BODY


def test_an_answer_without_a_length_is_taken():
    with lying(raw(head() + BODY)) as server:
        assert get(server) == BODY


@given(st.integers(0, 700), st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_answer_that_is_cut_anywhere_is_never_taken_for_a_whole_one(broken, at, in_chunks):
    chunks = b"".join(b"7d\r\n" + BODY[i : i + 125] + b"\r\n" for i in range(0, 500, 125)) + b"0\r\n\r\n"
    whole = CHUNKED + chunks if in_chunks else head(Content_Length=500) + BODY
    broken.acts = [raw(whole[:at])] * 2 + [raw(whole)]
    assert get(broken) == BODY


@given(st.integers(0, 36), st.binary(min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_head_with_anything_in_it_gives_the_bytes_or_one_line(broken, at, noise):
    whole = head(Content_Length=500) + BODY
    broken.acts = [raw(whole[:at] + noise + whole[at + len(noise) :])]
    with contextlib.suppress(http.FailedError):
        # A length that became shorter, or was lost, cannot be told from a right one.
        assert get(broken) in whole


@pytest.fixture(scope="module")
def broken():
    with lying(GOOD) as server:
        yield server


@pytest.mark.parametrize(
    ("to", "said"),
    [
        (
            "file:///etc/passwd",
            "the server redirects to file:///etc/passwd, not to https or http",
        ),
        (
            "ftp://127.0.0.1/x",
            "the server redirects to ftp://127.0.0.1/x, not to https or http",
        ),
        ("data:text/plain,x", "not to https or http"),
        ("http://[bad", "no valid address"),
        ("http://127.0.0.1:99999999/", "no valid address"),
        ("\xff\xfe", "no valid address|more than 5 times"),
        ("/", "the server redirects more than 5 times"),
    ],
)
def test_where_nobody_should_follow(to, said):
    with lying(raw(head("302 Found", Location=to), b"x" * 9999, forever=True)) as server:
        assert re.search(said, failure(server, http.ContentError))


def test_a_redirect_is_followed():
    with lying(raw(head("301 Moved", Location="/there") + b"x" * 50), GOOD) as server:
        assert get(server) == BODY
        assert [asked["path"] for asked in server.asked] == ["/", "/there"]


def test_what_was_safe_stays_safe():
    answer = requests.Response()
    answer.status_code, answer.url, answer.raw = 302, "https://a.example/x", urllib3.HTTPResponse()
    answer.headers["Location"] = "http://a.example/x"
    with http.session("page", 1) as web, pytest.raises(http.ContentError, match=r"not to https$"):
        web.get_redirect_target(answer)


def test_nobody_there():
    with lying(GOOD) as server:
        pass
    assert failure(server, http.LinkError) == "no connection (refused), 4 times"


def test_an_unknown_host(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(http.LinkError, match=r"^no connection \(unknown host\)(, [1-4] times)?$"):
        receive("https://nowhere.example/", "page", 1)


def test_a_server_that_does_not_speak_tls():
    class Plain(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1 << 16)
            self.request.sendall(head("400 Bad Request"))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Plain) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"https://127.0.0.1:{server.server_address[1]}/"
        with pytest.raises(http.LinkError, match=r"^no safe connection \(TLS: [a-z ]+\)(, [1-4] times)?$"):
            receive(url, "page", 1)
        server.shutdown()


def test_a_certificate_that_is_not_trusted_is_not_tried_again():
    distrusted = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    distrusted.verify_message = "self-signed certificate"
    with http.session("page", 1) as web:
        retry = web.get_adapter("https://").max_retries
        with pytest.raises(urllib3.exceptions.MaxRetryError) as raised:
            retry.increment("GET", "/", error=urllib3.exceptions.SSLError(distrusted))
        error = http.explained(requests.exceptions.SSLError(raised.value), web.watch)
    assert str(error) == "no safe connection (TLS: self-signed certificate)"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(101, "Network is unreachable"), r"the connection broke off \(Network is unreachable\)"),
        (requests.exceptions.MissingSchema("x"), "no valid address; give one that starts with https://"),
        (urllib3.exceptions.ConnectTimeoutError("late"), r"no connection \(no reply within 1 s\)"),
        (urllib3.exceptions.ProxyError("x", OSError(111, "proxy down")), r"through the proxy: proxy down\)"),
        (requests.exceptions.ProxyError(), r"broke off \(ProxyError\)"),
        (TimeoutError(), "no answer within 0.25 s"),
        (BrokenPipeError(), "the connection broke off"),
    ],
)
def test_what_libraries_say_in_other_words(error, said):
    with http.session("page", 1) as web:
        assert re.search(said, str(http.explained(error, web.watch)))


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "nonsense", "http://", "https://[::1", "http://a:b/", "", "http://a..b/"]
)
def test_addresses_that_are_none(url):
    with pytest.raises(http.ContentError, match=r"^no valid address; give one that starts with https://$"):
        receive(url, "page", 1)


def test_a_check_that_asks_again_does_so_a_bounded_number_of_times():
    def never(_):
        raise http.BrokeOffError("not this one")

    with lying(GOOD) as server:
        assert failure(server, check=never) == "not this one, 4 times"
        assert len(server.asked) == 4
        assert failure(server, check=lambda _: 501) == "500 of 501 bytes came, 4 times"
