#!/usr/bin/env python3
"""Judge rewritten compose files, workflows and docker-bake.json by their data, their lines and their comments.

usage: yaml_data.py BEFORE AFTER [--kind compose|workflow|bake] [--accepts "docker compose"] [--self-test]

BEFORE and AFTER are a folder and its rewritten copy (or two files). Needs PyYAML and nothing of restow. Each file is read by PyYAML's own
reader and by libyaml where it is built in, and compared three times: node by node as written (`<<` kept, with quotes, flow style, anchors
and tags), as merged data without the declared keys, and line by line. Declared are, for compose: build.cache_from, build.cache_to, a
BUILDKIT_INLINE_CACHE that leaves build.args, `build: X` that becomes `{context: X, ...}`, and the text of build.dockerfile_inline; for
workflows and composite actions: cache-from, cache-to, set (lines added), load (added, true) in a step's `with`, and one step with
docker/setup-buildx-action per job; for docker-bake.json: target.*.cache-from, cache-to and the argument. All else is damage, and so is
any change to a file that can't be read or holds duplicate keys. New entries are also held against what makes them work: none twice, no
export by two services to one place, gha with scope and ignore-error, setup-buildx before the step.

By name: compose*, docker-compose* (.yml, .yaml), .github/workflows/*, action.yml, docker-bake*.json; any other YAML file must not change.
--kind takes each *.yml, *.yaml and *.json as that kind. --accepts runs `COMMAND -f FILE config` on each compose file, two at a time: what
it accepts before it must accept after, and what it resolves may differ in the declared keys only. Exit 1 with the list of damage.
"""
import argparse
import bisect
import collections
import concurrent.futures
import difflib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

import yaml

ARGUMENT = "BUILDKIT_INLINE_CACHE"
BUILDX = "docker/setup-buildx-action"
LINES = {"cache-from", "cache-to", "set"}
CACHES = {"compose": ("cache_from", "cache_to"), "bake": ("cache-from", "cache-to")}
NOT_A_STRING = re.compile(r"(~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+)?")
FALSE = (None, "", "0", "f", "F", "false", "False", "FALSE")
REFERENCE = re.compile(r"\$(?:\$|\{[^}]*\}|[A-Za-z_]\w*)")


def kind_by_name(path):
    folder, name = os.path.split(path.lower())
    if re.fullmatch(r"(docker-)?compose.*\.ya?ml", name):
        return "compose"
    if re.fullmatch(r"docker-bake.*\.json", name):
        return "bake"
    if folder.replace(os.sep, "/").endswith(".github/workflows") and re.search(r"\.ya?ml$", name):
        return "workflow"
    return "workflow" if re.fullmatch(r"action\.ya?ml", name) else None


class Reader(yaml.SafeLoader):
    """PyYAML's own reader; an anchor may be set anew, as YAML allows."""

    def compose_node(self, parent, index):
        if not self.check_event(yaml.AliasEvent) and (anchor := self.peek_event().anchor):
            self.anchors.pop(anchor, None)
        return super().compose_node(parent, index)


LOADERS = [Reader] + ([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])


# --- reading ---------------------------------------------------------------------------------------------------------------------


def read(text, loader):
    """The documents as nodes; None where the reader refuses. Aliases are the node they name."""
    try:
        return list(yaml.compose_all(text, Loader=loader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def explicit(node):
    """A tag that somebody wrote (the standard ones, resolved or written, say nothing new)."""
    return node.tag if not node.tag.startswith("tag:yaml.org") else ""


def plain(node):
    return isinstance(node, yaml.ScalarNode) and not node.style


def keys(mapping):
    """(text, key node, value node); a key that is a collection shows as its place in the mapping."""
    for number, (key, value) in enumerate(mapping.value):
        yield (key.value if isinstance(key, yaml.ScalarNode) else f"?{number}"), key, value


def duplicates(node, seen=None, path=()):
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        known = set()
        for text, key, value in keys(node):
            if text in known:
                yield ".".join(map(str, path + (text,)))
            known.add(text)
            yield from duplicates(key, seen, path + ("?",))
            yield from duplicates(value, seen, path + (text,))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from duplicates(item, seen, path + (number,))


def size(node, known):
    """The number of nodes with all aliases written out."""
    if id(node) not in known:
        known[id(node)] = 1
        parts = [] if node is None or isinstance(node, yaml.ScalarNode) else node.value
        known[id(node)] += sum(size(part, known) for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,)))
    return known[id(node)]


def data(node, open_nodes=()):
    """Merged data: strings are str, any other plain scalar is a tuple of its text, `on` and `yes` are strings, a tag is kept."""
    if node is None:
        return None
    if id(node) in open_nodes:
        return ("alias to itself",)
    inner = open_nodes + (id(node),)
    if isinstance(node, yaml.ScalarNode):
        value = (node.value,) if plain(node) and NOT_A_STRING.fullmatch(node.value) else node.value
    elif isinstance(node, yaml.SequenceNode):
        value = [data(item, inner) for item in node.value]
    else:
        own, merged = {}, {}
        for text, key, item in keys(node):
            if not isinstance(key, yaml.ScalarNode):
                text = f"? {data(key, inner)!r}"
            if text == "<<" and plain(key):
                for source in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    found = data(source, inner)
                    for name, part in (found if isinstance(found, dict) else {"<<": found}).items():
                        merged.setdefault(name, part)
            else:
                own[text] = data(item, inner)
        value = {**merged, **own}
    return (explicit(node), value) if explicit(node) else value


