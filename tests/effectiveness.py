#!/usr/bin/env python3
"""Measure what restow's safe changes gain on one Dockerfile: seconds, megabytes and CACHED steps per scenario, before and after.

usage: effectiveness.py --restow PROGRAM [--rate BYTES_PER_SECOND] [--project FOLDER] [--side SIDE] [--scenario NAMES] [--filled] DIR

DIR is a folder of `tests/builder.sh start`: its engine builds, its build cache is emptied, its package index is throttled. The
scenarios are those of `restow forecast`, whose numbers stand beside the measured ones; each starts from a builder that has just
built the image, and what it left is removed again. Prints the table of the README. Megabytes are what the package index sent, and
what apt says that it fetched. The example downloads 3 GB in each build: its index should be filled by a run before, and each side can be
measured by itself; the numbers stand on standard error as they come. Exit 1 if a count of CACHED steps is not what was forecast, 2 if nothing can be measured.
"""
import argparse
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from compose_cache import Engine

IMAGE = "restow-test-effectiveness"
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


class Builder:
    def __init__(self, folder, rate):
        self.engine = Engine(folder)
        self.index = self.engine.env["RESTOW_TEST_INDEX"]
        self.rate = rate

    def ctl(self, query=""):
        with urllib.request.urlopen(f"{self.index}/ctl{query}", timeout=60) as answer:
            return json.load(answer)

    def records(self):
        """Build cache records but for cache mounts."""
        out = self.engine.docker("buildx", "du", "--verbose").stdout
        records = [dict(re.findall(r"^(\w[\w ]*):\s+(.*)$", block, re.M)) for block in out.split("\n\n")]
        return {record["ID"] for record in records if "ID" in record and record.get("Type") != "exec.cachemount"}

    def forget(self, kept):
        """Removes what a scenario has left, so that the disk holds a few of these images."""
        self.engine.run(["docker", "image", "rm", "-f", IMAGE], check=False)
        for record in self.records() - kept:
            self.engine.run(["docker", "builder", "prune", "-af", "--filter", f"id={record}"], check=False)

    def build(self, context, break_at=None):
        """Seconds, bytes, and the log; `break_at` is how many bytes of distributions come through."""
        self.ctl("?reset")
        self.ctl(f"?rate={self.rate}")
        self.ctl(f"?cut={break_at or 0}")
        start = time.monotonic()
        command = ["docker", "build", "--network=host", "--progress=plain", "--tag", IMAGE, str(context)]
        done = self.engine.run(command, check=False)
        seconds = time.monotonic() - start
        self.ctl("?cut=0")
        if bool(done.returncode) != bool(break_at):
            raise SystemExit(f"effectiveness.py: the build ended with {done.returncode}\n{done.stdout[-3000:]}")
        counted = self.ctl()
        sent = counted["file_bytes"] + counted["metadata_bytes"] + counted["page_bytes"]
        fetched = re.findall(r" Fetched ([\d,.]+) (k?B|MB|GB) in ", done.stdout)
        sent += sum(float(number.replace(",", "")) * UNITS[unit] for number, unit in fetched)
        return Measured(seconds, sent, cached(done.stdout), counted["file_bytes"])


class Measured:
    def __init__(self, seconds, sent, cached, distributions):
        self.seconds, self.sent, self.cached, self.distributions = seconds, sent, cached, distributions

    def cells(self):
        seconds = f"{self.seconds:.1f}" if self.seconds < 10 else f"{self.seconds:.0f}"
        megabytes = self.sent / 1e6
        return f"{seconds} / {megabytes:.1f} / {self.cached}" if megabytes < 10 else f"{seconds} / {megabytes:.0f} / {self.cached}"


def cached(log):
    steps = dict(re.findall(r"^#(\d+) \[.*?\d+/\d+\] (RUN|COPY|ADD|WORKDIR)\b", log, re.M))
    return len(set(re.findall(r"^#(\d+) CACHED$", log, re.M)) & set(steps))


def edited(text):
    """The first install with a command in front of it that does nothing."""
    return re.sub(r"(?m)^(RUN (?:--mount=\S+ (?:\\\n\s*)?)*)(apt-get|pip|npm)", r"\1: && \2", text, count=1)


