#!/usr/bin/env python3
"""Count what copy-manifests-first does with every dependency install behind a wide copy.

usage: wide_copies.py RESTOW FOLDER...

The installs come from BuildKit's parser (PyPI package `dockerfile`) and a plain search, not from restow: a COPY or ADD from the build
context of `.` or of something whose name has no extension, and behind it in the same stage a RUN that calls a package manager for the
dependencies of a project. Each must be changed, or be left alone with its reason. Prints counts by manager and level; exit 1 if an
install has neither.
"""
import collections
import json
import os
import re
import subprocess
import sys

import dockerfile

NAME = re.compile(r"(^|/)([^/]*\.)?(dockerfile|containerfile)(\.[^/]*)?$", re.I)
START = r"(?:^|[;&|(\n]|\bsudo|\bthen|\bdo|\b[A-Z_]+=\S*)\s*(?:\S*/)?"
INSTALLS = {
    "pip": START + r"(?:pip[23]?(?:\.\d+)?|python[\d.]*\s+-m\s+pip)\s+(?:-\S+\s+)*install\b[^;&|\n]*\s(?:-r|--requirement)",
    "uv": START + r"uv\s+(?:-\S+\s+)*(?:sync\b|pip\s+(?:install\b[^;&|\n]*\s-r|sync\b))",
    "poetry": START + r"poetry\s+(?:install|sync)\b",
    "pipenv": START + r"pipenv\s+(?:install|sync)\b",
    "npm": START + r"npm\s+(?:-\S+\s+)*(?:ci|clean-install|install|i)(?:\s+-(?!g\b|-global)\S+)*\s*(?:$|[;&|\n])",
    "yarn": START + r"yarn(?:\s+install)?(?:\s+-\S+)*\s*(?:$|[;&|\n])",
    "pnpm": START + r"pnpm\s+(?:-\S+\s+)*(?:install|i|ci)(?:\s+-\S+)*\s*(?:$|[;&|\n])",
    "bun": START + r"bun\s+(?:install|i|ci)(?:\s+-\S+)*\s*(?:$|[;&|\n])",
    "bundler": START + r"bundle\s+install\b",
    "composer": START + r"composer\s+(?:-\S+\s+)*(?:install|i)\b",
    "dotnet": START + r"dotnet\s+(?:restore|build|publish)\b",
    "go": START + r"go\s+(?:mod\s+download|build)\b",
    "cargo": START + r"cargo\s+(?:\+\S+\s+)?(?:build|fetch)\b",
    "maven": START + r"(?:mvn|mvnw)\s+(?!-v\b|--version\b)\S",
    "gradle": START + r"(?:gradle|gradlew)\s+(?!-v\b|--version\b)\S",
}
INSTALLS = {name: re.compile(pattern, re.S) for name, pattern in INSTALLS.items()}


def is_wide(source):
    name = source.rstrip("/").rsplit("/", 1)[-1]
    return name in ("", ".", "*") or "." not in name.lstrip(".") and "*" not in name and "$" not in name and not name.startswith("<<")


def installs(path):
    """Line, last line and manager of each install behind a wide copy."""
    try:
        instructions = dockerfile.parse_file(path)
    except Exception:
        return
    wide = False
    for ins in instructions:
        keyword = ins.cmd.upper()
        if keyword == "FROM":
            wide = False
        elif keyword in ("COPY", "ADD") and not any(flag.startswith("--from") for flag in ins.flags):
            sources = [source for source in ins.value[:-1] if "://" not in source]
            wide = wide or any(is_wide(source) for source in sources)
        elif keyword == "RUN" and wide:
            text = re.sub(r"\\\s*\n", " ", " ".join(ins.value))
            for manager, pattern in INSTALLS.items():
                if pattern.search(text):
                    yield ins.start_line, ins.end_line, manager


def main():
    restow, folders = os.path.abspath(sys.argv[1]), sys.argv[2:]
    counts, lost, total = collections.defaultdict(collections.Counter), [], 0
    for folder in folders:
        for repository in sorted(os.listdir(folder)):
            root = os.path.join(folder, repository)
            if not os.path.isdir(root):
                continue
            run = subprocess.run(
                [restow, "diff", "--review", "--quiet", "--only", "copy-manifests-first", "--format", "json", "."],
                capture_output=True, text=True, cwd=root,
            )
            report = {file["path"]: file for file in json.loads(run.stdout)["files"]}
            for path, file in report.items():
                if not NAME.search(path):
                    continue
                for first, last, manager in installs(os.path.join(root, path)):
                    total += 1
                    here = range(first, last + 1)
                    skip = [left for left in file["skipped"] if left["line"] in here]
                    # A change tells the line of the copy that moves or of what comes in front of it, above the install.
                    change = [change for change in file["changes"] if change["line"] <= last]
                    if skip:
                        counts[manager]["left alone"] += 1
                    elif change:
                        counts[manager][change[-1]["level"]] += 1
                    else:
                        lost.append("%s/%s:%d %s" % (repository, path, first, manager))
    print("%-10s %6s %6s %10s" % ("", "safe", "review", "left alone"))
    for manager, row in sorted(counts.items()):
        print("%-10s %6d %6d %10d" % (manager, row["safe"], row["review"], row["left alone"]))
    for place in lost:
        print("neither changed nor explained: " + place)
    print("%d installs behind a wide copy, %d without a change or a reason" % (total, len(lost)))
    sys.exit(1 if lost or not total else 0)


if __name__ == "__main__":
    main()
