#!/usr/bin/env python3
"""Break an install in the middle of its downloads, build again, and count what is downloaded again.

usage: interrupted_install.py --restow PROGRAM DIR

DIR is a folder of `tests/builder.sh start`. Its engine builds, and its build cache is emptied. Its package index is throttled, and cut
when half of the bytes are through. tests/builds/interrupted-install is built as it is, with what restow does about the cache
alone, and with all that restow does. Exit 1 if a retry of a changed Dockerfile downloads a file that had arrived whole, or
if the Dockerfile as it was does not: then nothing was measured. Exit 2 if nothing can be tested.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

from compose_cache import Engine, give_up

SOURCE = pathlib.Path(__file__).resolve().parent / "builds" / "interrupted-install"
CHANGES = {
    "as it was": None,
    "cache mount": ["--only", "add-cache-mounts,drop-no-cache"],
    "all changes": ["--review"],
}


class Index:
    """The package index of tests/builder.sh."""

    def __init__(self, engine):
        self.address = engine.env.get("RESTOW_TEST_INDEX")
        if not self.address:
            give_up("this engine has no package index")

    def ctl(self, query=""):
        with urllib.request.urlopen(f"{self.address}/ctl{query}", timeout=10) as answer:
            return json.load(answer)

    def heal(self):
        self.ctl("?cut=0")
        self.ctl("?rate=0")


class Attempt:
    """One build, and what it took from the index."""

    def __init__(self, engine, index, folder, image):
        index.ctl("?reset")
        command = ["docker", "build", "--network=host", "--progress=plain", "--tag", image, str(folder)]
        done = engine.run(command, check=False)
        self.failed, self.log = done.returncode != 0, done.stdout
        self.bytes = index.ctl()["file_bytes"]
        self.cached = len(re.findall(r"^#\d+ CACHED$", self.log, re.M))
        # pip names a file when it begins with it. The engine quotes the lines of a step that failed once more, without its number.
        self.begun = re.findall(r"^#\d+ \S+ +Downloading (?:\S+/)?(\S+\.whl) ", self.log, re.M)

    def arrived(self):
        """The files that are whole: all but the last one, if it broke."""
        return self.begun[:-1] if self.failed else self.begun


def megabytes(count):
    return f"{count / 1e6:5.1f} MB"


def project(engine, restow, folder, options):
    shutil.copytree(SOURCE, folder)
    if options is not None:
        engine.run([restow, "apply", "--quiet", *options, "."], cwd=folder)
        if (folder / "Dockerfile").read_bytes() == (SOURCE / "Dockerfile").read_bytes():
            give_up(f"restow changed nothing with {' '.join(options)}")
    return folder


def measure(engine, index, folder, image, rate, half):
    engine.prune()
    index.ctl(f"?rate={rate}")
    index.ctl(f"?cut={half}")
    first = Attempt(engine, index, folder, image)
    index.heal()
    if not first.failed:
        give_up("the install did not break")
    retry = Attempt(engine, index, folder, image)
    if retry.failed:
        give_up(f"the retry failed\n{retry.log}")
    return first, retry


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--restow", required=True, type=pathlib.Path, help="the program")
    options.add_argument("--rate", default=8_000_000, type=int, help="bytes per second of the first attempt [%(default)s]")
    options.add_argument("folder", metavar="DIR", type=pathlib.Path, help="filled by tests/builder.sh start")
    options = options.parse_args()
    engine = Engine(options.folder)
    index, image, wrong = Index(engine), "restow-test-interrupted-install", 0
    with tempfile.TemporaryDirectory(prefix="restow-interrupted-") as folder:
        folder = pathlib.Path(folder)
        try:
            index.heal()
            engine.prune()
            whole = Attempt(engine, index, project(engine, options.restow.resolve(), folder / "whole", None), image)
            if whole.failed:
                give_up(f"the project doesn't build\n{whole.log}")
            print(f"{len(whole.begun)} files, {megabytes(whole.bytes).strip()}; cut after half of the bytes")
            print(f"{'Dockerfile':12} {'first attempt':>13} {'whole files':>11} {'retry':>8} {'steps CACHED':>12}  again though it had arrived")
            for number, (name, flags) in enumerate(CHANGES.items()):
                place = project(engine, options.restow.resolve(), folder / str(number), flags)
                first, retry = measure(engine, index, place, image, options.rate, whole.bytes // 2)
                again = sorted(set(first.arrived()) & set(retry.begun))
                # The unchanged one must download again, or the measurement is blind.
                fine = bool(first.arrived()) and bool(again) == (flags is None)
                wrong += not fine
                print(
                    f"{name:12} {megabytes(first.bytes):>13} {len(first.arrived()):>11} {megabytes(retry.bytes):>8} {retry.cached:>12}"
                    f"  {len(again)} {'' if fine else 'WRONG: ' + ' '.join(again)}".rstrip()
                )
        finally:
            index.heal()
            engine.run(["docker", "image", "rm", "-f", image], check=False)
            engine.prune()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