def comments(text, loader):
    """The comments in order: a `#` at the start or after white space, outside all scalars."""
    out = list(text)
    for token in yaml.scan(text, Loader=loader):
        if isinstance(token, yaml.ScalarToken):
            start, end = token.start_mark.index, token.end_mark.index
            if token.style in ("|", ">"):  # the header may carry a comment
                line_end = min([p for p in (text.find("\n", start), text.find("\r", start)) if p >= 0] or [len(text)])
                start = line_end
            for at in range(start, min(end, len(out))):
                if out[at] not in "\r\n":
                    out[at] = "x"
    return [found.group().rstrip() for found in re.finditer(r"(?:(?<=\s)|(?<![^\n])|\A)#[^\r\n]*", "".join(out))]


# --- node by node, as written ----------------------------------------------------------------------------------------------------


class Compare:
    """Compare nodes; collects damage, and the lines of the text before that a declared change may touch."""

    def __init__(self, kind, before):
        self.kind, self.damage, self.lines, self.pairs = kind, [], set(), {}
        self.starts = list(itertools.accumulate(map(len, split_lines(before))))

    def bad(self, path, what):
        self.damage.append(f"{'.'.join(map(str, path)) or 'top'}: {what}")

    def allow(self, *nodes):
        for node in nodes:  # by place: PyYAML also ends a line at U+0085, U+2028 and U+2029
            start, end = node.start_mark.index, max(node.start_mark.index, last_place(node) - 1)
            self.lines.update(range(bisect.bisect_right(self.starts, start), bisect.bisect_right(self.starts, end) + 1))

    def role(self, path):
        """What may happen to the value at this path."""
        last = path[-1] if path else None
        fragment = bool(path) and str(path[0]).startswith("x-")
        if self.kind == "compose":
            own = len(path) > 3 and path[0] == "services" and path[2] == "build"
            if (fragment or len(path) == 3 and path[0] == "services") and last == "build":
                return "build"
            if fragment or own and len(path) == 4:
                return {"cache_from": "list", "cache_to": "list", "args": "args", "dockerfile_inline": "text"}.get(last)
        else:
            at = 3 if path[:1] == ("jobs",) else 2 if path[:1] == ("runs",) else 99
            if len(path) == at and last == "steps":
                return "steps"
            if len(path) == at + 2 and last == "with":
                return "with"
            if len(path) == at + 3 and path[-2] == "with":
                return "load" if last == "load" else "lines" if last in LINES else None
        return None

    def node(self, before, after, path):
        role = self.role(path)
        if id(before) in self.pairs:
            if self.pairs[id(before)] is not after:
                self.bad(path, "an alias was replaced by a copy")
            return
        self.pairs[id(before)] = after
        if role == "build" and isinstance(before, yaml.ScalarNode) and isinstance(after, yaml.MappingNode):
            return self.short_to_long(before, after, path)
        if role == "with" and isinstance(before, yaml.ScalarNode) and before.value in ("", "~", "null") and isinstance(after, yaml.MappingNode):
            self.allow(before)
            return self.new_keys(after, path, [text for text, _, _ in keys(after)])
        if role == "list" and isinstance(before, yaml.ScalarNode) and plain(before) and before.value in ("", "~", "null") \
                and isinstance(after, yaml.SequenceNode):
            return self.allow(before)
        if type(before) is not type(after) or explicit(before) != explicit(after):
            return self.bad(path, f"{shown(before)} became {shown(after)}")
        if isinstance(before, yaml.ScalarNode):
            self.scalar(before, after, path, role)
        elif isinstance(before, yaml.SequenceNode):
            self.sequence(before, after, path, role)
        else:
            self.mapping(before, after, path, role)
        if not isinstance(before, yaml.ScalarNode) and before.flow_style != after.flow_style and before.value:
            self.bad(path, "flow style and block style swapped")

    def short_to_long(self, before, after, path):
        self.allow(before)
        found = {text: value for text, _, value in keys(after)}
        context = found.pop("context", None)
        if plain(before) and NOT_A_STRING.fullmatch(before.value) or explicit(before):
            self.bad(path, f"{shown(before)} became a mapping")
        elif context is None or (context.value, context.style, explicit(context)) != (before.value, before.style, explicit(before)):
            self.bad(path, f"the context is no longer {shown(before)}")
        self.new_keys(after, path, found)

    def new_keys(self, after, path, names):
        for name in names:
            if self.role(path + (name,)) not in ("list", "lines", "load"):
                self.bad(path + (name,), "a key nobody declared")

    def scalar(self, before, after, path, role):
        if (before.value, before.style) == (after.value, after.style):
            return
        self.allow(before)
        if role == "lines":
            if before.value and not kept([before.value], [after.value], path[-1]):
                self.bad(path, f"{shown(before)} became {shown(after)}")
        elif role != "text" or before.style != after.style:
            self.bad(path, f"{shown(before)} became {shown(after)}")

    def sequence(self, before, after, path, role):
        old, new = list(before.value), list(after.value)
        if role == "steps":
            inserted = [step for step in new if uses(step).startswith(BUILDX)]
            extra = len(new) - len(old)
            if extra > 1:
                self.bad(path, f"{extra} steps inserted")
            if extra == 1:
                for step in inserted:
                    rest = [one for one in new if one is not step]
                    if [shown(one) for one in map(headline, rest)] == [shown(one) for one in map(headline, old)]:
                        new = rest
                        if before.flow_style:
                            self.allow(before)
                        break
        elif role == "args":
            left = [item for item in old if str(item.value).split("=")[0].strip() != ARGUMENT]
            if len(left) < len(old) and len(new) == len(left):
                self.allow(*([before] if before.flow_style else [item for item in old if item not in left]))
                old = left
        elif role == "list":
            texts = [shown(item) for item in new]
            if all(isinstance(item, yaml.ScalarNode) for item in old + new) and in_order([shown(item) for item in old], texts):
                if len(old) != len(new) and (before.flow_style or not old):
                    self.allow(before)
                return
            return self.bad(path, "an existing entry was taken out or changed")
        if len(old) != len(new):
            return self.bad(path, f"{len(before.value)} items became {len(after.value)}")
        for number, (left, right) in enumerate(zip(old, new)):
            self.node(left, right, path + (number,))

    def mapping(self, before, after, path, role):
        old, new = list(keys(before)), list(keys(after))
        if role == "args":
            left = [entry for entry in old if entry[0] != ARGUMENT]
            if len(left) < len(old) and not any(text == ARGUMENT for text, _, _ in new):
                for text, key, value in old:
                    if text == ARGUMENT:
                        self.allow(*([before] if before.flow_style else [key, value]))
                old = left
        names_old, names_new = [text for text, _, _ in old], [text for text, _, _ in new]
        for text, key, value in list(old):
            if text not in names_new:
                only = self.role(path + (text,)) == "args" and arguments(value) == {ARGUMENT}
                self.allow(*([before] if before.flow_style else [key, value]))
                if not only:
                    self.bad(path + (text,), "a key was lost")
                old = [entry for entry in old if entry[1] is not key]
        for text in names_new:
            place = path + (text,)
            if text in names_old:
                continue
            if self.role(place) == "with":
                added = next(value for name, _, value in new if name == text)
                if isinstance(added, yaml.MappingNode):
                    self.new_keys(added, place, [name for name, _, _ in keys(added)])
                else:
                    self.bad(place, "`with` is no mapping")
            else:
                self.new_keys(after, path, [text])
            if before.flow_style or not before.value:
                self.allow(before)
        new = [entry for entry in new if entry[0] in names_old]
        if [text for text, _, _ in old] != [text for text, _, _ in new]:
            return self.bad(path, "the order of keys changed")
        for (text, key, value), (_, key_after, value_after) in zip(old, new):
            if isinstance(key, yaml.ScalarNode) and key.style != getattr(key_after, "style", None):
                self.bad(path + (text,), "the quotes of a key changed")
            elif not isinstance(key, yaml.ScalarNode):
                self.node(key, key_after, path + ("?",))
            before_lines = len(self.lines)
            self.node(value, value_after, path + (text,))
            if len(self.lines) > before_lines and self.role(path + (text,)) in ("build", "with", "list", "lines", "text"):
                self.allow(key)


