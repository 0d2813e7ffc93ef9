#!/usr/bin/env python3
"""Break compose files, workflows and bake files at random, and see that restow neither fails nor finds a fault of its own in them.

usage: yaml_mutants.py RESTOW WORK COUNT [--seed N] FOLDER...

Takes files below the folders, changes each a little (bytes taken out or put in, lines doubled or dropped) and writes COUNT of them to
WORK/before, each as a project of its own. WORK/after gets what `restow apply --review` makes of them; a second run must change nothing.
tests/yaml_data.py then judges the two folders. The seed is printed; the same seed gives the same files. Exit 1 on the first kind of failure.
"""
import argparse
import pathlib
import random
import shutil
import subprocess
import sys

PIECES = [b"\n", b" ", b"\t", b": ", b"- ", b'"', b"'", b"#", b"{", b"}", b"[", b"]", b"|", b"&a ", b"*a", b"\r\n", b"  ", b"${X}", b"!t ",
          b"\xc3\xa9", b"<<: ", b"---\n"]
LARGEST = 20_000
BATCH = 50


def name_of(path):
    """Where a file of its kind stands in a project; none for other files."""
    lower = path.name.lower()
    if lower.endswith((".yml", ".yaml")):
        if path.parent.name == "workflows":
            return ".github/workflows/w.yml"
        if "compose" in lower or path.parent.name == "yaml":
            return "compose.yml"
    return "docker-bake.hcl" if lower.endswith(".hcl") else None


def mutated(text, chance):
    out = bytearray(text)
    for _ in range(chance.randint(1, 4)):
        if not out:
            break
        kind, at = chance.random(), chance.randrange(len(out))
        if kind < 0.3:
            del out[at : at + chance.randint(1, 12)]
        elif kind < 0.6:
            out[at:at] = chance.choice(PIECES)
        else:
            lines = bytes(out).split(b"\n")
            where = chance.randrange(len(lines))
            if kind < 0.8:
                lines.insert(where, chance.choice(lines))
            else:
                del lines[where]
            out = bytearray(b"\n".join(lines))
    return bytes(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("restow")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    sources = sorted(path for folder in options.folders for path in folder.rglob("*") if path.is_file())
    sources = [path for path in sources if name_of(path) and path.stat().st_size < LARGEST]
    if len(sources) < 20:
        sys.exit(f"{len(sources)} files are too few to show anything")
    for index in range(options.count):
        path = chance.choice(sources)
        target = options.work / "before" / str(index) / name_of(path)
        target.parent.mkdir(parents=True)
        target.write_bytes(mutated(path.read_bytes(), chance))
    shutil.copytree(options.work / "before", options.work / "after")
    failures = 0
    projects = sorted((options.work / "after").iterdir(), key=lambda path: int(path.name))
    for start in range(0, len(projects), BATCH):
        batch = [str(path) for path in projects[start : start + BATCH]]
        for arguments in (["apply", "--review"], ["diff", "--review", "--cache-mode", "local"]):
            done = subprocess.run([options.restow, *arguments, *batch], capture_output=True, text=True)
            # A file that can't be read is a warning; what is named here are folders.
            if done.returncode != 0 or "a fault of restow" in done.stderr or "panicked" in done.stderr:
                failures += 1
                print(f"{batch[0]}...: exit {done.returncode}\n{done.stderr[-1500:]}")
        again = subprocess.run([options.restow, "check", "--review", "--quiet", *batch], capture_output=True, text=True)
        if again.stdout:
            failures += 1
            print(f"a second run would change\n{again.stdout}")
    print(f"{options.count} mutants of {len(sources)} files, seed {options.seed}: {failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
