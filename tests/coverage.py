#!/usr/bin/env python3
"""Count what restow does with every RUN that calls a package manager to download.

usage: coverage.py RESTOW FOLDER...

The RUNs come from BuildKit's parser (PyPI package `dockerfile`) and a plain search, not from restow: each must be changed, be
mounted already, or be left alone with its reason. Prints a table by manager; exit 1 if a RUN has neither a change nor a reason, or if
fewer than 90 % of the root pip, npm, apt-get and `go build` RUNs on bases of the table are changed at level safe.
"""
import collections
import json
import os
import re
import subprocess
import sys

import dockerfile

NAME = re.compile(r"(^|/)([^/]*\.)?(dockerfile|containerfile)(\.[^/]*)?$", re.I)
HERE = os.path.dirname(os.path.abspath(__file__))
START = r"(?:^|[;&|(\s'\"/])"
# names that are also names of packages count only where a command starts
COMMAND = r"(?:^|[;&|(\n]|\bsudo|\bthen|\bdo|\b[A-Z_]+=\S*)\s*(?:\S*/)?"
OPTIONS = r"(?:\s+-\S+(?:\s+(?=-))?)*"
PLAIN = {
    "pip": r"(?<!\buv )" + START + r"(?<!\buv )(?:pip[23]?(?:\.\d+)?|python[\d.]*\s+-m\s+pip)" + OPTIONS + r"\s+(?:install|wheel|download)\b",
    "uv": START + r"uv" + OPTIONS + r"\s+(?:sync|add|pip\s+(?:install|sync)|tool\s+install)\b",
    "poetry": START + r"poetry\s+(?:install|add|update|sync)\b",
    "pipenv": START + r"pipenv\s+(?:install|sync)\b",
    "pdm": START + r"pdm\s+(?:install|sync|add)\b",
    "conda": START + r"(?:conda|mamba|micromamba)\s+(?:install|create|update|env\s+(?:create|update))\b",
    "npm": START + r"npm" + OPTIONS + r"\s+(?:ci|install|i|add)\b",
    "yarn": COMMAND + r"yarn(?:\s+(?:install|add|global\s+add))?(?=\s*(?:$|&&|;|\s--))",
    "pnpm": START + r"pnpm" + OPTIONS + r"\s+(?:install|i|add|fetch|deploy)\b",
    "bun": START + r"bun\s+(?:install|i|add)\b",
    "apt-get": START + r"apt-get" + OPTIONS + r"\s+(?:install|upgrade|dist-upgrade|build-dep)\b",
    "apt": START + r"apt" + OPTIONS + r"\s+(?:install|upgrade|full-upgrade)\b",
    "apk": START + r"apk" + OPTIONS + r"\s+(?:add|upgrade)\b",
    "dnf": START + r"(?:dnf|yum|microdnf)" + OPTIONS + r"\s+(?:install|update|upgrade)\b",
    "zypper": START + r"zypper" + OPTIONS + r"\s+(?:install|in|update|up|refresh|ref)\b",
    "go build": START + r"go\s+build\b",
    "go install": START + r"go\s+(?:install|test|run|get)\b",
    "go mod download": START + r"go\s+mod\s+download\b",
    "cargo": START + r"cargo(?:\s+\+\S+)?\s+(?:build|install|fetch|test|chef\s+cook)\b",
    "maven": COMMAND + r"(?:mvn|mvnw)\s+(?!-v\b|--version\b)\S",
    "gradle": COMMAND + r"(?:gradle|gradlew)\s+(?!-v\b|--version\b)\S",
    "nuget": START + r"dotnet\s+(?:restore|build|publish|test|run)\b",
    "composer": START + r"composer" + OPTIONS + r"\s+(?:install|update|require|create-project|global\s+require)\b",
    "bundler": COMMAND + r"bundle(?:\s+install\b|(?=\s*(?:$|&&|;)))",
    "gem": START + r"gem\s+install\b",
}
PLAIN = {name: re.compile(pattern, re.S) for name, pattern in PLAIN.items()}
MUST_BE_SAFE = ["pip", "npm", "apt-get", "go build"]


def table():
    """The repository names of the table of base images."""
    text = open(os.path.join(HERE, "..", "src", "facts", "bases", "rows.rs")).read()
    lists = re.findall(r"repositories:\s*&\[(.*?)\]", text, re.S)
    return {name for names in lists for name in re.findall(r'"([^"]+)"', names)}


def repository(reference):
    name = reference.split("@")[0]
    head, _, tail = name.rpartition(":")
    name = head if head and "/" not in tail else name
    for prefix in ("docker.io/library/", "docker.io/", "library/"):
        if name.startswith(prefix):
            return name[len(prefix):]
    return name