def last_place(node):
    """Where a node ends; a block collection ends in PyYAML where the next token starts, so take its last child."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return node.end_mark.index
    child = node.value[-1]
    return max(last_place(part) for part in (child if isinstance(child, tuple) else (child,)))


def shown(node):
    if isinstance(node, yaml.ScalarNode):
        return f"{explicit(node)}{node.style or ''}{node.value!r}"
    return f"{explicit(node)}{type(node).__name__}({len(node.value)})"


def uses(step):
    if isinstance(step, yaml.MappingNode):
        return next((value.value for text, _, value in keys(step) if text == "uses" and isinstance(value, yaml.ScalarNode)), "")
    return ""


def headline(step):
    """The first value of a step, enough to tell which one was inserted."""
    return step.value[0][1] if isinstance(step, yaml.MappingNode) and step.value else step


def arguments(node):
    """The names in args, as nodes or as data."""
    value = getattr(node, "value", node)
    if isinstance(node, (yaml.MappingNode, dict)):
        return {text for text, *_ in keys(node)} if isinstance(node, yaml.MappingNode) else set(value)
    if isinstance(value, list):
        return {str(getattr(item, "value", item)).split("=")[0].strip() for item in value}
    return set()


def argument(args):
    """The value of BUILDKIT_INLINE_CACHE; a bare name has none."""
    if isinstance(args, dict):
        value = args[ARGUMENT]
        return value[0] if isinstance(value, tuple) else value
    return next(str(item).partition("=")[2] for item in args if str(item).split("=")[0].strip() == ARGUMENT)


def in_order(few, many):
    rest = iter(many)
    return all(item in rest for item in few)


def entries(value):
    """The entries of a newline list or a YAML list, without blank ones."""
    if value is None or isinstance(value, tuple):
        return []
    parts = value if isinstance(value, list) else str(value).split("\n")
    return [part.strip() if isinstance(part, str) else part for part in parts if part not in ("", None) and str(part).strip()]


def fields(entry):
    """type=gha,scope=x as pairs; a plain name is a registry ref. Commas inside ${{ }} don't divide."""
    if isinstance(entry, dict):
        return {str(k): str(v) for k, v in entry.items()}
    parts = re.split(r",(?![^{]*\}\})", str(entry))
    if "=" not in parts[0]:
        return {"type": "registry", "ref": str(entry)}
    return dict((part.split("=", 1) + [""])[:2] for part in parts)


def kept(before, after, key):
    """Each entry before is there after, in order; a cache entry of a workflow may gain fields (a scope), `set` may only gain lines."""
    old, new = entries(before[0] if len(before) == 1 else before), entries(after[0] if len(after) == 1 else after)
    rest = iter(new)
    for entry in old:
        for other in rest:
            if entry == other or key != "set" and fields(entry).items() <= fields(other).items():
                break
        else:
            return False
    return True


