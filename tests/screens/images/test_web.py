"""Single files and ranges: the right bytes, or one line that says what to do."""

import errno
import io
import re
import struct
import time
import tracemalloc
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.errors import DataError
from helpers.screens import http
from helpers.screens.images import archive as archives
from helpers.screens.images import web
from helpers.screens.images.archive import Archive, WebFile
from screens.liar import BODY, CHUNKED, answer, fill, head, lying, raw, silent

SPAN = (100, 150)
NAME = "images/HRCE-1/Plate25/AA02_s1_w1.png"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(http, "PAUSE", 0.001)
    monkeypatch.setitem(http.PATIENCE, "piece", http.Patience(connect=1, silence=0.25, whole=2))


def part(data: bytes = BODY[100:150], said: str | None = "bytes 100-149/500", **headers):
    look = {"Content_Length": len(data), "Content_Range": said, "ETag": '"one"'} | headers
    return raw(head("206 Partial", **{name: text for name, text in look.items() if text is not None}) + data)


def complaint(call) -> str:
    start = time.monotonic()
    with pytest.raises(DataError) as raised:
        call()
    assert time.monotonic() - start < 10
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_range_comes_with_the_length_and_the_version_of_the_whole():
    with lying(part()) as server:
        assert web.fetch(server.url, span=SPAN) == web.Piece(BODY[100:150], 500, '"one"')
        assert server.asked[0]["range"] == "bytes=100-149"


def test_a_range_beyond_the_end_is_shorter():
    with lying(part(BODY[480:], "bytes 480-499/500")) as server:
        assert web.fetch(server.url, span=(480, 530)).data == BODY[480:]


