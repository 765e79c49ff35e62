"""The command: its interface, its exit codes, and one line for every error."""

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from helpers.cli import main
from helpers.errors import DataError
from helpers.publish.notebooks import ANALYSES
from screens.broken import write_screen


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny twin."""
    folder = tmp_path_factory.mktemp("screen") / "tiny"
    assert main(["data", "make", "twin", str(folder), "--scale", "tiny"]) == 0
    return folder


def lines(capsys: pytest.CaptureFixture) -> tuple[str, list[str]]:
    """Return standard output and the lines of standard error."""
    captured = capsys.readouterr()
    return captured.out, captured.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "valid: run, params, data, book, workshop"),
        ("rnu", "unknown COMMAND 'rnu': did you mean run?; valid: run, params, data, book, workshop"),
        ("data", "valid: make, fetch, check"),
        ("data chek x", "did you mean check?; valid: make, fetch, check"),
        ("data make twn x", "did you mean twin?; valid: twin"),
        ("data make twin", "required: DIR"),
        (
            "data make twin x --scale tinny",
            "unknown --scale 'tinny': did you mean tiny?; valid: tiny, small, full",
        ),
        ("data make twin x --seed 1.5", "--seed: must be a whole number of at least 0, got '1.5'"),
        ("data make twin x --format tsv", "valid: csv, parquet"),
        ("data make twin x --set axis_lenght=3", "did you mean axis_length?; valid: "),
        (
            "data make twin x --set axis_length=long",
            "'axis_length' must be a finite number (float), got 'long'",
        ),
        ("data make twin x --design no/such.csv", "no design file at"),
        ("data fetch rxrx19", "did you mean rxrx19a?; valid: rxrx19a"),
        (
            "data fetch rxrx19a --what metdata",
            "did you mean metadata?; valid: metadata, embeddings, published",
        ),
        (
            "data make twin x --set dim_share=7",
            "'dim_share' of the twin = 7.0 is not allowed; allowed: 0 <= x <= 1",
        ),
        ("data make twin x --set dim_cosine=-2", "allowed: -1 <= x <= 1"),
        ("data make twin pyproject.toml", "pyproject.toml (it is a file): name a new or empty folder"),
        ("data make twin pyproject.toml/x", "pyproject.toml/x (Not a directory): name a new or empty folder"),
        ("data fetch rxrx19a --dest pyproject.toml", "choose another folder with --dest"),
        ("data check no/such/folder", "no folder at no/such/folder"),
        ("run -p source=no/such/folder", "is no folder; allowed are twin, rxrx19a, or a folder"),
        ("run -p source=pyproject.toml", "is no folder; allowed are twin, rxrx19a, or a folder"),
        ("run --out pyproject.toml", "pyproject.toml (it is a file): choose another folder with --out"),
        ("run -p results=pyproject.toml", "(it is a file): choose another folder with -p results=DIR"),
        ("book --site pyproject.toml", "(it is a file): choose another folder with --site"),
        ("book --site src", "src holds something else than a built site: choose a new or empty folder"),
        ("workshop --out pyproject.toml", "(it is a file): choose another folder with --out"),
        ("run hit_caling", "did you mean hit_calling?; valid: dataset_tour, normalization, hit_calling"),
        ("params hit_caling", "did you mean hit_calling?"),
        ("run -p fdrr=0.1", "unknown parameter 'fdrr': did you mean fdr?; valid: source, world, experiments"),
        ("run -p fdr=high", "'fdr' must be a finite number (float), got 'high'"),
        ("run -p fdr=2", "'fdr' = 2.0 is not allowed; allowed: "),
        ("run -p fdr", "'fdr' is not of the form NAME=VALUE"),
        ("run -f no/such.yml", "parameter file no/such.yml cannot be read"),
        ("run --jobs 0", "--jobs: must be a whole number of at least 1, got '0'"),
        ("run --ot x", "unknown argument '--ot': did you mean --out?; options of `rxrx19 run`: "),
        ("book -p seed=x", "'seed' must be a whole number (int), got 'x'"),
        ("cache purge", "unknown ACTION 'purge'; valid: show, prune, clear"),
        ("cache prune", "give --older-than AGE (such as 30d), --larger-than SIZE (such as 2GB), or both"),
        (
            "cache prune --older-than soon",
            "--older-than 'soon': allowed are hours, days or weeks, such as 12h",
        ),
        (
            "cache prune --larger-than 2",
            "--larger-than '2': allowed is a number with B, KB, MB, GB, TB behind it",
        ),
        ("cache clear --older-than 3d", "go with `rxrx19 cache prune`, not with clear"),
        ("cache --downloads", "--downloads goes with `rxrx19 cache clear`, not with show"),
        ("workshop now", "unknown argument 'now'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(
    arguments: str, said: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    before = set(project.glob("results/*"))
    code = main(arguments.split())
    out, errors = lines(capsys)
    assert set(project.glob("results/*")) == before
    assert not (project / "x").exists()
    assert (code, out, len(errors)) == (2, "", 1)
    assert errors[0].startswith("rxrx19: ")
    assert said in errors[0]


def test_missing_data_is_one_line_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    assert main(["run", "-p", "source=rxrx19a", "--out", str(tmp_path / "out")]) == 1
    _, errors = lines(capsys)
    assert len(errors) == 1
    assert "rxrx19 data fetch rxrx19a" in errors[0]
    assert not (tmp_path / "out").exists()


def test_an_unknown_experiment_is_found_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("helpers.publish.run.jobs.subprocess.Popen", never)
    screen, out = write_screen(tmp_path / "screen"), tmp_path / "out"
    call = ["run", "-p", f"source={screen}", "--out", str(out)]
    assert main([*call, "-p", "experiments=HRCE-1,HRCE-9"]) == 2
    said = "rxrx19: experiments: 'HRCE-9' is not in this screen; allowed are all, HRCE-1"
    assert lines(capsys) == ("", [said])
    (screen / "metadata.csv").write_text("site_id\n")
    assert main(call) == 1
    assert "metadata.csv" in lines(capsys)[1][0]
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("notebook", "pair", "said"),
    [
        ("dataset_tour", "plates=NOPE", "parameter 'plates': no plate NOPE; valid: all, HRCE-1_1"),
        ("dose_response", "compounds=NOPE", "parameter 'compounds': 'NOPE' has no curve in this screen"),
        ("hit_calling", "exclude_plates=NOPE", "parameter 'exclude_plates': no plate NOPE; valid: HRCE-1_1"),
    ],
)
def test_a_value_that_only_the_notebook_can_judge_is_a_wrong_call_too(
    notebook: str, pair: str, said: str, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    assert main(["run", notebook, "-p", f"source={tiny_folder}", "-p", pair, "--out", str(out)]) == 2
    errors = [line for line in lines(capsys)[1] if line.startswith("rxrx19: ")]
    assert len(errors) == 1
    assert f"UsageError: {said}" in errors[0]
    assert [path.name for path in out.iterdir()] == ["partial"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_shows_the_traceback_wherever_it_stands(place: int) -> None:
    arguments = ["data", "check", "no/such/folder"]
    arguments.insert(place if place < 2 else len(arguments), "--debug")
    with pytest.raises(Exception, match="no folder at"):
        main(arguments)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("two\nlines"), 1, "rxrx19: two lines"),
        (KeyboardInterrupt(), 130, "rxrx19: interrupted"),
        (
            ValueError("odd"),
            1,
            "rxrx19: unexpected ValueError: odd; run again with --debug for the traceback",
        ),
        (
            PermissionError(13, "Permission denied", "x"),
            1,
            "rxrx19: x: access is not permitted: change its permissions or choose another place",
        ),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr("helpers.cli._params", fail)
    assert main(["params"]) == code
    assert lines(capsys) == ("", [said])


def test_the_installed_command_answers_in_a_second() -> None:
    command = Path(sys.executable).with_name("rxrx19")
    clock = time.monotonic()
    help_text = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert time.monotonic() - clock < 1
    for name in ("run", "params", "data", "book", "workshop", "--debug", "--version"):
        assert name in help_text.stdout
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("rxrx19 0.")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = Path(sys.executable).with_name("rxrx19")
    ended = subprocess.run(
        f"{command} params | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_params_lists_every_parameter_of_every_notebook(capsys: pytest.CaptureFixture) -> None:
    assert main(["params"]) == 0
    out, _ = lines(capsys)
    blocks = out.count("parameter  ")
    named = [line.split()[0] for line in out.splitlines() if line.split()]
    assert all(named.count(name) == blocks for name in ("recipe", "seed", "results"))
    # later chapters read no screen
    assert all(named.count(name) == len(ANALYSES) for name in ("source", "experiments", "fdr"))
    assert main(["params", "hit_calling"]) == 0
    assert lines(capsys)[0].splitlines()[0] == "hit_calling"


@pytest.mark.slow
def test_make_and_check_a_twin(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "twin"
    call = ["data", "make", "twin", str(folder), "--scale", "tiny", "--seed", "5", "--set", "axis_length=8"]
    assert main([*call, "--format", "parquet"]) == 0
    twin = json.loads((folder / "twin.json").read_text())
    assert (twin["scale"], twin["seed"]) == ("tiny", 5)
    assert "8.0" in (folder / "twin.json").read_text()
    capsys.readouterr()
    assert main(["data", "check", str(folder)]) == 0
    assert "0 fatal" in lines(capsys)[0].splitlines()[-1]


def test_check_lists_every_problem_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "metadata.csv").write_text("<!DOCTYPE html><html></html>\n")
    (tmp_path / "embeddings.csv").write_text("<!DOCTYPE html><html></html>\n")
    assert main(["data", "check", str(tmp_path)]) == 1
    out, errors = lines(capsys)
    assert errors == []
    *problems, summary = out.splitlines()
    assert len(problems) >= 1
    assert all(line.startswith(("fatal: ", "note: ")) for line in problems)
    assert f"{sum(line.startswith('fatal') for line in problems)} fatal" in summary


def test_workshop_writes_both_editions(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["workshop", "--out", str(tmp_path)]) == 0
    out, _ = lines(capsys)
    assert len(out.splitlines()) == len(list(tmp_path.rglob("*.ipynb"))) >= 2


def test_a_library_says_nothing_beside_our_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(_: object) -> int:
        warnings.warn("CSV malformed: expected 0 rows, actual 9 rows", stacklevel=1)
        return 0

    monkeypatch.setattr("helpers.cli._params", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["params"]) == 0
