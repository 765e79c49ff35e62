"""Thousands of hostile command lines, files and folders: every answer is one readable line, and no file changes."""

import functools
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzing import TOKENS, assert_readable, examples, mutated, told
from helpers import cli
from helpers.publish import notebooks as notebook_files
from helpers.publish.run import jobs, preflight
from helpers.screens.mapping import read_mapping
from screens.broken import write_screen

pytestmark = pytest.mark.fuzz

SEEDS = st.integers(0, 2**64)
NAMES = [
    "source", "world", "experiments", "recipe", "fdr", "seed", "results", "classes", "published", "images", "qc",
    "plates", "hit_calling", "fdrr", "", "a.b",
]  # fmt: skip
WORDS = [
    "run", "params", "data", "make", "fetch", "check", "twin", "rxrx19a", "hit_calling", "dataset_tour", "workshop",
    "book", "-p", "-f", "--out", "--jobs", "--seed", "--scale", "--set", "--world", "--design", "--format", "--what",
    "--dest", "--site", "tiny", "csv", "--", "-", "--help", "--version", "fdr=0.1", "x", "calm",
]  # fmt: skip
PARAMETERS = (
    b"source: twin\nfdr: 0.1\nseed: 3\nexperiments: HRCE-1,VERO-1\nhit_calling:\n  recipe: tvn\n  fdr: 0.2\n"
)
CLASSES = b'treatment,class\nRemdesivir (GS-5734),nucleoside analogue\nchloroquine,antimalarial\n"a, b",x\n'
PUBLISHED = (
    b"assay,molecule_chembl_id,name,smiles,score,type,comment\n"
    b'CHEMBL4303810,CHEMBL1,ASPIRIN,CC(=O)Oc1ccccc1C(=O)O,0.7,Hit score,"N=2 (0.8,0.6)"\n'
    b"CHEMBL4303811,,GS-441524,CCO,1.0,Hit score,\n"
    b"CHEMBL4303810,CHEMBL5,,,-0.2,Hit score,\n"
)
SCREEN_YML = b"""name: mine
level: site
metadata: metadata.csv
embeddings: embeddings.csv
key: site_id
columns: {experiment: experiment, plate: plate, well: well, site: site, condition: disease_condition,
  treatment: treatment, dose: treatment_conc, smiles: SMILES}
conditions: {mock: [Mock], infected: [Active SARS-CoV-2], uv: [UV Inactivated SARS-CoV-2]}
"""
# Bytes of any kind, and text of any alphabet.
ANYTHING = st.binary(max_size=300) | st.text(max_size=200).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


@pytest.fixture(scope="module", autouse=True)
def _no_notebook(tmp_path_factory):
    """Check what a run checks of its own, execute nothing, make and fetch nothing; read each notebook once."""

    def check(notebooks, values, out, **_):
        for notebook in notebooks:
            settings = {name: item.default for name, item in notebook.parameters.items()} | values[
                notebook.name
            ]
            preflight._check_lists(settings)
        return out

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "run_notebooks", check)
        patch.setattr("helpers.screens.twin.make.make_twin", lambda folder, **_: folder)
        patch.setattr("helpers.screens.fetch.fetch_published", lambda dest: dest)
        patch.setattr("helpers.screens.fetch.fetch_rxrx19a", lambda _, dest: dest)
        patch.setattr("helpers.publish.site.workshop.build_workshop", lambda out: [out])
        patch.setattr("helpers.publish.site.book.build_book", lambda root, *_, **__: root)
        patch.setattr(cli, "build_parser", functools.cache(cli.build_parser))
        patch.setattr(notebook_files, "read_parameters", functools.cache(notebook_files.read_parameters))
        patch.setenv("RXRX19_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.chdir(tmp_path_factory.mktemp("here"))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@examples(2_000)
@given(words=st.lists(st.sampled_from(WORDS) | st.sampled_from(TOKENS) | st.text(max_size=20), max_size=7))
def test_command_lines(folder, words):
    told([word for word in words if word != "--debug"], folder)


@examples(2_000)
@given(name=st.sampled_from(NAMES), value=st.sampled_from(TOKENS) | st.text(max_size=50))
def test_values_of_parameters(folder, name, value):
    told(["run", "hit_calling", "-p", f"{name}={value}"], folder)


@examples(2_000)
@given(data=SEEDS.map(lambda seed: mutated(PARAMETERS, seed)) | ANYTHING)
def test_files_of_parameters(folder, data):
    told(["run", "hit_calling", "-f", str(written(folder / "p.yml", data))], folder)


@examples(2_000)
@given(data=SEEDS.map(lambda seed: mutated(CLASSES, seed)) | ANYTHING)
def test_class_lists(folder, data):
    path = written(folder / "classes.csv", data)
    told(["run", "hit_calling", "-p", f"classes={path}"], folder)


@examples(2_000)
@given(data=SEEDS.map(lambda seed: mutated(PUBLISHED, seed)) | ANYTHING)
def test_published_scores(folder, data):
    path = written(folder / "published.csv", data)
    told(["run", "hit_calling", "-p", f"published={path}"], folder)


@examples(2_000)
@given(data=SEEDS.map(lambda seed: mutated(SCREEN_YML, seed)) | ANYTHING)
def test_mappings(folder, data):
    mapping, problems = read_mapping(written(folder / "screen.yml", data))
    assert (mapping is None) == bool(problems)
    for problem in problems:
        assert_readable(f"fatal: {problem}")


@pytest.mark.slow
@examples(120, 1_000)
@given(seed=SEEDS, name=st.sampled_from(["metadata.csv", "embeddings.csv", "twin.json", "screen.yml"]))
def test_folders_of_screens(folder, screen, seed, name):
    hit = folder / "screen"
    shutil.rmtree(hit, ignore_errors=True)
    shutil.copytree(screen, hit)
    base = {"twin.json": b'{"scale": "tiny", "seed": 0}', "screen.yml": SCREEN_YML}.get(name)
    base = (hit / name).read_bytes() if base is None else base
    (hit / name).write_bytes(mutated(base, seed))
    told(["data", "check", str(hit)], folder)


@pytest.fixture(scope="module")
def screen(tmp_path_factory) -> Path:
    """Return a valid screen, from which every example starts."""
    return write_screen(tmp_path_factory.mktemp("valid") / "screen")


def written(path: Path, data: bytes) -> Path:
    """Write an example's file."""
    path.write_bytes(data)
    return path
