#!/usr/bin/env python3
"""Compares what `restow models` finds with a hand-written truth.

    python3 tests/models/recall.py --restow PATH --truth models.json --trees DIR [--verbose]

The truth is a list of services, each with `repo` (a folder of DIR), `dockerfile`,
`models` (`library`, `model_id`, `given`, ...) and `expect_no_model`. The binary runs
once per repository folder; a service of the truth is matched by the path of its
Dockerfile, with the compose services that build this Dockerfile taken together.

Exit status 1: a found id that is not in the truth (precision below 100 %), recall
below 90 %, a model reported for a service that loads none, or no judged service.
"""

import argparse
import json
import os
import posixpath
import re
import subprocess
import sys

MIN_RECALL = 0.90

# How the id reaches the loader, where no reader without running the code is
# expected to follow: such ids may be found, and are not missed when they are not.
BEYOND = [
    ("f-string", re.compile(r"f-string|format string|concatenat", re.I)),
    ("dict", re.compile(r"\bdict(ionary)?\b", re.I)),
    ("database", re.compile(r"\bdatabase\b|\bDB\b")),
    ("request", re.compile(r"\brequest (field|body|parameter)", re.I)),
    ("only at build", re.compile(r"only[ -]at[ -]build", re.I)),
    ("not resolvable", re.compile(r"not resolvable|unresolvable", re.I)),
]

# Whisper names as the libraries take them, and the repositories behind them.
FASTER_WHISPER = re.compile(r"(?:Systran|guillaumekln)/faster-whisper-(.+)")
FASTER_DISTIL = re.compile(r"Systran/faster-distil-whisper-(.+)")
FASTER_TURBO = {
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "deepdml/faster-whisper-large-v3-turbo-ct2",
    "dropbox-dash/faster-whisper-large-v3-turbo",
}
WHISPER_SAME = {"large": "large-v3", "large-v3-turbo": "turbo"}

TIKTOKEN_MODELS = [
    (re.compile(r"^(gpt-4o|gpt-4\.|gpt-5|chatgpt-4o|o1|o3|o4)"), "o200k_base"),
    (re.compile(r"^(gpt-4|gpt-3\.5|gpt-35|text-embedding-)"), "cl100k_base"),
    (re.compile(r"^(text-davinci-00[23])"), "p50k_base"),
]
NLTK_FOLDER = re.compile(
    r"^(tokenizers|corpora|taggers|chunkers|sentiment|stemmers|models|grammars|misc|help)/"
)


def whisper_name(name):
    return WHISPER_SAME.get(name, name)


def canonical(library, name):
    """One spelling per model, so that short names and hub ids compare equal."""
    library = (library or "").lower()
    name = name.strip()
    if name in FASTER_TURBO:
        return "faster-whisper:turbo"
    m = FASTER_WHISPER.fullmatch(name)
    if m:
        return "faster-whisper:" + whisper_name(m.group(1))
    m = FASTER_DISTIL.fullmatch(name)
    if m:
        return "faster-whisper:distil-" + whisper_name(m.group(1))
    if "/" not in name and "whisper" in library:
        faster = "faster" in library or "whisperx" in library or "batched" in library
        return ("faster-whisper:" if faster else "whisper:") + whisper_name(name)
    if name.startswith("openai/whisper-") and "whisper" in library and "faster" not in library:
        return "whisper:" + whisper_name(name[len("openai/whisper-") :])
    if "tiktoken" in library:
        for pattern, encoding in TIKTOKEN_MODELS:
            if pattern.match(name):
                return encoding
        return name
    if "nltk" in library:
        return NLTK_FOLDER.sub("", name)
    if name.startswith("sentence-transformers/"):
        return name[len("sentence-transformers/") :]
    return name