# --- as merged data --------------------------------------------------------------------------------------------------------------


def strip(documents, kind):
    """The data without what is declared, and the declared parts by place."""
    declared = {}

    def build(value, place, names):
        if isinstance(value, str):
            value = {"context": value}
        if not isinstance(value, dict):
            return value
        value = dict(value)
        part = declared.setdefault(place, {})
        for name in names:
            if name in value:
                part[name] = value.pop(name)
        for name in ("dockerfile_inline", "dockerfile-inline"):
            if isinstance(value.get(name), str):
                part[name] = value[name]
                value[name] = "text"
        if ARGUMENT in arguments(value.get("args")):
            args = value["args"]
            part["argument"] = argument(args)
            if isinstance(args, dict):
                value["args"] = {name: item for name, item in args.items() if name != ARGUMENT}
            else:
                value["args"] = [item for item in args if str(item).split("=")[0].strip() != ARGUMENT]
            if not value["args"]:
                del value["args"]
        return value

    def fragment(value, place):
        if isinstance(value, dict):
            value = build(value, place, CACHES["compose"])
            return {name: fragment(build(item, place + (name,), CACHES["compose"]) if name == "build" else item, place + (name,))
                    for name, item in value.items()}
        if isinstance(value, list):
            return [fragment(item, place + (number,)) for number, item in enumerate(value)]
        return value

    def step(value, place):
        if not isinstance(value, dict):
            return value
        value = dict(value)
        part = declared.setdefault(place, {"uses": value.get("uses")})
        inputs = value.get("with")
        if isinstance(inputs, dict):
            lines = entries(inputs.get("build-args"))
            if ARGUMENT in arguments(lines):
                part["argument"] = argument(lines)
            inputs = dict(inputs)
            for name in [*LINES, "load"]:
                if name in inputs:
                    part[name] = inputs.pop(name)
            value["with"] = inputs
        if not value.get("with") or value["with"] in (("",), ("~",), ("null",)):
            value.pop("with", None)
        return value

    out = []
    for number, document in enumerate(documents):
        if not isinstance(document, dict):
            out.append(document)
            continue
        document = dict(document)
        if kind == "compose":
            services = document.get("services")
            if isinstance(services, dict):
                document["services"] = {
                    name: {**service, "build": build(service["build"], (number, name), CACHES["compose"])}
                    if isinstance(service, dict) and "build" in service else service
                    for name, service in services.items()}
            for name in [name for name in document if name.startswith("x-")]:
                document[name] = fragment(document[name], (number, name))
        elif kind == "bake":
            if isinstance(document.get("target"), dict):
                document["target"] = {name: build(target, (number, name), CACHES["bake"]) for name, target in document["target"].items()}
        else:
            jobs = document.get("jobs") if isinstance(document.get("jobs"), dict) else {"": document.get("runs")}
            stripped = {}
            for name, job in jobs.items():
                steps = job.get("steps") if isinstance(job, dict) else None
                if isinstance(steps, list):
                    job = dict(job)
                    buildx = [at for at, one in enumerate(steps) if is_buildx(one)]
                    declared[(number, name)] = {"buildx": [steps[at] for at in buildx], "job": job}
                    job["steps"] = []
                    for at, one in enumerate(steps):
                        if at not in buildx:
                            place = (number, name, len(job["steps"]))
                            job["steps"].append(step(one, place))
                            declared.setdefault(place, {})["prepared"] = any(early < at for early in buildx)
                stripped[name] = job
            document["jobs" if "jobs" in document else "runs"] = stripped
        out.append(document)
    return out, declared


def is_buildx(step):
    return isinstance(step, dict) and str(step.get("uses", "")).startswith(BUILDX)


def first_difference(before, after, path=""):
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *after]:
            if name not in before or name not in after:
                return f"{path}.{name} {'is new' if name in after else 'is gone'}"
            if before[name] != after[name]:
                return first_difference(before[name], after[name], f"{path}.{name}")
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (left, right) in enumerate(zip(before, after)):
            if left != right:
                return first_difference(left, right, f"{path}[{number}]")
    return f"{path}: {before!r:.80} became {after!r:.80}"


