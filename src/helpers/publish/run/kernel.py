"""The kernel that notebooks run in: this interpreter, without the user's Jupyter settings.

A registered kernel named ``python3`` may belong to another Python altogether, and a start-up file or a
plotting style of the user's would change the pages. Hence a kernel description written on the fly and
settings folders of our own.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from helpers.files import cache_dir
from helpers.publish.notebooks import KERNELSPEC
from helpers.sealed import NOTICES, claim, drop, find_flaw, held, is_sealed, notice, seal

# One thread each: notebooks run side by side, and sums in another order would be other bytes.
_SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def kernel_environment(work: Path) -> dict[str, str]:
    """Write the kernel's description into `work` and return the environment that finds it.

    Parameters
    ----------
    work : Path
        A temporary folder; settings and connection files of Jupyter live and die with it.
    """
    kernels = work / "jupyter" / "kernels" / KERNELSPEC["name"]
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    description = {"argv": command, "display_name": KERNELSPEC["display_name"], "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(description), encoding="utf-8")
    return {
        **quiet_environment(work),
        # A relative one means the user's working folder.
        "RXRX19_CACHE": str(cache_dir().resolve()),
        # Standard error is part of a page.
        NOTICES: str(work.resolve() / "notices.txt"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **dict.fromkeys(_SINGLE_THREAD, "1"),
    }


def quiet_environment(work: Path) -> dict[str, str]:
    """Return the environment with every settings folder of Jupyter, IPython and matplotlib turned to our own."""
    settings = {
        "JUPYTER_PATH": work / "jupyter",
        "JUPYTER_DATA_DIR": work / "jupyter",
        "JUPYTER_CONFIG_DIR": work / "settings",
        "JUPYTER_RUNTIME_DIR": work / "runtime",
        "IPYTHONDIR": work / "ipython",
        "MPLCONFIGDIR": fonts_folder(),
    }
    return {**os.environ, **{name: str(value) for name, value in settings.items()}}


def fonts_folder() -> Path:
    """Return matplotlib's folder of settings, kept between runs because listing the fonts takes seconds.

    A list that was sealed and damaged since is dropped. The folder stays as long as this process lives.
    """
    folder = _fonts()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held(folder):
        flaw = find_flaw(folder) if is_sealed(folder) else "" if folder.is_dir() else "is no folder"
        if flaw and os.path.lexists(folder):
            drop(folder)
            notice(f"{folder} {flaw}: it is dropped and made again")
        folder.mkdir(exist_ok=True)
        claim(folder.parent)
    return folder


def seal_fonts() -> None:
    """Seal the list of fonts that a run has made."""
    folder = _fonts()
    if folder.is_dir() and not is_sealed(folder):
        with held(folder):
            seal(folder)


def _fonts() -> Path:
    return cache_dir().resolve() / "matplotlib" / version("matplotlib")


def print_notices(work: Path) -> None:
    """Print on standard error what the kernels of a run had to say that is not part of a page.

    Parameters
    ----------
    work : Path
        As given to `kernel_environment`.
    """
    path = work / "notices.txt"
    if path.is_file():
        for line in dict.fromkeys(path.read_text(encoding="utf-8", errors="replace").splitlines()):
            print(line, file=sys.stderr, flush=True)