def split_id(text):
    """'a (fallback b, c)' -> ([a], [b, c]);  'a, b' -> ([a, b], [])."""
    m = re.fullmatch(r"(.*?)\s*\((.*)\)\s*", text, re.S)
    optional = []
    if m:
        text, inside = m.group(1), m.group(2)
        inside = re.sub(r"^(fallbacks?|or|alternatively|optional(ly)?)\b:?\s*", "", inside)
        optional = [p.strip() for p in inside.split(",")]
    required = [p.strip() for p in text.split(",")]
    return [p for p in required if p], [p for p in optional if p and " " not in p]


class Truth:
    """What one service has to show (required), may show (optional), and what is
    left out of the count, with the reason."""

    def __init__(self, service):
        self.service = service
        self.required = {}
        self.optional = {}
        self.same = {}
        out = []
        for model in service["models"]:
            library, text = model.get("library"), model.get("model_id")
            given = model.get("given") or ""
            beyond = next((k for k, p in BEYOND if p.search(given)), None)
            if not text:
                out.append((None, None, beyond or "no id", given))
                continue
            required, optional = split_id(text)
            same = list(model.get("equal") or [])
            if model.get("hub_id"):
                same.append(model["hub_id"])
            names = [canonical(library, n) for n in required]
            for name in optional:
                self.optional[canonical(library, name)] = name
            if model.get("optional"):
                beyond = beyond or "optional"
            if model.get("default_engine") is False:
                beyond = beyond or "not the engine that is set"
            for shown, name in zip(required, names):
                if beyond:
                    self.optional[name] = shown
                    out.append((name, shown, beyond, given))
                else:
                    self.required[name] = shown
            if len(names) == 1:
                for other in same:
                    other = canonical(library, other)
                    if other != names[0]:
                        self.same[other] = names[0]
        # An id that another loader of this service makes required is counted.
        for name in self.required:
            self.optional.pop(name, None)
            self.same.pop(name, None)
        self.out = [entry[1:] for entry in out if entry[0] not in self.required]