def judge_data(before, after, kind):
    """Damage, and the places (services, targets, steps) with a declared change."""
    damage, changed = [], []
    (rest_before, old), (rest_after, new) = strip(before, kind), strip(after, kind)
    if rest_before != rest_after:
        damage.append(f"data differs: {first_difference(rest_before, rest_after)}")
        return damage, changed
    exports = collections.defaultdict(set)
    for place in new:
        left, right = old.get(place, {}), new[place]
        name = ".".join(map(str, place[1:]))
        if "buildx" in right:
            was, now = left.get("buildx", []), right["buildx"]
            if not in_order(was, now) or len(now) > len(was) + 1:
                damage.append(f"{name}: the {BUILDX} steps differ by more than one")
            continue
        for key in [key for key in right if key in LINES or key in CACHES["compose"] + CACHES["bake"]]:
            was, now = entries(left.get(key)), entries(right[key])
            if not kept([was], [now], key if kind == "workflow" else "set"):
                damage.append(f"{name}.{key}: {was} became {now}: an entry was lost")
            twice = [entry for entry, count in collections.Counter(map(str, now)).items() if count > 1 and count > list(map(str, was)).count(entry)]
            if twice:
                damage.append(f"{name}.{key}: {twice} stands there twice")
            added = [entry for entry in now if entry not in was]
            damage.extend(f"{name}.{key}: empty ref in {entry}" for entry in added if fields(entry).get("ref", "x").startswith(("/", ":")) or not entry)
            for entry in now if key.replace("_", "-") == "cache-to" else []:
                field = fields(entry)
                target = tuple(field.get(part, "") for part in ("type", "ref", "scope", "dest", "bucket", "name"))
                if field.get("type") not in ("inline", None):
                    exports[target].add((name, entry in added))
            if kind == "workflow" and key == "cache-to":
                for entry in added:
                    field = fields(entry)
                    scoped = field.get("scope") or field.get("type") != "gha"
                    if not scoped:
                        damage.append(f"{name}.{key}: gha without scope")
                    if not was and field.get("type") in ("gha", "registry", "local") and field.get("ignore-error") != "true":
                        damage.append(f"{name}.{key}: {entry} without ignore-error=true")
                    job = new.get(place[:2], {}).get("job", {})
                    matrix = isinstance(job.get("strategy"), dict) and "matrix" in job["strategy"]
                    if matrix and "${{" not in entry and field.get("type") != "inline":
                        damage.append(f"{name}.{key}: one place for all values of the matrix: {entry}")
                if added and field_types(added) - {"inline"} and not right.get("prepared"):
                    damage.append(f"{name}.{key}: no {BUILDX} before the step")
        if left.get("load") != right.get("load") and (left.get("load") is not None or right.get("load") not in (("true",), "true")):
            damage.append(f"{name}.load: {left.get('load')} became {right.get('load')}")
        for key in set(left) - set(right) - {"argument"}:
            damage.append(f"{name}.{key} is gone")
        if "argument" in left and "argument" not in right and kind != "workflow":
            if not any(right.get(key) for key in CACHES[kind]):
                damage.append(f"{name}: {ARGUMENT} is gone and nothing stands for it")
        if "argument" in right and "argument" not in left:
            damage.append(f"{name}: {ARGUMENT} is new")
        inline = [[entry for key in ("cache_to", "cache-to") for entry in entries(part.get(key)) if fields(entry).get("type") == "inline"]
                  for part in (left, right)]
        if len(inline[1]) > len(inline[0]) and right.get("argument") not in FALSE:
            damage.append(f"{name}: type=inline beside {ARGUMENT} fails the build: duplicate cache exports [inline]")
        for key in ("dockerfile_inline", "dockerfile-inline"):
            if key in right and (lost := sorted(set(REFERENCE.findall(right[key])) - set(REFERENCE.findall(left.get(key, ""))))):
                damage.append(f"{name}.{key}: new references {lost}")
        if {k: v for k, v in left.items() if k != "prepared"} != {k: v for k, v in right.items() if k != "prepared"}:
            changed.append(name)
    for target, users in exports.items():
        if len({name for name, _ in users}) > 1 and any(is_new for _, is_new in users):
            damage.append(f"{sorted(name for name, _ in users)} all export to {[part for part in target if part]}")
    return damage, changed


def field_types(added):
    return {fields(entry).get("type") for entry in added}


# --- lines -----------------------------------------------------------------------------------------------------------------------


def split_lines(text):
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z", text)


def judge_lines(before, after, allowed):
    """Lines that went though no declared change touches them; line ends, final newline, white space at line ends."""
    damage = []
    for end in ("\r\n", "\n"):
        one_style = [set(re.findall(r"\r\n|\n|\r", text)) for text in (before, after)]
        if one_style[0] == {end} and one_style[1] != {end}:
            damage.append(f"line ends: only {end!r} before, {sorted(one_style[1])} after")
    if before.endswith(("\n", "\r")) != after.endswith(("\n", "\r")):
        damage.append("the final newline came or went")
    if before.startswith("\ufeff") != after.startswith("\ufeff"):
        damage.append("the byte order mark came or went")
    old, new = split_lines(before), split_lines(after)
    for lines in (old, new):
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += "\r\n" if "\r\n" in before else "\n"
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if allowed is not None:
            damage.extend(f"line {at + 1} is gone: {old[at]!r:.100}" for at in range(a, b) if at not in allowed)
        loose = [line for line in old[a:b] if re.search(r"[ \t]+[\r\n]*\Z", line)]
        fresh = [line for line in new[c:d] if re.search(r"[ \t]+[\r\n]*\Z", line)]
        if len(fresh) > len(loose):
            damage.append(f"new white space at a line end: {fresh[-1]!r:.100}")
    return damage


# --- one file --------------------------------------------------------------------------------------------------------------------


def judge_text(before, after, kind):
    """Damage and changed places of one file, both texts decoded."""
    if kind == "bake":
        return judge_json(before, after)
    bom = "\ufeff"
    damage, changed, allowed, readable = [], [], set(), 0
    for loader in LOADERS:
        old = read(before.removeprefix(bom), loader)
        if old is None:
            continue
        readable += 1
        new = read(after.removeprefix(bom), loader)
        if new is None:
            return [f"{loader.__name__} no longer reads it"], []
        if before == after:
            return [], []
        if sum(size(document, {}) for document in old) > 1_000_000:
            return ["changed, though its aliases stand for more than a million nodes"], []
        twice = [name for document in old for name in duplicates(document)]
        if twice:
            return [f"changed, though it holds duplicate keys: {twice[:3]}"], []
        damage += [f"duplicate key {name}" for document in new for name in duplicates(document)]
        if len(old) != len(new):
            damage.append(f"{len(old)} documents became {len(new)}")
            continue
        compare = Compare(kind, before.removeprefix(bom))
        for left, right in zip(old, new):
            if left is None or right is None:
                damage += ["an empty document changed"] * ((left is None) != (right is None))
            else:
                compare.node(left, right, ())
        allowed |= compare.lines
        more, changed = judge_data([data(d) for d in old], [data(d) for d in new], kind)
        damage += compare.damage + more
        if comments(before.removeprefix(bom), loader) != comments(after.removeprefix(bom), loader):
            gone = list(difflib.ndiff(comments(before.removeprefix(bom), loader), comments(after.removeprefix(bom), loader)))
            damage.append(f"comments: {[line for line in gone if line[0] in '+-?'][:4]}")
    if not readable:
        return (["changed, though it can't be read"] if before != after else []), []
    damage += judge_lines(before, after, allowed)
    return list(dict.fromkeys(damage)), changed