def test_a_whole_file_has_its_own_length_whatever_else_is_said():
    with lying(answer(Content_Range="bytes 0-9/10", Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")) as server:
        assert web.fetch(server.url) == web.Piece(BODY, 500, "Mon, 01 Jan 2024 00:00:00 GMT")


WRONG = {
    "starts elsewhere": part(BODY[101:151], "bytes 101-150/500"),
    "ends early": part(BODY[100:140], "bytes 100-139/500"),
    "fewer bytes than it says": part(BODY[100:140]),
    "more bytes than it says": part(BODY[100:160], Content_Length=None),
    "another length": part(BODY[100:149], Content_Length=49),
    "no range": part(said=None),
    "no total": part(said="bytes 100-149/*"),
    "no sense": part(said="bytes -1-9/x"),
    "backwards": part(said="bytes 149-100/500"),
    "several": part(said=None, Content_Type="multipart/byteranges; boundary=x"),
}


@pytest.mark.parametrize("lie", WRONG.values(), ids=WRONG.keys())
def test_a_range_that_is_another_is_not_taken(lie):
    with lying(lie) as server:
        said = complaint(lambda: web.fetch(server.url, span=SPAN))
        assert re.search("another range|broke off|more bytes come", said)
        server.acts = [lie, part()] if "more bytes" not in said else [part()]
        assert web.fetch(server.url, span=SPAN).data == BODY[100:150]


@pytest.mark.parametrize("code", [403, 404, 410])
def test_what_is_missing(code):
    with lying(answer(b"", f"{code} No")) as server:
        assert not web.exists(server.url)
        with pytest.raises(
            web.MissingError, match=f"the server answers {code} No: no such file there; check the site"
        ):
            web.fetch(server.url)


@pytest.mark.parametrize("act", [part(BODY[:1], "bytes 0-0/500"), answer()], ids=["ranges", "no ranges"])
def test_what_is_there(act):
    with lying(act) as server:
        assert web.exists(server.url)


REFUSALS = {
    "busy for hours": (answer(b"", "503 Busy", Retry_After="7200"), "503 Busy and asks to wait 2 h; try again later"),
    "refused": (answer(b"", "401 Who are you"), "401 Who are you; open the address in a browser, or give a local"),
    "a web page": (answer(Content_Type="text/html"), "a web page came instead .*; open the address in a browser, or"),
    "packed": (answer(Content_Encoding="br"), r"packs what it sends \(br\), which was not asked for; open"),
    "silent": (silent, "no answer within 0.25 s, .*; check the network, or give a local folder"),
    "drips": (raw(head(), b"x", pause=0.05, forever=True), "no whole answer within 2 s; check the network, or"),
    "led to a file": (raw(head("302 Found", Location="file:///etc/passwd")), "redirects to file:///etc/passwd, not to"),
}  # fmt: skip


@pytest.mark.parametrize(("act", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_names_the_way_out(act, said):
    with lying(act) as server:
        text = complaint(lambda: web.fetch(server.url))
        assert text.startswith(server.url)
        assert re.search(said, text)
        assert "or give a local folder or zip of the images: open_images('FOLDER')" in text


def test_no_ranges():
    with lying(answer()) as server:
        assert "no ranges; give the address of single files" in complaint(
            lambda: web.fetch(server.url, span=SPAN)
        )


@pytest.mark.parametrize(
    "act",
    [
        raw(head(), bytes(1 << 20), forever=True),
        raw(CHUNKED, b"100000\r\n" + bytes(1 << 20) + b"\r\n", forever=True),
        raw(head(Content_Length=10**12), bytes(1 << 20), forever=True),
    ],
    ids=["no length", "chunks", "announced"],
)
def test_no_more_is_held_than_an_image_can_have(act, monkeypatch):
    monkeypatch.setattr(web, "LARGEST", 3 << 20)
    with lying(act) as server:
        tracemalloc.start()
        assert "more bytes come than the 3,145,728 that" in complaint(lambda: web.fetch(server.url))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 30 << 20


# A zip on a server: its list of members may lie about everything.


def zipped(data: bytes = b"pixels" * 200, method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(NAME, data, compress_type=method)
    return bytearray(file.getvalue())


def ranges(data: bytes):
    """Send the range that is asked for."""

    def act(handler):
        start, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        last = min(last, len(data) - 1)
        part(bytes(data[start : last + 1]), f"bytes {start}-{last}/{len(data)}")(handler)

    return act


def entry(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


def lie(data: bytearray, at: int, form: str, *numbers: int) -> bytearray:
    """Change numbers of the entry in the list of members."""
    struct.pack_into(form, data, entry(data) + at, *numbers)
    return data


def wide(data: bytearray, *numbers: int) -> bytearray:
    """Give the entry 64-bit numbers, size first."""
    at, extra = entry(data), struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
    struct.pack_into("<H", data, at + 30, len(extra))
    struct.pack_into(
        f"<{len(numbers)}I", data, at + (20 if len(numbers) > 1 else 24), *[0xFFFFFFFF] * len(numbers)
    )
    end = at + 46 + len(NAME)
    data[end:end] = extra
    size = struct.unpack_from("<I", data, len(data) - 22 + 12)[0]
    struct.pack_into("<I", data, len(data) - 22 + 12, size + len(extra))
    return data


def bomb(says: int) -> bytearray:
    data = zipped(bytes(50 << 20))
    return lie(data, 24, "<I", says)


LIES = {
    "a size of terabytes": (
        lambda: wide(zipped(), 1 << 40),
        "is said to have 1,099,511,627,776 bytes; allowed are",
    ),
    "no number is large enough": (
        lambda: wide(zipped(), 2**64 - 1, 2**64 - 1),
        "is said to have 18,446,744,073",
    ),
    "packed into gigabytes": (lambda: lie(zipped(), 20, "<I", 10**9), "is said to have 1,000,000,000 bytes"),
    "packed into nothing": (lambda: lie(zipped(), 20, "<I", 0), "is damaged"),
    "packed beyond the end": (lambda: lie(zipped(method=0), 20, "<I", 10**6), "is damaged"),
    "a size too small": (lambda: lie(zipped(), 24, "<I", 7), "is damaged"),
    "a size too large": (lambda: lie(zipped(), 24, "<I", 10**6), "is damaged"),
    "unpacks to far more": (lambda: bomb(1000), "is damaged"),
    "another checksum": (lambda: lie(zipped(), 16, "<I", 5), "is damaged"),
    "lies elsewhere": (lambda: lie(zipped(), 42, "<I", 9), "is not where the list of members says"),
    "lies beyond the end": (lambda: lie(zipped(), 42, "<I", 10**9), "is not where the list of members says"),
    "an extra field beyond the end": (
        lambda: lie(wide(zipped(), 5), 46 + len(NAME) + 2, "<H", 999),
        "allowed are",
    ),
    "a list of gigabytes": (
        lambda: zipped()[:-10] + struct.pack("<I", 2**31) + bytes(6),
        "outside the archive",
    ),
}


@pytest.mark.parametrize(("data", "said"), LIES.values(), ids=LIES.keys())
def test_a_list_of_members_that_lies(data, said, tmp_path):
    data = bytes(data())
    with lying(ranges(data)) as server:
        archive = Archive(WebFile(server.url, tmp_path))
        tracemalloc.start()
        text = complaint(lambda: archive.read(archive.find(NAME)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert re.search(said, text)
        assert most < 20 << 20
        server.acts = [ranges(zipped())]
        again = Archive(WebFile(server.url + "other", tmp_path / "other"))
        assert again.read(again.find(NAME)) == b"pixels" * 200


def test_a_member_behind_64_bit_numbers_is_read(tmp_path):
    packed = zlib.compressobj(wbits=-15)
    length = len(packed.compress(b"pixels" * 200) + packed.flush())
    with lying(ranges(bytes(wide(zipped(), 1200)))) as server:
        archive = Archive(WebFile(server.url, tmp_path))
        member = archive.find(NAME)
        assert (member.size, member.packed) == (1200, pytest.approx(length, abs=8))
        assert archive.read(member) == b"pixels" * 200


def test_a_list_of_members_that_is_too_long_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LONGEST_LIST", 20)
    with lying(ranges(zipped())) as server:
        text = complaint(lambda: Archive(WebFile(server.url, tmp_path)).find(NAME))
    assert "its list of members would have" in text
    assert "allowed are 20: give the address of single files" in text


@pytest.mark.parametrize("what", ["cut", "folder", "empty", "a bit", "longer", "a link"])
def test_a_kept_list_that_broke_is_fetched_anew(what, tmp_path):
    with lying(ranges(zipped())) as server:
        Archive(WebFile(server.url, tmp_path)).find(NAME)
        (kept,) = tmp_path.glob("members-*.bin")
        data = kept.read_bytes()
        kept.unlink()
        if what == "folder":
            kept.mkdir()
        elif what == "a link":
            kept.symlink_to(tmp_path / "nowhere")
        else:
            bit = bytes([data[0] ^ 1]) + data[1:]
            kept.write_bytes({"cut": data[:-1], "empty": b"", "a bit": bit, "longer": data + b"x"}[what])
        assert Archive(WebFile(server.url, tmp_path)).find(NAME).name == NAME
        assert kept.read_bytes() == data


@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "is read-only")]
)
def test_a_list_that_cannot_be_written(code, said, tmp_path, monkeypatch):
    fill(monkeypatch, ".bin", code=code)
    with lying(ranges(zipped())) as server:
        text = complaint(lambda: Archive(WebFile(server.url, tmp_path)).find(NAME))
    assert said in text
    assert "free space or set RXRX19_CACHE to another folder" in text


def test_ranges_that_come_short_do_not_hide_members(tmp_path):
    """A list of which the end is missing would look as if images were absent."""
    data = bytes(zipped())

    def short(handler):
        start, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        last = min(last, len(data) - 1)
        stop = max(start + 1, (start + last) // 2)
        part(data[start:stop], f"bytes {start}-{stop - 1}/{len(data)}")(handler)

    with lying(short) as server:
        text = complaint(lambda: Archive(WebFile(server.url, tmp_path)).find(NAME))
    assert "the server sends another range than the one asked for, 4 times" in text


def test_a_list_of_which_nobody_knows_the_version_is_fetched_each_time(tmp_path):
    """Another archive may lie there by now, its list as long as that of the first."""

    def untagged(data):
        def act(handler):
            start, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
            last = min(last, len(data) - 1)
            part(bytes(data[start : last + 1]), f"bytes {start}-{last}/{len(data)}", ETag=None)(handler)

        return act

    with lying(untagged(zipped(b"pixels", method=0))) as server:
        archive = Archive(WebFile(server.url, tmp_path))
        assert archive.read(archive.find(NAME)) == b"pixels"
        server.acts = [untagged(zipped(b"others", method=0))]
        archive = Archive(WebFile(server.url, tmp_path))
        assert archive.read(archive.find(NAME)) == b"others"


def test_a_list_is_fetched_once_by_those_who_ask_at_the_same_time(tmp_path):
    """And what a killed one left half-fetched is swept away."""
    asked = []

    def slow(handler):
        first = handler.headers["Range"]
        if first != "bytes=0-0":
            asked.append(first)
            time.sleep(0.05)
        ranges(bytes(zipped()))(handler)

    with lying(slow) as server:
        Archive(WebFile(server.url, tmp_path)).find(NAME)
        (kept,) = tmp_path.glob("members-*.bin")
        kept.rename(tmp_path / "once")
        n_asked, half = len(asked), tmp_path / f".{kept.name}.abcd_123"
        half.mkdir()
        with ThreadPoolExecutor(3) as pool:
            calls = [pool.submit(Archive(WebFile(server.url, tmp_path)).find, NAME) for _ in range(3)]
            assert [call.result(10).name for call in calls] == [NAME] * 3
        of_list = asked[n_asked - 1]
        assert asked[n_asked:].count(of_list) == 1
    assert kept.read_bytes() == (tmp_path / "once").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([kept.name, "once"])
