#!/usr/bin/env python3
"""Compare restow's reader with BuildKit's own parser (PyPI package `dockerfile`).

usage: buildkit_parser.py INSTRUCTIONS_PROGRAM FOLDER...

For every file that BuildKit's parser accepts, keyword, first line, last line, flags and JSON form of every instruction
must be the same. Files that differ and are known are named in KNOWN with the reason; exit 1 on any other.
"""
import json
import os
import re
import subprocess
import sys

import dockerfile

NAME = re.compile(r"(^|/)([^/]*\.)?(dockerfile|containerfile)(\.[^/]*)?$", re.I)
# path suffix -> why it differs; at most five
KNOWN = {}


def found(folders):
    for folder in folders:
        for root, _, files in os.walk(folder):
            for name in files:
                path = os.path.join(root, name)
                if NAME.search(path) and not os.path.islink(path):
                    yield path


def buildkit(path):
    return [[i.cmd.upper(), i.start_line, i.end_line, list(i.flags), i.json] for i in dockerfile.parse_file(path)]


def main():
    program, folders = sys.argv[1], sys.argv[2:]
    paths = sorted(found(folders))
    ours = {}
    run = subprocess.run([program], input="\n".join(paths), capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        entry = json.loads(line)
        ours[entry["path"]] = entry
    accepted = instructions = known = 0
    failed = []
    for path in paths:
        try:
            theirs = buildkit(path)
        except Exception as refusal:
            if "error" not in ours[path]:
                failed.append((path, "read, although BuildKit refuses it: %s" % refusal))
            continue
        accepted += 1
        instructions += len(theirs)
        mine = ours[path].get("instructions")
        if mine == theirs:
            continue
        if any(path.endswith(suffix) for suffix in KNOWN):
            known += 1
            continue
        if mine is None:
            failed.append((path, "refused: %s" % ours[path]["error"]))
            continue
        where = next((i for i, pair in enumerate(zip(mine, theirs)) if pair[0] != pair[1]), min(len(mine), len(theirs)))
        failed.append((path, "ours %s, BuildKit %s" % (mine[where : where + 1], theirs[where : where + 1])))
    for path, why in failed:
        print("%s: %s" % (path, why))
    print("%d files, %d accepted by BuildKit, %d instructions, %d known differences, %d differ"
          % (len(paths), accepted, instructions, known, len(failed)))
    if not accepted:
        sys.exit("no file to compare")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