def run(binary, folder):
    """(reported services, text of a failure)."""
    command = [binary, "models", folder, "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], str(error)
    try:
        report = json.loads(done.stdout)
        if report["version"] != 1:
            return [], "version %r" % (report["version"],)
        return report["services"], None
    except (ValueError, KeyError, TypeError):
        said = (done.stderr or done.stdout).strip().splitlines()
        return [], "exit status %d: %s" % (done.returncode, said[-1] if said else "no output")


def clean(path):
    return posixpath.normpath((path or "").replace(os.sep, "/"))


def judge(truth, reported):
    """Sets of canonical ids, and the reports behind them."""
    found, unresolved, at = {}, [], {}
    listed = set()
    for service in reported:
        # Encodings stand in a list of their own: one that the truth doesn't name is not wrong.
        for model in service.get("vocabularies") or []:
            if model.get("id"):
                listed.add(canonical(model.get("library"), model["id"]))
        for model in service.get("models") or []:
            if not model.get("id"):
                continue
            name = canonical(model.get("library"), model["id"])
            name = truth.same.get(name, name)
            found.setdefault(name, model["id"])
            at.setdefault(name, []).append((service.get("service"), model))
        for entry in service.get("unresolved") or []:
            if entry not in unresolved:
                unresolved.append(entry)
    missing = [n for n in truth.required if n not in found and n not in listed]
    wrong = [n for n in found if n not in truth.required and n not in truth.optional]
    return found, missing, wrong, unresolved, at


def place(entry):
    return "%s:%s" % (entry.get("path"), entry.get("line"))


def table(rows):
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [
            str(c).ljust(w) if i == 0 or i == len(row) - 1 else str(c).rjust(w)
            for i, (c, w) in enumerate(zip(row, widths))
        ]
        yield "  ".join(cells).rstrip()


def percent(part, whole):
    return "%5.1f %% (%d of %d)" % (100.0 * part / whole if whole else 100.0, part, whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--restow", required=True, help="the binary")
    parser.add_argument("--truth", required=True, help="models.json")
    parser.add_argument("--trees", required=True, help="folder of repository folders")
    parser.add_argument("--only", help="judge only services whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="every id with its place")
    args = parser.parse_args()

    with open(args.truth, encoding="utf-8") as file:
        services = json.load(file)
    if args.only:
        services = [s for s in services if args.only in s["service"]]

    reports = {}
    rows = [("service", "truth", "found", "missing", "wrong", "unresolved", "")]
    details, absent, failures, left_out, flagged = [], [], [], [], []
    n_required = n_hit = n_found = n_right = n_judged = n_negative = 0
    for service in services:
        repo, name = service["repo"], service["service"]
        folder = os.path.join(args.trees, repo)
        if not os.path.isdir(folder):
            absent.append(name)
            continue
        if repo not in reports:
            reports[repo] = run(args.restow, folder)
            if reports[repo][1]:
                failures.append((repo, reports[repo][1]))
        n_judged += 1
        want = clean(service["dockerfile"])
        reported = [s for s in reports[repo][0] if clean(s.get("dockerfile")) == want]
        truth = Truth(service)
        found, missing, wrong, unresolved, at = judge(truth, reported)
        negative = bool(service.get("expect_no_model"))
        n_negative += negative
        n_required += len(truth.required)
        n_hit += len(truth.required) - len(missing)
        n_found += len(found)
        n_right += len(found) - len(wrong)
        left_out += [(name,) + entry for entry in truth.out]
        remark = []
        if negative:
            remark.append("loads none")
            if found:
                remark.append("FLAGGED")
                flagged.append(name)
        if reports[repo][1]:
            remark.append("no report")
        elif not reported:
            remark.append("Dockerfile not reported")
        rows.append(
            (name, len(truth.required), len(found), len(missing) or "", len(wrong) or "",
             len(unresolved) or "", ", ".join(remark))
        )

        lines = []
        if args.verbose:
            lines.append("truth       " + (", ".join(truth.required.values()) or "-"))
            for n, entries in at.items():
                for compose, m in entries:
                    lines.append(
                        "found       %s  %s  %s  [%s]%s%s"
                        % (m["id"], m.get("library"), place(m), m.get("given"),
                           "  compose " + compose if compose else "",
                           "  in image" if m.get("in_image") is True else "")
                    )
        for n in missing:
            model = next(
                (m for m in service["models"] if m.get("model_id")
                 and truth.required[n] in split_id(m["model_id"])[0]), {})
            lines.append(
                "MISSING     %s  (%s; %s; loaded at %s)"
                % (truth.required[n], model.get("given"), model.get("library"),
                   model.get("load_at")))
        for n in wrong:
            for compose, m in at[n]:
                built = any(m["id"] in p for p in service.get("predownloaded") or [])
                lines.append(
                    "WRONG       %s  %s  %s  [%s]%s %s"
                    % (m["id"], m.get("library"), place(m), m.get("given"),
                       " (fetched at build)" if built else "", m.get("reason") or ""))
        if args.verbose or missing:
            for entry in unresolved:
                lines.append(
                    "unresolved  %s  %s  %s"
                    % (entry.get("library"), place(entry), entry.get("reason")))
        if args.verbose and service.get("notes") and (missing or wrong):
            lines.append("notes       " + service["notes"])
        if lines:
            details.append((name, lines))

    for line in table(rows):
        print(line)
    for name, lines in details:
        print("\n" + name)
        for line in lines:
            print("    " + line)
    if left_out:
        print("\nCounted out of recall:")
        for name, shown, why, given in left_out:
            print("    %s  %s  %s: %s" % (name, shown, why, given))
    if absent:
        print("\nNot judged (no such folder):")
        for name in absent:
            print("    " + name)
    if failures:
        print("\nNo report:")
        for repo, why in failures:
            print("    %s  %s" % (repo, why))

    print()
    print("services judged    %d of %d" % (n_judged, len(services)))
    print("precision          " + percent(n_right, n_found))
    print("recall             " + percent(n_hit, n_required))
    print("negatives flagged  %d of %d%s"
          % (len(flagged), n_negative, ": " + ", ".join(flagged) if flagged else ""))
    recall = n_hit / n_required if n_required else 1.0
    bad = n_right < n_found or recall < MIN_RECALL or flagged or not n_judged
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
