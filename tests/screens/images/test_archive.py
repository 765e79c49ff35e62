"""Members come out of archives of any size, and broken archives are named."""

import contextlib
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import DataError
from helpers.screens.images.archive import Archive, LocalFile

NAMES = [f"images/HRCE-1/Plate{plate}/AA02_s1_w{w}.png" for plate in (2, 25) for w in range(1, 6)]


def content(name: str) -> bytes:
    return name.encode() * 200


def write(path: Path, *, prefix: str = "", gap: int = 0, **look) -> Path:
    """Write an archive that starts after a hole of `gap` bytes, which takes no room on disk."""
    with path.open("wb") as file:
        file.seek(gap)
        with zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED, **look) as archive:
            for name in NAMES:
                archive.writestr(prefix + name, content(name))
            archive.comment = b"PK\x05\x06 is no end of an archive when it stands in a comment"[5:]
    return path


def read(path: Path, name: str) -> bytes:
    archive = Archive(LocalFile(path))
    return archive.read(archive.find(name))


@pytest.mark.parametrize("prefix", ["", "RxRx19a/", "a folder/größer/"])
def test_every_member_is_found_under_any_folder(tmp_path, prefix):
    path = write(tmp_path / "a.zip", prefix=prefix)
    for name in NAMES:
        assert read(path, name) == content(name)


def test_offsets_beyond_four_gigabytes(tmp_path):
    path = write(tmp_path / "a.zip", gap=5 << 30)
    assert path.stat().st_size > 5 << 30
    assert path.stat().st_blocks * 512 < 1 << 20, "this test relies on holes in files"
    for name in NAMES:
        assert read(path, name) == content(name)


@pytest.mark.slow
def test_more_members_than_sixteen_bits_count(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(66_000):
            archive.writestr(f"images/HRCE-1/Plate{number}/AA02_s1_w1.png", str(number))
    with zipfile.ZipFile(path) as archive:
        assert len(archive.filelist) == 66_000
    for number in (0, 7, 65_535, 65_999):
        assert read(path, f"images/HRCE-1/Plate{number}/AA02_s1_w1.png") == str(number).encode()
    assert Archive(LocalFile(path)).find("images/HRCE-1/Plate66000/AA02_s1_w1.png") is None


def test_half_a_name_is_no_name(tmp_path):
    archive = Archive(LocalFile(write(tmp_path / "a.zip")))
    assert archive.find("AA02_s1_w1.png").name == NAMES[0]
    assert archive.find("A02_s1_w1.png") is None
    assert archive.find("images/HRCE-1/Plate2") is None


def test_extra_fields_of_any_length(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo(NAMES[0])
        info.extra = b"\x99\x99" + (3000).to_bytes(2, "little") + bytes(3000)
        archive.writestr(info, content(NAMES[0]))
    assert read(path, NAMES[0]) == content(NAMES[0])


def test_streamed_members_have_their_sizes_in_the_list_only(tmp_path):
    class Pipe(io.RawIOBase):
        def __init__(self, file):
            self.file = file

        def writable(self):
            return True

        def write(self, data):
            return self.file.write(data)

    path = tmp_path / "a.zip"
    with path.open("wb") as file, zipfile.ZipFile(Pipe(file), "w") as archive:
        archive.writestr(NAMES[0], content(NAMES[0]), compress_type=zipfile.ZIP_DEFLATED)
    assert read(path, NAMES[0]) == content(NAMES[0])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[:-200], "no ZIP archive, or one that is cut off"),
        (lambda _: b"", "no ZIP archive"),
        (lambda _: b"x" * 100_000, "no ZIP archive"),
        (lambda data: data[500:], "not where the list|outside the archive"),
        (lambda data: data[:80] + b"\xff" * 30 + data[110:], "damaged"),
        (lambda data: b"XX" + data[2:], "not where the list of members says"),
    ],
)
def test_a_broken_archive_is_named(tmp_path, spoil, said):
    path = write(tmp_path / "broken.zip")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=said) as raised:
        read(path, NAMES[0])
    assert "broken.zip" in str(raised.value)


def test_other_ways_of_packing_are_refused_by_number(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_BZIP2) as archive:
        archive.writestr(NAMES[0], content(NAMES[0]))
    with pytest.raises(DataError, match="packed by method 12; allowed are stored and deflated"):
        read(path, NAMES[0])


@pytest.fixture(scope="module")
def noisy(tmp_path_factory) -> tuple[Path, bytes]:
    path = write(tmp_path_factory.mktemp("noisy") / "a.zip")
    return path, path.read_bytes()


@given(st.floats(0, 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_wrong_bytes_anywhere_give_the_right_member_or_one_line(noisy, where, noise):
    """Most of all in the list of members and the records behind it, which are read before anything is checked."""
    path, data = noisy
    at = int(where * len(data))
    path.write_bytes((data[:at] + noise + data[at + len(noise) :])[: len(data)])
    with contextlib.suppress(DataError):
        archive = Archive(LocalFile(path))
        member = archive.find(NAMES[3])
        assert member is None or archive.read(member) == content(NAMES[3])