def judge_json(before, after):
    def pairs(found):
        if len({name for name, _ in found}) < len(found):
            raise ValueError("duplicate keys")
        return dict(found)

    def typed(value):
        if isinstance(value, dict):
            return {name: typed(item) for name, item in value.items()}
        if isinstance(value, list):
            return [typed(item) for item in value]
        return value if isinstance(value, str) else (json.dumps(value),)

    if before == after:
        return [], []
    try:
        old = typed(json.loads(before.removeprefix("\ufeff"), object_pairs_hook=pairs))
    except ValueError:
        return ["changed, though it can't be read"], []
    try:
        new = typed(json.loads(after.removeprefix("\ufeff"), object_pairs_hook=pairs))
    except ValueError as error:
        return [f"no JSON any more: {error}"], []
    damage, changed = judge_data([old], [new], "bake")
    damage += judge_lines(before, after, None)
    kept_lines = {line.strip().rstrip(",") for line in split_lines(after)}
    for line in split_lines(before):
        bare = line.strip().rstrip(",")
        if bare not in kept_lines and not re.search(r"cache-(from|to)|BUILDKIT_INLINE_CACHE|dockerfile-inline|\{.*\}|\[.*\]", bare):
            damage.append(f"line is gone: {bare:.100}")
    return damage, changed


def files(root):
    if os.path.isfile(root):
        return {os.path.basename(root): root}
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            if re.search(r"\.(ya?ml|json)$", name, re.I):
                path = os.path.join(folder, name)
                found[os.path.relpath(path, root)] = path
    return found


def judge_trees(before, after, forced):
    old, new = files(before), files(after)
    if os.path.isfile(before) and os.path.isfile(after):
        new = dict(zip(old, new.values()))
    counts = collections.defaultdict(collections.Counter)
    damage = [f"{path}: only in {'BEFORE' if path in old else 'AFTER'}" for path in sorted(old.keys() ^ new.keys())]
    for path in sorted(old.keys() & new.keys()):
        kind = forced or kind_by_name(path)
        with open(old[path], "rb") as left, open(new[path], "rb") as right:
            left, right = left.read(), right.read()
        if kind is None:
            if left != right:
                damage.append(f"{path}: changed, but it is no compose file, workflow or bake file by name")
            continue
        count = counts[kind]
        count["files"] += 1
        count["changed"] += left != right
        try:
            left, right = left.decode(), right.decode()
        except UnicodeDecodeError:
            damage += [f"{path}: changed, though it is not UTF-8"] * (left != right)
            continue
        if kind != "bake" and all(read(left.removeprefix("\ufeff"), loader) is None for loader in LOADERS):
            count["unreadable"] += 1
        found, changed = judge_text(left, right, kind)
        count["services or steps changed"] += len(changed)
        if left != right and not changed and not found:
            found = ["changed, but no declared key differs"]
        damage += [f"{path}: {what}" for what in found]
    for kind, count in sorted(counts.items()):
        print(f"{kind}:", ", ".join(f"{count[name]} {name}" for name in ("files", "unreadable", "changed", "services or steps changed")))
    return damage


# --- what compose says -----------------------------------------------------------------------------------------------------------


def resolve(command, path, root):
    """What COMMAND resolves the file to, with the file that it overrides; None where it refuses, with its last line."""
    folder, name = os.path.split(os.path.abspath(path))
    base = re.sub(r"\.override(?=\.ya?ml$)", "", name)
    chosen = [base, name] if base != name and os.path.exists(os.path.join(folder, base)) else [name]
    call = command.split() + ["--project-name", "judge", "--profile", "*"] + [word for one in chosen for word in ("-f", one)]
    pipe = subprocess.PIPE
    run = subprocess.Popen(call + ["config", "--format", "json"], cwd=folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        said, complaint = run.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return None, "no answer within a minute"
    if run.returncode:
        return None, (complaint.strip().splitlines() or ["no reason"])[-1]
    return json.loads(said.replace(os.path.abspath(root), "ROOT") or "null"), ""


def judge_compose(before, after, command, forced):
    if os.path.isfile(before):
        paths = {before: after}
        before, after = os.path.dirname(before), os.path.dirname(after)
    else:
        new = files(after)
        paths = {path: new[name] for name, path in files(before).items() if name in new and (forced or kind_by_name(name)) == "compose"}

    def one(pair):
        old, why = resolve(command, pair[0], before)
        if old is None:
            return "refused before", []
        name = os.path.relpath(pair[0], before)
        new, why = resolve(command, pair[1], after)
        if new is None:
            return "refused after", [f"{name}: {command} no longer accepts it: {why}"]
        found, changed = judge_data([old], [new], "compose")
        return ("accepted, changed" if changed else "accepted"), [f"{name}: as {command} resolves it: {what}" for what in found]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, sorted(paths.items())))
    print(f"{command}:", dict(collections.Counter(what for what, _ in results)))
    return [line for _, found in results for line in found]


