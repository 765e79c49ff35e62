"""A valid screen of a handful of wells, and ways to break it: one slip each, and what must be said about it.

The table `BROKEN` is shared by the tests of reading, checking and the command line.
"""

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ACTIVE, MOCK, UV = "Active SARS-CoV-2", "Mock", "UV Inactivated SARS-CoV-2"
# Well: condition, treatment, dose in uM, structure.
WELLS = {
    "B08": (None, None, None, None),
    "C02": (ACTIVE, None, None, None),
    "D02": (ACTIVE, None, None, None),
    "E08": (MOCK, None, None, None),
    "F03": (ACTIVE, "TWN-0001", 0.1, "CCO |c:1,t:2|"),
    "F04": (ACTIVE, "TWN-0001", 10.0, "CCO"),
    "M08": (UV, None, None, None),
    "AA03": (ACTIVE, "TWN-0002", 0.1, "c1ccccc1"),
}
FEATURES = ["feature_0", "feature_1", "feature_2", "feature_10"]


def metadata(plates: tuple[int, ...] = (2, 10)) -> pd.DataFrame:
    """Return the metadata of one experiment, in RxRx19a's columns."""
    rows = [
        (
            f"HRCE-1_{plate}_{well}_{site}",
            f"HRCE-1_{plate}_{well}",
            "HRCE",
            "HRCE-1",
            plate,
            well,
            site,
            *what,
        )
        for plate in plates
        for well, what in WELLS.items()
        for site in (1, 2, 3, 4)
    ]
    names = "site_id well_id cell_type experiment plate well site disease_condition treatment treatment_conc SMILES"
    return pd.DataFrame(rows, columns=names.split())


def embeddings(ids: pd.Series) -> pd.DataFrame:
    """Return four features per site, different in every cell."""
    values = np.arange(len(ids) * len(FEATURES), dtype=np.float32).reshape(len(ids), -1) / 8
    table = pd.DataFrame(values, columns=FEATURES)
    table.insert(0, "site_id", ids.to_list())
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format of its suffix."""
    text = table.to_csv(index=False)
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    elif path.name.endswith(".csv.gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"RxRx19a/{path.stem}.csv", text)
    else:
        path.write_text(text)


def write_screen(folder: Path, *, suffix: str = ".csv", order: np.ndarray | None = None) -> Path:
    """Write the valid screen, its rows in the given order."""
    folder.mkdir(parents=True, exist_ok=True)
    table = metadata()
    features = embeddings(table["site_id"])
    if order is not None:
        table, features = table.iloc[order], features.iloc[order[::-1]]
    write_table(table, folder / f"metadata{suffix}")
    write_table(features, folder / f"embeddings{suffix}")
    return folder


@dataclass(frozen=True)
class Broken:
    """One way to break the valid screen.

    Parameters
    ----------
    name : str
        For the test's id.
    do : callable
        Breaks the screen in the folder it is given.
    says : tuple of str
        What the one line must hold: the file, the place, what is allowed or what to do.
    """

    name: str
    do: Callable[[Path], object]
    says: tuple[str, ...]


def _edit(file: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Return a breaker that changes a table."""

    def do(folder: Path) -> None:
        path = folder / file
        table = pd.read_csv(path, dtype=object)
        changed = change(table)
        (table if changed is None else changed).to_csv(path, index=False)

    return do


def _set(file: str, row: int, column: str, value: object) -> Callable[[Path], None]:
    """Return a breaker that writes one cell; row 0 is line 2 of the file."""

    def change(table: pd.DataFrame) -> None:
        table.loc[row, column] = value

    return _edit(file, change)


