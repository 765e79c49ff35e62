"""Packed data: the right bytes, or one line that names the member, and never more memory than a block."""

import bz2
import gzip
import io
import lzma
import re
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.screens.packed import BLOCK, PackedError, check_archive, member_blocks, unpacking
from helpers.screens.problems import BrokenFileError
from helpers.screens.tables import open_tables

METHODS = {"stored": 0, "deflated": 8, "bzip2": 12, "lzma": 14}
TEXT = b"plate,well\n" + b"".join(b"%d,A%02d\n" % (n, n % 24) for n in range(5000))


def zipped(method: int, data: bytes = TEXT) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a.csv", data)
    return file.getvalue()


def unpacked(path: Path) -> bytes:
    with unpacking("the archive"):
        archive = zipfile.ZipFile(path)
    with archive:
        return b"".join(member_blocks(archive, archive.getinfo("a.csv")))


def refusal(path: Path) -> str:
    """Return what is said of an archive, which is the same for a table and for a download."""
    with pytest.raises(PackedError) as raised:
        check_archive(path, 10**9)
    assert "\n" not in str(raised.value)
    with pytest.raises(BrokenFileError) as of_table, open_tables(path):
        pass
    assert str(of_table.value).startswith(f"{path.name}:")
    assert "\n" not in str(of_table.value)
    return f"{raised.value}; {raised.value.advice}"


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_every_method_gives_the_bytes(method, tmp_path):
    path = tmp_path / "t.zip"
    for data in (TEXT, b"", bytes(3 * BLOCK + 5)):
        path.write_bytes(zipped(method, data))
        assert unpacked(path) == data
    path.write_bytes(zipped(method))
    with open_tables(path) as (table,):
        assert table.text(("plate",)).height == 5000


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_a_damaged_member_is_named(method, tmp_path):
    """A flipped bit in the middle meets an error of another library with each method."""
    path, data = tmp_path / "t.zip", bytearray(zipped(method))
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert refusal(path).startswith("member a.csv is cut off or damaged (")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("bent") / "t.zip"


@given(
    st.sampled_from(list(METHODS.values())), st.floats(0, 1), st.binary(min_size=1, max_size=6), st.booleans()
)
@settings(max_examples=150, deadline=None)
def test_wrong_bytes_anywhere_give_the_right_bytes_or_one_line(place, method, where, noise, is_cut):
    """Also in the list of members and in the heads, where sizes, flags, methods and names stand."""
    data = zipped(method, TEXT[:3000])
    at = int(where * len(data))
    place.write_bytes(data[:at] if is_cut else (data[:at] + noise + data[at + len(noise) :])[: len(data)])
    said = ""
    try:
        with unpacking("the archive"):
            archive = zipfile.ZipFile(place)
        with archive:
            for member in archive.infolist():
                assert b"".join(member_blocks(archive, member)) == TEXT[:3000][: member.file_size]
    except PackedError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 300


@pytest.mark.parametrize(
    ("offset", "number", "said"),
    [
        (8, 1, "member a.csv is encrypted; unpack it with its password first"),
        (
            10,
            9,
            r"is packed by method 9 \(deflate64\); allowed are deflate, bzip2, lzma and none; pack it again",
        ),
        (10, 77, r"is packed by method 77 \(unknown\)"),
    ],
    ids=["encrypted", "deflate64", "unknown"],
)
def test_what_cannot_be_unpacked_says_what_to_do_instead(offset, number, said, tmp_path):
    data = bytearray(zipped(8))
    data[data.index(b"PK\x01\x02") + offset] = number
    (tmp_path / "t.zip").write_bytes(data)
    assert re.search(said, refusal(tmp_path / "t.zip"))


@pytest.mark.parametrize("method", [8, 12, 14], ids=["deflated", "bzip2", "lzma"])
@pytest.mark.parametrize("is_honest", [True, False], ids=["honest", "lying"])
def test_a_bomb_never_fills_the_memory(method, is_honest, tmp_path):
    """40 MB of nothing in a few hundred bytes; one that lies says it had a thousand."""
    data = bytearray(zipped(method, bytes(40 * BLOCK)))
    if not is_honest:
        at = data.index(b"PK\x01\x02") + 24
        data[at : at + 4] = (1000).to_bytes(4, "little")
    (tmp_path / "t.zip").write_bytes(data)
    tracemalloc.start()
    if is_honest:
        check_archive(tmp_path / "t.zip", 10**9)
    else:
        with pytest.raises(PackedError, match=r"member a.csv is cut off or damaged"):
            check_archive(tmp_path / "t.zip", 10**9)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 24 * BLOCK, "lzma asks for a dictionary of 8 MB"


def test_an_archive_that_would_fill_the_disk_is_refused_unread(tmp_path):
    (tmp_path / "t.zip").write_bytes(zipped(8))
    with pytest.raises(
        PackedError, match=rf"the archive has {len(TEXT):,} bytes when unpacked; allowed are 1,000"
    ):
        check_archive(tmp_path / "t.zip", 1000)


@pytest.mark.parametrize(
    "call",
    [
        lambda: zlib.decompress(b"x"),
        lambda: lzma.decompress(b"x" * 50),
        lambda: bz2.decompress(b"x" * 50),
        lambda: gzip.decompress(gzip.compress(TEXT)[:-5]),
        lambda: gzip.decompress(b"x" * 50),
        lambda: zipfile.ZipFile(io.BytesIO(b"x")),
    ],
)
def test_every_library_says_it_in_the_same_words(call):
    with pytest.raises(PackedError, match=r"^member b is cut off or damaged \("), unpacking("member b"):
        call()


def test_a_list_that_speaks_of_places_before_the_file_is_damage(tmp_path):
    (tmp_path / "t.zip").write_bytes(zipped(8)[500:])
    assert "is cut off or damaged (" in refusal(tmp_path / "t.zip")


def test_an_error_of_the_disk_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError), unpacking("member b"):
        (tmp_path / "nowhere").read_bytes()