def runs(path, known):
    """Each RUN that downloads: its first line, its managers, and whether root runs it on a base of the table."""
    try:
        instructions = dockerfile.parse_file(path)
    except Exception:
        return
    arguments, stages, base, user = {}, {}, None, None
    for ins in instructions:
        word = ins.cmd.upper()
        if word == "ARG" and base is None:
            for value in ins.value:
                name, _, default = value.partition("=")
                arguments[name] = default.strip("\"'")
        elif word == "FROM" and ins.value:
            reference = re.sub(r"\$\{?(\w+)(?::-([^}]*))?\}?", lambda m: arguments.get(m[1]) or m[2] or "$" + m[1], ins.value[0])
            written = ins.value[0]
            inherited = stages.get(reference.lower())
            # A base that an argument replaces as a whole is not one of the table.
            whole = repository(written).startswith("$")
            base, user = inherited or (repository(reference) in known and not whole, "root")
            if len(ins.value) == 3:
                stages[ins.value[2].lower()] = (base, user)
            name = ins.value[2].lower() if len(ins.value) == 3 else None
        elif word == "USER" and ins.value:
            user = ins.value[0]
            if name:
                stages[name] = (base, user)
        elif word == "RUN":
            text = " ".join(ins.value)
            if ins.json:
                text = " ".join(ins.value)
            elif "<<" in text:
                lines = open(path, encoding="utf-8-sig", errors="replace").read().split("\n")
                text = "\n".join(lines[ins.start_line - 1 : ins.end_line])
            code = re.sub(r"(?m)^\s*#.*$", "", text)
            found = [manager for manager, pattern in PLAIN.items() if pattern.search(code)]
            root = user.split(":")[0] in ("root", "0")
            if found:
                yield ins.start_line, ins.end_line, found, base and root, ins.flags


def main():
    restow, folders = sys.argv[1], sys.argv[2:]
    known = table()
    run = subprocess.run([restow, "diff", "--review", "--format", "json", *folders], capture_output=True, text=True)
    report = {os.path.abspath(f["path"]): f for f in json.loads(run.stdout)["files"]}
    counts = collections.defaultdict(collections.Counter)
    unexplained = []
    timid = []
    for folder in folders:
        for root, _, files in os.walk(folder):
            for name in sorted(files):
                path = os.path.join(root, name)
                if not NAME.search(path) or os.path.islink(path):
                    continue
                entry = report.get(os.path.abspath(path))
                if entry is None:
                    continue
                for first, last, managers, must, flags in runs(path, known):
                    changes = [c for c in entry["changes"] if first <= c["line"] <= last and c["transform"] == "add-cache-mounts"]
                    skips = [s for s in entry["skipped"] if first <= s["line"] <= last]
                    for manager in managers:
                        row = {"apt-get": "apt", "go build": "go", "go mod download": "go", "go install": "go"}.get(manager, manager)
                        mine = [c for c in changes if c["title"].startswith("Mount the %s " % row)]
                        reasons = [s for s in skips if s["reason"].startswith(row + ":") or ":" not in s["reason"].split(" ")[0]]
                        mounted = any("type=cache" in flag for flag in flags)
                        if any(c["level"] == "safe" for c in mine):
                            kind = "safe"
                        elif mine:
                            kind = "review"
                        elif reasons:
                            kind = "left alone"
                        elif mounted:
                            kind = "mounted"
                        else:
                            kind = "unexplained"
                            unexplained.append("%s:%d: %s" % (path, first, manager))
                        counts[manager][kind] += 1
                        if must and manager in MUST_BE_SAFE and kind != "mounted":
                            counts[manager]["must"] += 1
                            counts[manager]["must safe"] += kind == "safe"
                            if kind != "safe":
                                why = (mine and mine[0]["reason"]) or (reasons and reasons[0]["reason"]) or ""
                                timid.append("%s:%d: %s %s: %s" % (path, first, manager, kind, why))
    kinds = ["safe", "review", "left alone", "mounted", "unexplained"]
    print("%-16s" % "manager" + "".join("%12s" % kind for kind in kinds) + "   root on a known base, safe")
    failed = bool(unexplained)
    for manager in PLAIN:
        row = counts[manager]
        must = ""
        if row["must"]:
            share = 100.0 * row["must safe"] / row["must"]
            must = "   %d of %d (%.1f %%)" % (row["must safe"], row["must"], share)
            failed |= share < 90
        print("%-16s" % manager + "".join("%12d" % row[kind] for kind in kinds) + must)
    if "-v" in os.environ.get("COVERAGE", ""):
        print("\n".join(timid))
    for place in unexplained:
        print("unexplained: " + place)
    if not counts:
        sys.exit("no RUN to count")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