def measure(builder, side, folder, scenarios, note):
    """Measured builds by the scenario's title, of the project as it stands in `folder`."""
    builder.engine.prune()
    found = {}
    found["first build"] = builder.build(folder)
    note(side, "first build", found["first build"])
    kept = builder.records()
    half = found["first build"].distributions // 2
    for scenario in scenarios:
        title, edit = scenario["title"], scenario["edit"]
        if edit == "nothing":
            pass
        elif "touch" in edit:
            path = folder / edit["touch"]["path"]
            before = path.read_bytes()
            path.write_bytes(before + b"\n")
        elif "first-install" in edit:
            path = folder / "Dockerfile"
            before = path.read_bytes()
            path.write_text(edited(before.decode()))
        else:
            continue
        found[title] = builder.build(folder)
        note(side, title, found[title])
        if edit != "nothing":
            path.write_bytes(before)
        builder.forget(kept)
    broken = next((scenario["title"] for scenario in scenarios if "failure" in scenario["edit"]), None)
    if broken:
        builder.engine.prune()
        first = builder.build(folder, break_at=half)
        note(side, "broken at half of the bytes", first)
        # The retry, and what the two took together.
        found["an install that breaks at half of its bytes: the retry"] = builder.build(folder)
        note(side, "retry", found["an install that breaks at half of its bytes: the retry"])
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--restow", required=True, type=pathlib.Path, help="the program")
    options.add_argument("--rate", default=5_000_000, type=int, help="bytes per second of the package index [%(default)s]")
    project = pathlib.Path(__file__).resolve().parents[1] / "examples" / "rag-app" / "backend"
    options.add_argument("--project", default=project, type=pathlib.Path, help="a folder with a Dockerfile [%(default)s]")
    options.add_argument("--side", choices=("before", "after"), help="one side only, without the table")
    options.add_argument("--scenario", default="", help="names as restow forecast has them; all by default")
    options.add_argument("--filled", action="store_true", help="the index has sent everything before")
    options.add_argument("folder", metavar="DIR", type=pathlib.Path, help="filled by tests/builder.sh start")
    options = options.parse_args()
    builder = Builder(options.folder, options.rate)
    restow = options.restow.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))

    def note(*parts):
        print(*(part.cells() if isinstance(part, Measured) else part for part in parts), sep="  ", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="restow-effectiveness-") as work:
        sides = {}
        for side in ("before", "after"):
            sides[side] = pathlib.Path(work) / side
            shutil.copytree(options.project, sides[side])
        told = subprocess.run([restow, "forecast", "--quiet", "--format", "json", sides["after"]], capture_output=True, check=True)
        image = json.loads(told.stdout)["images"][0]
        subprocess.run([restow, "apply", "--quiet", sides["after"]], check=True, capture_output=True)
        try:
            if not options.filled:
                # The index keeps what it has sent, so the first build that counts is not the one that fills it.
                builder.rate = 0
                builder.build(sides["before"])
                builder.rate = options.rate
            wanted = [name for name in options.scenario.split(",") if name]
            scenarios = [one for one in image["scenarios"] if not wanted or one["scenario"] in wanted]
            chosen = [options.side] if options.side else list(sides)
            found = {side: measure(builder, side, sides[side], scenarios, note) for side in chosen}
        finally:
            for query in ("?rate=0", "?cut=0"):
                builder.ctl(query)
            builder.engine.run(["docker", "image", "rm", "-f", IMAGE], check=False)
            builder.engine.prune()
    if options.side:
        return 0
    forecasts = {scenario["title"]: scenario for scenario in image["scenarios"]}
    print("| what changed | before | after | forecast |\n|---|---|---|---|")
    wrong = 0
    for title, before in found["before"].items():
        after, forecast, told = found["after"][title], forecasts.get(title), ""
        if forecast:
            ranges = [forecast[side]["cached"] for side in ("before", "after")]
            told = " / ".join("-".join(map(str, sorted(set(bounds)))) for bounds in ranges)
            for (least, most), side in zip(ranges, (before, after)):
                wrong += not least <= side.cached <= most
        print(f"| {title} | {before.cells()} | {after.cells()} | {told} |")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