# --- self-test -------------------------------------------------------------------------------------------------------------------

GOOD, C, W = "", "compose", "workflow"
LONG = "services:\n  a:\n    image: r/a\n    build:\n      context: ./a # here\n      args:\n        BUILDKIT_INLINE_CACHE: 1\n        X: 'y'\n    ports: [\"80:80\"]\n"
SHORT = "services:\n  a:\n    build: './a' # here\n    image: r/a\n"
SHORT_DONE = "services:\n  a:\n    build:\n      context: './a' # here\n      cache_from:\n        - r/a\n      cache_to:\n        - type=inline\n    image: r/a\n"
JOB = "on: push\njobs:\n  b:\n    steps:\n      - uses: actions/checkout@v4\n      # build\n      - uses: docker/build-push-action@v6\n        with:\n          push: true\n"
SETUP = "      - uses: docker/setup-buildx-action@v3\n"
ENTRY = "          cache-from: type=gha,scope=a\n          cache-to: type=gha,scope=a,mode=max,ignore-error=true\n"
JOB_DONE = JOB.replace("      # build\n", SETUP + "      # build\n") + ENTRY
ADD = "      cache_from:\n        - r/a\n      cache_to:\n        - type=inline\n"
LONG_DONE = LONG.replace("        BUILDKIT_INLINE_CACHE: 1\n", "").replace("    ports", ADD + "    ports")
ANCHORS = "x-b: &b\n  context: .\nservices:\n  a:\n    build: *b\n  c:\n    build:\n      <<: *b\n"
INLINE = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a # no comment\n        RUN x $$Y\n"
BAKE = '{"target": {\n  "a": {"context": "."}\n}}\n'
BOMB = "x-0: &0 [x]\n" + "".join(f"x-{n}: &{n} [{', '.join([f'*{n - 1}'] * 9)}]\n" for n in range(1, 9))
PAIRS = [  # (kind, before, after, a word of the damage that must be reported; none: the pair is right)
    (C, LONG, LONG_DONE, GOOD),
    (C, SHORT, SHORT_DONE, GOOD),
    (C, SHORT.replace("\n", "\r\n"), SHORT_DONE.replace("\n", "\r\n"), GOOD),
    (C, SHORT.rstrip("\n"), SHORT_DONE.rstrip("\n"), GOOD),
    (C, "services: {a: {build: ., image: r/a}}\n", "services: {a: {build: {context: ., cache_from: [r/a], cache_to: [type=inline]}, image: r/a}}\n", GOOD),
    (C, ANCHORS, ANCHORS, GOOD),
    (C, INLINE, INLINE.replace("RUN x", "RUN --mount=type=cache,target=/c x"), GOOD),
    (C, "a: [\n", "a: [\n", GOOD),
    (C, "x-n: 'a\u2028b'\n" + SHORT, "x-n: 'a\u2028b'\n" + SHORT_DONE, GOOD),
    (C, LONG.replace("CACHE: 1", "CACHE: 0"), LONG.replace("CACHE: 1", "CACHE: 0").replace("    ports", ADD + "    ports"), GOOD),
    (W, JOB, JOB_DONE, GOOD),
    (W, JOB, JOB_DONE + "          load: true\n", GOOD),
    ("bake", BAKE, BAKE.replace('"."', '".", "cache-from": ["r/a"], "cache-to": ["type=inline"]'), GOOD),
    (C, BOMB, BOMB + SHORT_DONE, "million"),
    (C, SHORT, SHORT_DONE.replace("'./a'", "./a"), "context is no longer"),
    (C, SHORT, SHORT_DONE.replace(" # here", ""), "comments"),
    (C, SHORT, SHORT_DONE.replace("'./a'", "'./b'"), "data differs"),
    (C, SHORT, SHORT_DONE.replace("image: r/a", "image:  r/a"), "line 4 is gone"),
    (C, SHORT, SHORT_DONE.replace("    image", "\n    image: r/a\n    image"), "duplicate key"),
    (C, SHORT, SHORT_DONE.rstrip("\n"), "final newline"),
    (C, SHORT, SHORT_DONE.replace("cache_to:\n", "cache_to: \n"), "white space"),
    (C, SHORT, SHORT_DONE.replace("        - r/a", "\t- r/a"), "no longer reads"),
    (C, SHORT.replace("\n", "\r\n"), SHORT.replace("\n", "\r\n").replace(" './a' # here\r\n", "\n      context: './a' # here\n"), "line ends"),
    (C, SHORT, SHORT_DONE.replace("- r/a\n", "- r/a\n        - r/a\n"), "twice"),
    (C, SHORT, SHORT_DONE.replace("- r/a\n", "- type=registry,ref=/a\n"), "empty ref"),
    (C, SHORT, SHORT_DONE.replace("context:", "target: x\n      context:"), "declared"),
    (C, SHORT, SHORT_DONE.replace("cache_to", "cache-to"), "declared"),
    (C, SHORT, "\ufeff" + SHORT_DONE, "byte order mark"),
    (C, "services:\n  a:\n    build:\n", "services:\n  a:\n    build:\n      context: ''\n", "became"),
    (C, LONG, LONG.replace("        BUILDKIT_INLINE_CACHE: 1\n", ""), "nothing stands for it"),
    (C, LONG, LONG.replace("    ports", ADD + "    ports"), "duplicate cache exports"),
    (C, LONG, LONG_DONE.replace("        X: 'y'\n", "        Z: z\n"), "lost"),
    (C, LONG, LONG_DONE.replace("X: 'y'", "X: y"), "became"),
    (C, LONG, LONG_DONE.replace("[\"80:80\"]", "[ \"80:80\" ]"), "is gone"),
    (C, LONG, LONG_DONE.replace("    image: r/a\n", "").replace("    ports", "    image: r/a\n    ports"), "order of keys"),
    (C, LONG, LONG_DONE.replace("    ports: [\"80:80\"]", "    ports:\n      - \"80:80\""), "swapped"),
    (C, SHORT_DONE, SHORT_DONE.replace("- r/a", "- r/b"), "existing entry"),
    (C, SHORT_DONE, SHORT_DONE.replace("      cache_to:\n        - type=inline\n", ""), "lost"),
    (C, ANCHORS, ANCHORS.replace("*b\n  c", "\n      context: .\n      cache_from: [x]\n  c"), "alias was replaced"),
    (C, ANCHORS.replace("context: .", "context: .\n  cache_from: [r/b]"), ANCHORS.replace("context: .", "context: .\n  cache_from: [r/b]")
        + "      cache_from: [r/c]\n", "entry was lost"),
    (C, "services:\n  a:\n    build: !reset null\n", "services:\n  a:\n    build: !override null\n", "became"),
    (C, "services:\n  a:\n    build: {context: ., context: .}\n", "services:\n  a:\n    build: {context: ., context: ., cache_from: [x]}\n", "duplicate keys"),
    (C, "services:\n  a:\n    build: [\n", "services:\n  a:\n    build: [ ]\n", "can't be read"),
    (C, SHORT + "---\n" + SHORT, SHORT_DONE + SHORT, "documents became"),
    (C, INLINE, INLINE.replace("$$Y", "$Y"), "new references"),
    (C, INLINE, INLINE.replace("inline: |", "inline: >"), "became"),
    (C, SHORT, SHORT_DONE.replace("type=inline", "type=registry,ref=r/c")
        .replace("services:\n", "services:\n  b: {image: r/b, build: {cache_to: ['type=registry,ref=r/c']}}\n"), "declared"),
    (C, "services: {a: {build: .}, b: {build: .}}\n", "services: {a: {build: {context: ., cache_to: ['type=local,dest=x']}}, "
        "b: {build: {context: ., cache_to: ['type=local,dest=x']}}}\n", "all export"),
    (W, JOB, JOB + ENTRY, "no docker/setup-buildx-action"),
    (W, JOB, JOB_DONE.replace(",scope=a", ""), "without scope"),
    (W, JOB, JOB_DONE.replace(",ignore-error=true", ""), "without ignore-error"),
    (W, JOB.replace("    steps", "    strategy: {matrix: {v: [1, 2]}}\n    steps"),
        JOB_DONE.replace("    steps", "    strategy: {matrix: {v: [1, 2]}}\n    steps"), "matrix"),
    (W, JOB, JOB_DONE.replace("push: true", "push: false"), "became"),
    (W, JOB, JOB_DONE + "          load: false\n", "load"),
    (W, JOB, JOB_DONE.replace("      # build\n", "") + "      # build\n", "line 6 is gone"),
    (W, JOB, JOB_DONE.replace(SETUP, SETUP + SETUP), "steps inserted"),
    (W, JOB, JOB_DONE.replace("checkout@v4", "checkout@v5"), "became"),
    (W, JOB, JOB_DONE.replace("docker/setup-buildx", "docker/login"), "items became"),
    (W, JOB + "          set: |\n            a.x=1\n", JOB + "          set: |\n            a.x=2\n", "became"),
    (W, JOB_DONE, JOB_DONE + JOB_DONE.split("# build\n")[1], "items became"),
    ("bake", BAKE, BAKE.replace('"."', '"..", "cache-from": ["r/a"]'), "data differs"),
    ("bake", BAKE, BAKE.replace('"."', '".", "cache-from": ["r/a"],'), "no JSON"),
]