def _bytes(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return a breaker that changes a file's bytes."""

    def do(folder: Path) -> None:
        (folder / file).write_bytes(change((folder / file).read_bytes()))

    return do


def _repack(file: str, suffix: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return a breaker that writes a table in another format and then changes its bytes."""

    def do(folder: Path) -> None:
        plain = folder / f"{file}.csv"
        packed = folder / f"{file}{suffix}"
        write_table(pd.read_csv(plain), packed)
        plain.unlink()
        packed.write_bytes(change(packed.read_bytes()))

    return do


def _all_sites(column: str, wells: tuple[str, ...], value: object) -> Callable[[Path], None]:
    """Return a breaker that writes a column in all sites of some wells, on every plate."""

    def change(table: pd.DataFrame) -> None:
        table.loc[table["well"].isin(wells), column] = value

    return _edit("metadata.csv", change)


def _zip_of(*members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in members:
            archive.writestr(member, "nothing")
    return buffer.getvalue()


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda data: b"".join(change(data.splitlines(keepends=True)))


def _line(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return _lines(lambda rows: [change(row) if i == number else row for i, row in enumerate(rows, 1)])


def _gzipped_nul(packed: bytes) -> bytes:
    return gzip.compress(gzip.decompress(packed) + b"\0" * 9000)


HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
M, E = "metadata.csv", "embeddings.csv"

BROKEN = [
    # The folder and its files.
    Broken("no_metadata", lambda d: (d / M).unlink(), ("no metadata file", "metadata.csv", "embeddings.csv")),
    Broken("empty_file", _bytes(M, lambda _: b""), (M, "is empty", "again")),
    Broken("only_blank_lines", _bytes(E, lambda _: b"\n\n \n"), (E, "is empty", "again")),
    Broken("header_only", _bytes(M, _lines(lambda rows: rows[:1])), (M, "no rows", "again")),
    Broken("html_page", _bytes(E, lambda _: HTML), (E, "web page", "browser")),
    Broken("html_as_zip", _repack("metadata", ".zip", lambda _: HTML), ("metadata.zip", "web page", "again")),
    Broken("lfs_pointer", _bytes(E, lambda _: LFS), (E, "git-lfs", "git lfs pull")),
    Broken(
        "annex_pointer",
        _bytes(M, lambda _: b"/annex/objects/SHA256E-s46--00.csv\n"),
        (M, "git-annex", "git annex get"),
    ),
    Broken(
        "annex_link",
        lambda d: ((d / E).unlink(), (d / E).symlink_to(".git/annex/objects/x/SHA256E-s1")),
        (E, "link", "git annex get"),
    ),
    Broken(
        "truncated_zip",
        _repack("embeddings", ".zip", lambda b: b[: len(b) // 2]),
        ("embeddings.zip", "cut off", "again"),
    ),
    Broken(
        "corrupt_zip",
        _repack("metadata", ".zip", lambda b: b[:90] + b"\xff" * 40 + b[130:]),
        ("metadata.zip", "damaged", "again"),
    ),
    Broken(
        "not_a_zip",
        _repack("metadata", ".zip", lambda _: b"site_id,well_id\n"),
        ("metadata.zip", "is not a zip archive", "ending"),
    ),
    Broken(
        "zip_without_csv",
        _repack("metadata", ".zip", lambda _: _zip_of("README.txt")),
        ("metadata.zip", "no .csv", "README.txt"),
    ),
    Broken("zip_named_csv", _bytes(M, lambda _: _zip_of("metadata.csv")), (M, "a zip archive", "ending")),
    Broken(
        "truncated_gz",
        _repack("embeddings", ".csv.gz", lambda b: b[: len(b) // 2]),
        ("embeddings.csv.gz", "cut off", "again"),
    ),
    Broken(
        "not_a_gz",
        _repack("embeddings", ".csv.gz", lambda _: b"site_id,feature_0\na,1\n"),
        ("embeddings.csv.gz", "is not gzip", "ending"),
    ),
    Broken(
        "truncated_parquet",
        _repack("embeddings", ".parquet", lambda b: b[: len(b) // 2]),
        ("embeddings.parquet", "damaged", "again"),
    ),
    Broken(
        "not_a_parquet",
        _repack("metadata", ".parquet", lambda _: b"site_id\n"),
        ("metadata.parquet", "is not Parquet", "ending"),
    ),
    Broken("utf16", _bytes(M, lambda b: b.decode().encode("utf-16")), (M, "UTF-16", "UTF-8")),
    Broken(
        "not_utf8",
        _bytes(M, _line(18, lambda row: row.replace(b"TWN-0001", b"\xb2-estradiol"))),
        (M, "line 18", "UTF-8"),
    ),
    Broken("not_utf8_embeddings", _bytes(E, _line(4, lambda row: b"\xb2" + row[1:])), (E, "line 4", "UTF-8")),
    Broken("old_mac_lines", _bytes(M, lambda b: b.replace(b"\n", b"\r")), (M, "line 1", "CR alone", "LF")),
    Broken(
        "old_mac_lines_embeddings", _bytes(E, lambda b: b.replace(b"\n", b"\r")), (E, "line 1", "CR alone")
    ),
    Broken(
        "old_mac_lines_below_the_header",
        _bytes(M, lambda b: b.replace(b"\n", b"\r").replace(b"\r", b"\n", 1)),
        (M, "line 2", "CR alone", "LF"),
    ),
    Broken("padded_with_nul", _bytes(M, lambda b: b + b"\0" * 9000), (M, "line 66", "NUL", "byte", "again")),
    Broken(
        "padded_with_nul_embeddings", _bytes(E, lambda b: b + b"\0" * 9000), (E, "line 66", "NUL", "again")
    ),
    Broken(
        "nul_in_a_name",
        _bytes(M, _line(18, lambda row: row.replace(b"TWN-0001", b"TWN-\x00001"))),
        (M, "line 18", "NUL", "byte", "again"),
    ),
    Broken(
        "nul_in_a_gzip", _repack("metadata", ".csv.gz", _gzipped_nul), ("metadata.csv.gz", "line 66", "NUL")
    ),
    Broken("a_pipe", lambda d: ((d / M).unlink(), os.mkfifo(d / M)), (M, "pipe", "regular files")),
    *(
        Broken(
            f"unread_{name}",
            lambda d, name=name: (d / E).rename(d / name),
            (name, "not read", "embeddings.csv.gz", "convert or rename"),
        )
        for name in (
            *("embeddings.csv.xz", "embeddings.csv.bz2", "embeddings.7z", "embeddings.tsv", "embeddings.npy"),
            *("my_embeddings.csv", "RxRx19a-DL-embeddings.h5"),
        )
    ),
    # Rows and columns.
    Broken("semicolons", _bytes(M, lambda b: b.replace(b",", b";")), (M, "line 1", "semicolons", "commas")),
    Broken(
        "long_row",
        _bytes(M, _line(7, lambda row: row.rstrip(b"\n") + b",x\n")),
        (M, "line 7", "12 cells", "11", "again"),
    ),
    Broken(
        "short_row",
        _bytes(M, _line(7, lambda _: b"HRCE-1_2_C02_2,HRCE-1_2_C02\n")),
        (M, "line 7", "2 cells", "11", "again"),
    ),
    Broken(
        "long_row_embeddings",
        _bytes(E, _line(9, lambda row: row.rstrip(b"\n") + b",1\n")),
        (E, "line 9", "6 cells", "5"),
    ),
    Broken(
        "cut_off_embeddings",
        _bytes(E, lambda b: b[: b.rindex(b",")]),
        (E, "line 65", "4 cells", "5", "again"),
    ),
    Broken(
        "open_quote",
        _bytes(M, _line(18, lambda row: row.replace(b"TWN", b'"TWN'))),
        (M, "line 18", "quotation mark", "again"),
    ),
    Broken(
        "missing_column", _edit(M, lambda t: t.drop(columns="well")), (M, "line 1", "'well'", "screen.yml")
    ),
    Broken(
        "misspelt_column",
        _edit(M, lambda t: t.rename(columns={"treatment_conc": "treatment_con"})),
        (M, "'treatment_conc'", "'treatment_con'", "meant"),
    ),
    Broken(
        "repeated_column",
        _bytes(E, _line(1, lambda row: row.replace(b"feature_10", b"feature_1"))),
        (E, "line 1", "'feature_1'", "twice", "keep one"),
    ),
    Broken(
        "unnamed_column",
        _edit(E, lambda t: t.rename(columns={"feature_1": ""})),
        (E, "line 1", "column 3", "remove"),
    ),
    Broken(
        "embeddings_without_ids",
        _edit(E, lambda t: t.drop(columns="site_id")),
        (E, "line 1", "'site_id'", "expected"),
    ),
    Broken("no_features", _edit(E, lambda t: t[["site_id"]]), (E, "line 1", "no feature", "expected")),
    # Cells of the embeddings.
    Broken(
        "text_in_embeddings", _set(E, 5, "feature_2", "high"), (E, "line 7", "feature_2", "'high'", "correct")
    ),
    Broken(
        "infinite_embeddings", _set(E, 5, "feature_2", "inf"), (E, "line 7", "feature_2", "'inf'", "finite")
    ),
    Broken(
        "nan_embeddings", _set(E, 63, "feature_10", "NaN"), (E, "line 65", "feature_10", "finite", "remove")
    ),
    Broken(
        "empty_cell_in_embeddings",
        _set(E, 0, "feature_0", None),
        (E, "line 2", "feature_0", "empty", "correct"),
    ),
    Broken(
        "text_column_in_embeddings",
        _edit(E, lambda t: t.assign(batch="one")),
        (E, "line 1", "'batch'", "no number", "remove"),
    ),
    Broken(
        "beyond_float32",
        _set(E, 5, "feature_2", "1e39"),
        (E, "line 7", "feature_2", "'1e39', beyond what float32 holds", "rescale"),
    ),
    Broken(
        "a_feature_beyond_float32",
        _edit(E, lambda t: t.assign(feature_1=[f"-{i}e39" for i in range(1, len(t) + 1)])),
        (E, "line", "feature_1", "'-1e39', beyond what float32 holds", "64 such cells"),
    ),
    Broken(
        "nothing_varies",
        _edit(E, lambda t: t.assign(**dict.fromkeys(FEATURES, "0.5"))),
        (E, "every one of 4 features", "one value in all 64 rows", "again"),
    ),
    # Ids.
    Broken(
        "repeated_id",
        _edit(M, lambda t: pd.concat([t, t.iloc[[9]]])),
        (M, "lines 11, 66", "'HRCE-1_2_D02_2'", "keep one"),
    ),
    Broken(
        "repeated_id_in_embeddings",
        _edit(E, lambda t: pd.concat([t, t.iloc[[9]]])),
        (E, "lines 11, 66", "'HRCE-1_2_D02_2'", "keep one"),
    ),
    Broken(
        "site_without_embeddings",
        _edit(E, lambda t: t.drop(index=[9, 12])),
        (M, "lines 11, 14", "'HRCE-1_2_D02_2'", "2 rows", E, "remove"),
    ),
    Broken(
        "embeddings_without_site",
        _edit(M, lambda t: t.drop(index=12)),
        (E, "line 14", "'HRCE-1_2_E08_1'", M, "remove"),
    ),
    Broken(
        "site_id_contradicts",
        _set(M, 8, "site", "3"),
        (M, "line 10", "site_id 'HRCE-1_2_D02_1'", "'HRCE-1_2_D02_3'", "correct"),
    ),
    Broken(
        "well_id_contradicts",
        _set(M, 8, "well_id", "HRCE-1_2_D03"),
        (M, "line 10", "well_id 'HRCE-1_2_D03'", "correct"),
    ),
    Broken("plate_contradicts", _set(M, 8, "plate", "3"), (M, "line 10", "'HRCE-1_3_D02'", "correct")),
    Broken("empty_id", _set(M, 8, "site_id", None), (M, "line 10", "site_id is empty", "remove the row")),
    Broken("no_such_well", _set(M, 8, "well", "AG02"), (M, "line 10", "'AG02'", "A to AF", "01 to 48")),
    Broken("no_such_site", _set(M, 8, "site", "one"), (M, "line 10", "'one'", "allowed")),
    # Conditions, treatments and doses.
    Broken(
        "unknown_condition",
        _all_sites("disease_condition", ("E08",), "mock"),
        (M, "lines 14, 15", "'mock'", "is 'Mock' meant", "allowed"),
    ),
    Broken(
        "dose_without_treatment",
        _all_sites("treatment_conc", ("C02",), "0.3"),
        (M, "lines 6, 7", "treatment_conc '0.3' without treatment", "empty both"),
    ),
    Broken(
        "treatment_without_dose",
        _all_sites("treatment_conc", ("F03",), None),
        (M, "lines 18, 19", "treatment 'TWN-0001' without treatment_conc", "dose in uM"),
    ),
    Broken(
        "negative_dose",
        _all_sites("treatment_conc", ("F03",), "-0.1"),
        (M, "lines 18, 19", "'-0.1'", "not above 0", "allowed"),
    ),
    Broken(
        "zero_dose",
        _all_sites("treatment_conc", ("F03",), "0"),
        (M, "lines 18, 19", "'0'", "not above 0", "untreated"),
    ),
    Broken(
        "unparsable_dose",
        _all_sites("treatment_conc", ("F03",), "0.1 uM"),
        (M, "lines 18, 19", "'0.1 uM'", "no number", "like 0.3"),
    ),
    Broken("comma_in_dose", _set(M, 17, "treatment_conc", "0,1"), (M, "line 19", "'0,1'", "no number")),
    Broken("endless_dose", _set(M, 17, "treatment_conc", "inf"), (M, "line 19", "'inf'", "no number")),
    Broken(
        "treated_control",
        _edit(
            M,
            lambda t: t.assign(
                treatment=t["treatment"].where(t["well"] != "E08", "TWN-0002"),
                treatment_conc=t["treatment_conc"].where(t["well"] != "E08", "1.0"),
            ),
        ),
        (M, "lines 14, 15", "'TWN-0002'", "control well (mock)", "empty"),
    ),
    Broken(
        "well_with_two_treatments",
        _set(M, 18, "treatment", "TWN-0002"),
        (M, "lines 18, 19, 20, 21", "well HRCE-1_2_F03", "'TWN-0002'", "share one"),
    ),
    Broken(
        "well_with_two_doses",
        _set(M, 18, "treatment_conc", "3.0"),
        (M, "well HRCE-1_2_F03", "'3.0'", "share one"),
    ),
    Broken(
        "well_with_two_conditions",
        _set(M, 13, "disease_condition", ACTIVE),
        (M, "well HRCE-1_2_E08", "'Mock'", "share one"),
    ),
    # Controls.
    Broken(
        "no_plate_with_both",
        _edit(
            M,
            lambda t: t.assign(
                disease_condition=t["disease_condition"]
                .where((t["well"] != "E08") | (t["plate"] != "10"), None)
                .where(~t["well"].isin(["C02", "D02"]) | (t["plate"] != "2"), UV)
            ),
        ),
        (
            M,
            "experiment HRCE-1",
            "no plate with both mock and infected untreated wells",
            "to one plate at least",
        ),
    ),
    Broken(
        "no_mock",
        _all_sites("disease_condition", ("E08",), None),
        (M, "plates HRCE-1_2, HRCE-1_10", "no mock well", "add"),
    ),
    Broken(
        "no_infected_untreated",
        _all_sites("disease_condition", ("C02", "D02"), UV),
        (M, "plates HRCE-1_2, HRCE-1_10", "no infected untreated well", "add"),
    ),
]
