"""Compressed tables made plain."""

import zipfile

import pytest

from helpers.screens.problems import BrokenFileError
from helpers.screens.tables import open_tables
from helpers.screens.unpack import unpack


def test_members_are_unpacked_under_their_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("in/a.csv", "x\n1\n")
    ((plain, label),) = unpack(tmp_path / "t.zip", tmp_path)
    assert label == "t.zip:in/a.csv"
    assert plain.read_text() == "x\n1\n"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_one_line_whatever_packed_it(tmp_path, method):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.csv", "x\n" + "\n".join(map(str, range(5000))))
    data = bytearray(path.read_bytes())
    data[60:400] = bytes(b ^ 255 for b in data[60:400])
    path.write_bytes(data)
    with (
        pytest.raises(BrokenFileError, match=r"t\.zip: member a\.csv is cut off or damaged"),
        open_tables(path),
    ):
        pass