def self_test():
    wrong = 0
    for number, (kind, before, after, word) in enumerate(PAIRS):
        damage, _ = judge_text(before, after, kind)
        if bool(word) != bool(damage) or word and not any(word in line for line in damage):
            wrong += 1
            print(f"pair {number}: expected {word or 'no damage'!r}, got {damage}")
    with tempfile.TemporaryDirectory() as root:
        for side, text in (("before", "a: 1\n"), ("after", "a: 2\n")):
            os.makedirs(os.path.join(root, side))
            with open(os.path.join(root, side, "values.yml"), "w", encoding="utf-8") as out:
                out.write(text)
        if not judge_trees(os.path.join(root, "before"), os.path.join(root, "after"), None):
            wrong += 1
            print("a changed file of another name was not reported")
    flagged = sum(bool(word) for *_, word in PAIRS) + 1
    print(f"self-test: {len(PAIRS) + 1} pairs, {flagged} of them broken, {wrong} judged wrongly")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", nargs="?")
    parser.add_argument("after", nargs="?")
    parser.add_argument("--kind", choices=["compose", "workflow", "bake"])
    parser.add_argument("--accepts", metavar="COMMAND")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        sys.exit(1 if self_test() else 0)
    if not options.after:
        parser.error("two folders, or --self-test")
    damage = judge_trees(options.before, options.after, options.kind)
    if options.accepts:
        damage += judge_compose(options.before, options.after, options.accepts, options.kind)
    for line in damage:
        print("DAMAGE", line)
    print(f"{len(damage)} damages")
    sys.exit(1 if damage else 0)


if __name__ == "__main__":
    main()
