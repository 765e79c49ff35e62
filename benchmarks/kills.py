"""Commands killed at random moments: the next call must complete and equal what an undisturbed one leaves.

`make kills` takes about half an hour on two cores; `make kills ARGS="--moments 3 --commands make"` is a quick look.
Everything is written below a temporary folder.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from helpers.screens import facts

# Run times, dates and addresses of the moment.
VOLATILE = ("run.json", "status.html", "status.md", "searchindex.js", ".buildinfo")
FETCH = "import sys; from helpers.screens import fetch_rxrx19a as f; f('embeddings', sys.argv[2], base_url=sys.argv[1])"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that says nothing and is slow enough to be interrupted."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def copyfile(self, source: object, outputfile: object) -> None:
        """Send a file in small pieces."""
        with suppress(ConnectionError):  # its reader was killed
            while block := source.read(1 << 16):
                outputfile.write(block)
                time.sleep(0.01)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve an archive like that of the embeddings."""
    with zipfile.ZipFile(folder / facts.FILES["embeddings"], "w") as archive:
        archive.writestr("RxRx19a/embeddings.csv", random.Random(0).randbytes(8 << 20))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


def calls(screen: Path, address: str) -> dict[str, list[str]]:
    """Return each command, to which the folder that it writes is added."""
    rxrx19 = [sys.executable, "-m", "helpers.cli"]
    small = ["-p", f"source={screen}"]
    return {
        "make": [*rxrx19, "data", "make", "twin", "--scale", "tiny"],
        "workshop": [*rxrx19, "workshop", "--out"],
        "fetch": [sys.executable, "-c", FETCH, address],
        "run": [*rxrx19, "run", "hit_calling", *small, "--out"],
        "book": [*rxrx19, "book", *small, "--out", "{out}/run", "--site"],
    }


def listing(folder: Path) -> dict[str, str]:
    """Return the hash of every file that must be the same again."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in VOLATILE
    }


def start(call: list[str], place: Path, cache: Path) -> subprocess.Popen:
    """Start a command that writes into `place`/out, in a group of its own."""
    place.mkdir(exist_ok=True)
    words = [word.replace("{out}", str(place)) for word in call]
    return subprocess.Popen(
        [*words, str(place / "out")],
        env={**os.environ, "RXRX19_CACHE": str(cache)},
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen) -> None:
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {said[-500:]}")


def torture(name: str, call: list[str], work: Path, moments: int, draw: random.Random) -> bool:
    """Kill a command at some moments, each time in the folder that the last one left, and compare."""
    cache, place = work / f"cache-{name}", work / name
    begun = time.monotonic()
    finish(start(call, work / f"{name}-whole", cache))
    seconds = time.monotonic() - begun
    expected = listing(work / f"{name}-whole" / "out")
    fine = 0
    for number in range(moments):
        if number % 2:  # every other time from nothing, also without what the cache holds
            shutil.rmtree(place, ignore_errors=True)
            shutil.rmtree(cache, ignore_errors=True)
        process = start(call, place, cache)
        time.sleep(draw.uniform(0, seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        finish(start(call, place, cache))
        found, left = listing(place / "out"), sorted(path.name for path in place.glob(".*"))
        same = found == expected and not left
        fine += same
        if not same:
            odd = sorted(key for key in expected | found if expected.get(key) != found.get(key))
            print(f"  {name}, moment {number}: differs in {odd[:5]}, left {left[:5]}", flush=True)
    print(f"{name}: {fine} of {moments} moments, {seconds:.1f} s undisturbed", flush=True)
    return fine == moments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--commands", default="make,workshop,fetch,run,book")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work, site = Path(folder), Path(folder) / "site"
        site.mkdir()
        with server(site) as address:
            known = calls(work / "screen" / "out", address)
            names = options.commands.split(",")
            if unknown := set(names) - set(known):
                raise SystemExit(f"unknown command {sorted(unknown)[0]!r}; valid: {', '.join(known)}")
            finish(start(known["make"], work / "screen", work / "cache-screen"))
            draw = random.Random(options.seed)
            results = [torture(name, known[name], work, options.moments, draw) for name in names]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
