#!/usr/bin/env python3
"""Count services and steps that build an image, by PyYAML, and see that restow changes each one or says why not.

usage: yaml_coverage.py RESTOW FOLDER... [--config FILE]

Services with `build` (merge keys followed) in compose files, and steps of docker/build-push-action and docker/bake-action in workflows, are
found by PyYAML alone. Each must be named in a change or in a reason of `restow diff --review --format json`. Prints the counts by reason;
exit 1 with the list of those that were passed over. Files that PyYAML or restow can't read are counted apart.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

import yaml

COMPOSE = re.compile(r"(docker-)?compose.*\.ya?ml")
ACTIONS = ("docker/build-push-action@", "docker/bake-action@")


class Reader(yaml.SafeLoader):
    """Keeps what unknown tags stand at."""


def opaque(loader, suffix, node):
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) or "!" + suffix


Reader.add_multi_constructor("!", opaque)


def services(text):
    """Names of services that have `build` as a key of their own or by a merge key."""
    found = []
    for document in yaml.load_all(text, Reader):
        listed = document.get("services") if isinstance(document, dict) else None
        for name, service in (listed or {}).items() if isinstance(listed, dict) else []:
            if isinstance(service, dict) and "build" in service and not str(name).startswith("x-"):
                found.append(str(name))
    return found


def steps(text):
    """Lines of the steps that use one of the actions."""
    found = []
    root = yaml.compose(text, Reader)
    jobs = [value for key, value in root.value if key.value == "jobs"] if isinstance(root, yaml.MappingNode) else []
    for _, job in jobs[0].value if jobs else []:
        listed = [value for key, value in job.value if key.value == "steps"] if isinstance(job, yaml.MappingNode) else []
        for step in listed[0].value if listed else []:
            uses = [value.value for key, value in step.value if key.value == "uses"] if isinstance(step, yaml.MappingNode) else []
            if uses and isinstance(uses[0], str) and uses[0].lower().startswith(ACTIONS):
                found.append(step.start_mark.line + 1)
    return found


def shape(reason):
    """A reason without what is peculiar to one place."""
    reason = re.sub(r"`[^`]*`", "…", reason)
    reason = re.sub(r"\b[\w./${}:@+-]*(/|\$)[\w./${}:@+-]*", "…", reason)
    return re.sub(r"needs \w+$", "needs …", re.split(r"[;:,(]", reason)[0]).strip()[:90]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("restow")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--config")
    options = parser.parse_args()
    counts = {"service": collections.Counter(), "step": collections.Counter()}
    passed_over, unreadable = [], collections.Counter()
    for folder in options.folders:
        command = [options.restow, "diff", "--review", "--only", "add-cache-from,add-ci-cache", "--format", "json", "--quiet"]
        command += ["--config", options.config] if options.config else []
        report = json.loads(subprocess.run([*command, folder], capture_output=True, text=True, check=True).stdout)
        broken = {error["path"] for error in report["errors"]}
        files = {file["path"]: file for file in report["files"]}
        for at, _, names in os.walk(folder):
            for name in names:
                path = os.path.normpath(os.path.join(at, name))
                is_compose = bool(COMPOSE.fullmatch(name.lower()))
                is_workflow = at.endswith(".github/workflows") and re.search(r"\.ya?ml$", name)
                if not (is_compose or is_workflow):
                    continue
                kind = "service" if is_compose else "step"
                try:
                    with open(path, encoding="utf-8") as file:
                        text = file.read()
                    found = services(text) if is_compose else steps(text)
                except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
                    unreadable[kind] += 1
                    continue
                if not found:
                    continue
                if path not in files:
                    unreadable[kind] += 1
                    if path not in broken:
                        passed_over.append(f"{path}: neither read nor refused")
                    continue
                changes, skipped = files[path]["changes"], files[path]["skipped"]
                for one in found:
                    if is_compose:
                        changed = any(change["title"].endswith(f"({one})") for change in changes)
                        reasons = [skip["reason"].split(": ", 1)[1] for skip in skipped if skip["reason"].startswith(f"`{one}`:")]
                    else:
                        changed = any(change["line"] == one for change in changes)
                        reasons = [skip["reason"].split(": ", 1)[-1] for skip in skipped if skip["line"] == one]
                    ignored = [skip["reason"] for skip in skipped if "restow: ignore" in skip["reason"]]
                    if changed:
                        counts[kind]["changed"] += 1
                    elif reasons or ignored:
                        counts[kind][shape((reasons or ignored)[0])] += 1
                    elif kind == "step" and any("Set up Buildx" in change["title"] for change in changes):
                        counts[kind]["changed"] += 1
                    else:
                        passed_over.append(f"{path}: {one}")
    for kind, counter in counts.items():
        print(f"{kind}s that build: {sum(counter.values())} (files that can't be read: {unreadable[kind]})")
        for reason, count in counter.most_common():
            print(f"  {count:5}  {reason}")
    for line in passed_over:
        print("PASSED OVER", line)
    if not sum(counts["service"].values()):
        sys.exit("no service was found; nothing is shown")
    sys.exit(bool(passed_over))


if __name__ == "__main__":
    main()
