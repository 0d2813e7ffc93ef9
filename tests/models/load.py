#!/usr/bin/env python3
"""Download models the way a build stage does, copy the folder, and load them without a network.

usage: load.py [--python PYTHON] [--only REGEX] [--list] DIR

DIR keeps the virtual environments between runs. Models are made on the spot (make.py) and served by hub.py; the cache
that a stage fills is copied (`cp -a`, as COPY does) to another path and loaded there as root, as user 1000 who owns the
copy, and as user 1000 while root owns it. A load runs in a network namespace without a network where `unshare` may make
one, with HF_HUB_OFFLINE=1 unless the case is about the other.

PYTHON needs a CPU-only torch that it imports by itself (Debian: apt-get install python3-torch python3-venv): with 1.13
(bookworm) the old libraries are tested, with 2.x (trixie; see newer.sh) the new ones. Run as root, with PyPI reachable.
The table ends with the number of wrong lines; exit 1 if there is one, 2 if nothing could be tested.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
import hub  # noqa: E402

# The virtual environments and what is installed in them. A stage's environment holds huggingface_hub alone.
HUBS = {
    "hub0.14": ["huggingface_hub==0.14.1"],
    "hub0.23": ["huggingface_hub==0.23.5"],
    "hub0.36": ["huggingface_hub==0.36.2"],
    "hub1": ["huggingface_hub==1.33.0"],
    "hub2": ["huggingface_hub==2.4.0"],
}
OLD = {
    # torchvision is required by 2.2.2 and never imported by what is tested, hence --no-deps and the rest by name.
    "st2.2": [
        "--no-deps",
        "sentence-transformers==2.2.2",
        "transformers==4.30.2",
        "huggingface_hub==0.14.1",
        "tokenizers==0.13.3",
        "safetensors",
        "numpy<2",
        "scipy<1.12",
        "scikit-learn<1.5",
        "joblib<1.4",
        "threadpoolctl",
        "nltk",
        "sentencepiece",
        "Pillow",
        "tqdm",
        "requests",
        "urllib3",
        "idna",
        "certifi",
        "charset-normalizer",
        "pyyaml",
        "filelock",
        "packaging",
        "regex",
        "fsspec",
        "typing-extensions",
        "click",
    ],
    "st2.7": [
        "sentence-transformers==2.7.0",
        "transformers==4.40.2",
        "huggingface_hub==0.23.5",
        "numpy<2",
        "scipy<1.12",
        "scikit-learn<1.5",
    ],
}
NEW = {
    "st3.4": ["sentence-transformers==3.4.1", "transformers==4.57.6", "huggingface_hub==0.36.2"],
    "st5.3": ["sentence-transformers==5.3.0", "transformers==4.57.6", "huggingface_hub==0.36.2"],
    "st6.2": ["sentence-transformers==6.2.0", "transformers==5.23.0", "huggingface_hub==2.4.0"],
}
# No torch: any PYTHON from 3.10 on.
OTHER = {
    "others": ["fastembed==0.9.1", "onnx", "tiktoken==0.14.0", "nltk==3.9.1", "faster-whisper==1.2.1"],
}

# What a stage runs for one model: everything; all but the formats that torch doesn't read, with pickled weights only
# where their own folder has no safetensors; the same by patterns, which is wrong for some models.
FULL = "from huggingface_hub import snapshot_download; snapshot_download({id!r})"
PICK = """
from huggingface_hub import HfApi, snapshot_download
files = HfApi().list_repo_files({id!r})
safe = {{f.rpartition('/')[0] for f in files if f.endswith('.safetensors')}}
def skip(f):
    folder, _, name = f.rpartition('/')
    if name.endswith(('.h5', '.msgpack', '.ot')) or folder.split('/')[0] in ('onnx', 'openvino'):
        return True
    return folder in safe and name.endswith('.bin')
snapshot_download({id!r}, ignore_patterns=[f for f in files if skip(f)] or None)
"""
IGNORE = """
from huggingface_hub import snapshot_download
snapshot_download({id!r}, ignore_patterns=['*.bin', 'onnx/*', 'openvino/*', '*.h5', '*.msgpack', '*.ot'])
"""

ST = """
from sentence_transformers import SentenceTransformer
print('value', round(float(abs(SentenceTransformer({name!r}{more}).encode(['hello world'])).sum()), 3))
"""
CE = """
from sentence_transformers import CrossEncoder
print('value', round(float(CrossEncoder({name!r}{more}).predict([['hello', 'world']])[0]), 5))
"""
AUTO = """
from transformers import AutoModel, AutoTokenizer
t = AutoTokenizer.from_pretrained({name!r}{more}); m = AutoModel.from_pretrained({name!r}{more})
print('value', round(float(m.eval()(**t('hello world', return_tensors='pt')).last_hidden_state.abs().sum()), 3))
"""
REMOTE = """
from transformers import AutoConfig
print('value', AutoConfig.from_pretrained({name!r}{more}).five)
"""
PIPE = """
from transformers import pipeline
import numpy
p = pipeline('feature-extraction', model={name!r}{more})
print('value', round(float(abs(numpy.array(p('hello world'))).sum()), 3))
"""

ALL = ("root", "owner", "reader")  # root; user 1000 owns the copy; user 1000 reads what root owns
ONE = ("reader",)


class Case:
    """One line of the table. `want` is the model whose value the load must print, or `fails: TEXT`."""

    def __init__(
        self,
        env,
        name,
        stage,
        load,
        want,
        who=ONE,
        hub="same",
        xet=False,
        online=None,
        after="",
        **variables,
    ):
        self.env, self.name, self.stage, self.load, self.want, self.who = env, name, stage, load, want, who
        self.hub, self.xet, self.online, self.after = hub, xet, online, after
        self.variables = {"HF_HOME": "{opt}/hf", **variables}


def same_hub(env):
    return {"st2.2": "hub0.14", "st2.7": "hub0.23", "st3.4": "hub0.36", "st5.3": "hub0.36", "st6.2": "hub2"}[env]


def download(code, model, **more):
    return code.format(id=model, **more)


def fetch(name, **more):
    """A stage that calls snapshot_download with these arguments."""
    arguments = "".join(f", {key}={value!r}" for key, value in more.items())
    return f"from huggingface_hub import snapshot_download; snapshot_download({name!r}{arguments})"


def load(code, name, **more):
    return code.format(name=name, more="".join(f", {key}={value!r}" for key, value in more.items()))


def sentence_cases(env):
    """sentence-transformers that use the hub's cache: 2.3 and later."""
    case = lambda *given, **more: Case(env, *given, **more)  # noqa: E731
    old_cross = env in ("st2.7", "st3.4", "st5.3")
    yield case("whole repository", download(FULL, "acme/full"), load(ST, "acme/full"), "safe", ALL)
    yield case("whole repository, Xet", download(FULL, "acme/full"), load(ST, "acme/full"), "safe", ALL, xet=True)
    for other in ("hub0.14", "hub0.23", "hub0.36", "hub1", "hub2"):
        yield case(f"filled by {other}", download(PICK, "acme/full"), load(ST, "acme/full"), "safe", hub=other,
                   xet=other in ("hub0.36", "hub1", "hub2"))
    yield case("other formats left out by pattern", download(IGNORE, "acme/full"), load(ST, "acme/full"), "safe", ALL)
    yield case("other formats left out by list", download(PICK, "acme/full"), load(ST, "acme/full"), "safe", ALL)
    yield case("only pickled weights, left out by pattern", download(IGNORE, "acme/pickled"), load(ST, "acme/pickled"),
               "fails: ")
    # transformers 4.38 to 4.42 ask the hub for safetensors when they find none, offline or not.
    yield case("only pickled weights, by list", download(PICK, "acme/pickled"), load(ST, "acme/pickled"),
               "fails: ConnectionError" if env == "st2.7" else "pickled")
    yield case("only pickled weights, by list, hub reachable", download(PICK, "acme/pickled"),
               load(ST, "acme/pickled"), "pickled", ("owner",), online="up", HF_HUB_OFFLINE=None)
    yield case("a pickled Dense layer, left out by pattern", download(IGNORE, "acme/dense"), load(ST, "acme/dense"),
               "fails: ")
    yield case("a pickled Dense layer, by list", download(PICK, "acme/dense"), load(ST, "acme/dense"), "dense")
    yield case("shards, by list", download(PICK, "acme/shards"), load(ST, "acme/shards"), "safe")
    yield case("a renamed model under its old name", download(FULL, "old-name"), load(AUTO, "old-name"), "plain")
    yield case("a renamed model under its new name only", download(FULL, "canonical/renamed"), load(AUTO, "old-name"),
               "fails: ")
    yield case("short name", download(FULL, "sentence-transformers/short"), load(ST, "short"), "safe")
    yield case("short name, downloaded as it stands", download(FULL, "bert-base-uncased"),
               load(ST, "bert-base-uncased"), "safe")
    yield case("a model of transformers", download(PICK, "acme/plain"), load(ST, "acme/plain"), "safe")
    yield case("SENTENCE_TRANSFORMERS_HOME, files in HF_HOME", download(FULL, "acme/safe"), load(ST, "acme/safe"),
               "fails: ", SENTENCE_TRANSFORMERS_HOME="{opt}/st")
    in_st = fetch("acme/safe", cache_dir="{opt}/st")
    yield case("SENTENCE_TRANSFORMERS_HOME, files there", in_st, load(ST, "acme/safe"), "safe", ALL,
               SENTENCE_TRANSFORMERS_HOME="{opt}/st")
    yield case("cache_folder=, files there", in_st, load(ST, "acme/safe", cache_folder="{opt}/st"), "safe")
    yield case("cache_folder=, files in HF_HOME", download(FULL, "acme/safe"),
               load(ST, "acme/safe", cache_folder="{opt}/st"), "fails: ")
    # With the network there, and with the network gone but not told.
    for who in ALL:
        readonly = who == "reader" and env == "st2.7"
        yield case(f"hub reachable, {who}", download(PICK, "acme/full"), load(ST, "acme/full"),
                   "fails: PermissionError" if readonly else "safe", (who,), online="up", HF_HUB_OFFLINE=None)
    yield case("a commit, loaded by it",
               fetch("acme/safe", revision="{sha:acme/safe}"),
               load(ST, "acme/safe", revision="{sha:acme/safe}"), "safe")
    yield case("a commit, loaded without",
               fetch("acme/safe", revision="{sha:acme/safe}"),
               load(ST, "acme/safe"), "fails: ")
    yield case("a commit, loaded without, refs/main written",
               fetch("acme/safe", revision="{sha:acme/safe}"),
               load(ST, "acme/safe"), "safe",
               after="cd $HF_HOME/hub/models--acme--safe && mkdir -p refs && printf {sha:acme/safe} > refs/main")
    yield case("gated, with the token", download(PICK, "acme/gated"), load(ST, "acme/gated"), "safe",
               HF_TOKEN="hf_right")
    # Everything but hub/models--* is needless, but for the store of blobs that links point to.
    yield case("locks, logs and trees removed", download(PICK, "acme/full"), load(ST, "acme/full"), "safe", ALL,
               xet=True, after="rm -rf $HF_HOME/xet $HF_HOME/hub/.locks $HF_HOME/hub/models--*/trees")
    yield case("CrossEncoder", download(PICK, "acme/cross"), load(CE, "acme/cross"), "cross", ALL)
    yield case("CrossEncoder, SENTENCE_TRANSFORMERS_HOME, files in HF_HOME", download(FULL, "acme/cross"),
               load(CE, "acme/cross"), "cross" if old_cross else "fails: ", SENTENCE_TRANSFORMERS_HOME="{opt}/st")
    cross_st = fetch("acme/cross", cache_dir="{opt}/st")
    yield case("CrossEncoder, SENTENCE_TRANSFORMERS_HOME, files there", cross_st, load(CE, "acme/cross"),
               "fails: " if old_cross else "cross", SENTENCE_TRANSFORMERS_HOME="{opt}/st")
    if env != "st2.7":
        argument = "cache_dir" if env == "st3.4" else "cache_folder"
        yield case(f"CrossEncoder, {argument}=, files there", cross_st,
                   load(CE, "acme/cross", **{argument: "{opt}/st"}), "cross")
    yield case("CrossEncoder, short name", download(FULL, "cross-encoder/short-cross"), load(CE, "short-cross"),
               "fails: " if old_cross else "cross")


def transformers_cases(env):
    case = lambda *given, **more: Case(env, "transformers: " + given[0], *given[1:], **more)  # noqa: E731
    v4 = env in ("st2.2", "st2.7", "st3.4", "st5.3")
    yield case("from_pretrained", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain", ALL)
    yield case("from_pretrained, Xet", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain", xet=True,
               hub="hub2")
    yield case("pipeline", download(PICK, "acme/plain"), load(PIPE, "acme/plain"), "plain")
    yield case("short id", download(FULL, "bert-base-uncased"), load(AUTO, "bert-base-uncased"), "plain")
    yield case("cache_dir=",
               fetch("acme/plain", cache_dir="{opt}/tf"),
               load(AUTO, "acme/plain", cache_dir="{opt}/tf"), "plain")
    yield case("TRANSFORMERS_CACHE, files in HF_HOME", download(FULL, "acme/plain"), load(AUTO, "acme/plain"),
               "fails: " if v4 else "plain", TRANSFORMERS_CACHE="{opt}/tf")
    yield case("TRANSFORMERS_CACHE, files there",
               fetch("acme/plain", cache_dir="{opt}/tf"),
               load(AUTO, "acme/plain"), "plain" if v4 else "fails: ", TRANSFORMERS_CACHE="{opt}/tf")
    yield case("TRANSFORMERS_CACHE = $HF_HOME/hub", download(FULL, "acme/plain"), load(AUTO, "acme/plain"), "plain",
               TRANSFORMERS_CACHE="{opt}/hf/hub")
    yield case("HF_HUB_CACHE, files there",
               fetch("acme/plain", cache_dir="{opt}/hub"),
               load(AUTO, "acme/plain"), "fails: " if env == "st2.2" else "plain", HF_HUB_CACHE="{opt}/hub")
    yield case("HUGGINGFACE_HUB_CACHE, files there",
               fetch("acme/plain", cache_dir="{opt}/hub"),
               load(AUTO, "acme/plain"), "plain", HUGGINGFACE_HUB_CACHE="{opt}/hub")
    yield case("XDG_CACHE_HOME",
               fetch("acme/plain", cache_dir="{opt}/cache/huggingface/hub"),
               load(AUTO, "acme/plain"), "plain", HF_HOME=None, XDG_CACHE_HOME="{opt}/cache")
    yield case("no home", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain", HOME="/nonexistent")
    yield case("HOME not set", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain", HOME=None)
    yield case("TRANSFORMERS_OFFLINE=1 alone", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain",
               HF_HUB_OFFLINE=None, TRANSFORMERS_OFFLINE="1")
    # trust_remote_code copies the model's code to $HF_HOME/modules when it is loaded.
    if env != "st2.2":
        remote = {"trust_remote_code": True}
        yield case("remote code", download(PICK, "acme/remote"), load(REMOTE, "acme/remote", **remote), 5,
                   ("root", "owner"))
        yield case("remote code", download(PICK, "acme/remote"), load(REMOTE, "acme/remote", **remote),
                   "fails: PermissionError")
        yield case("remote code, HF_MODULES_CACHE", download(PICK, "acme/remote"),
                   load(REMOTE, "acme/remote", **remote), 5, HF_MODULES_CACHE="{home}/modules")
    for who in ALL:
        readonly = who == "reader" and env in ("st2.2", "st2.7")
        yield case(f"hub reachable, {who}", download(PICK, "acme/plain"), load(AUTO, "acme/plain"),
                   "fails: PermissionError" if readonly else "plain", (who,), online="up", HF_HUB_OFFLINE=None)
    yield case("hub refuses connections", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain",
               online="refused", HF_HUB_OFFLINE=None)
    yield case("no network", download(PICK, "acme/plain"), load(AUTO, "acme/plain"), "plain", HF_HUB_OFFLINE=None)


OWN = (
    "from huggingface_hub import snapshot_download; "
    "snapshot_download({id!r}, local_dir='{{opt}}/st/{folder}', local_dir_use_symlinks=False)"
)
# A stage whose huggingface_hub is newer: the argument went, and links are never made.
OWN_NEW = "from huggingface_hub import snapshot_download; snapshot_download({id!r}, local_dir='{{opt}}/st/{folder}')"
HOME = {"SENTENCE_TRANSFORMERS_HOME": "{opt}/st"}


def old_cases(env):
    """sentence-transformers 2.2.2, with folders of its own."""
    case = lambda *given, **more: Case(env, *given, **more)  # noqa: E731
    own = download(OWN, "acme/full", folder="acme_full")
    yield case("local_dir", own, load(ST, "acme/full"), "safe", ALL, **HOME)
    yield case("local_dir without the hub's cache", own, load(ST, "acme/full"), "safe", after="rm -rf $HF_HOME", **HOME)
    yield case("local_dir of links without the hub's cache", own.replace("False", "True"), load(ST, "acme/full"),
               "fails: ", after="rm -rf $HF_HOME", **HOME)
    for other in ("hub0.23", "hub0.36", "hub1", "hub2"):
        yield case(f"local_dir, {other}", download(OWN_NEW, "acme/full", folder="acme_full"), load(ST, "acme/full"),
                   "safe", hub=other, xet=other != "hub0.23", **HOME)
    yield case("local_dir, cache_folder=", own, load(ST, "acme/full", cache_folder="{opt}/st"), "safe")
    yield case("local_dir, default folder of TORCH_HOME", own.replace("/st/", "/torch/sentence_transformers/"),
               load(ST, "acme/full"), "safe", TORCH_HOME="{opt}/torch")
    yield case("the hub's cache", download(FULL, "acme/full"), load(ST, "acme/full"), "fails: ")
    yield case("short name", download(OWN, "sentence-transformers/short", folder="sentence-transformers_short"),
               load(ST, "short"), "safe", **HOME)
    yield case("a model of transformers", download(OWN, "acme/plain", folder="acme_plain"), load(ST, "acme/plain"),
               "fails: ", **HOME)
    yield case("hub reachable", own, load(ST, "acme/full"), "safe", ALL, online="up", HF_HUB_OFFLINE=None, **HOME)
    yield case("no network", own, load(ST, "acme/full"), "safe", HF_HUB_OFFLINE=None, **HOME)
    yield case("CrossEncoder, SENTENCE_TRANSFORMERS_HOME, files in HF_HOME", download(PICK, "acme/cross"),
               load(CE, "acme/cross"), "cross", ALL, **HOME)


def hub_cases():
    """The hub's own functions, for every version that fills a cache and every version that reads it."""
    file = "from huggingface_hub import hf_hub_download as f; open(f('acme/full', {file!r})).close(); print('value 1')"
    snapshot = "from huggingface_hub import snapshot_download as s; s('acme/full'{more}); print('value 1')"
    same = ", ignore_patterns=['*.bin', 'onnx/*', 'openvino/*', '*.h5', '*.msgpack', '*.ot']"
    for writer in HUBS:
        for xet in (False, True) if writer in ("hub0.36", "hub1", "hub2") else (False,):
            for reader in HUBS:
                case = lambda name, *given, **more: Case(  # noqa: E731
                    reader,
                    f"{writer}{', Xet' if xet else ''}: {name}",
                    download(IGNORE, "acme/full"),
                    *given,
                    hub=writer,
                    xet=xet,
                    **more,
                )
                yield case("hf_hub_download", file.format(file="model.safetensors"), 1, ALL)
                old = reader == "hub0.14"
                listed = writer in ("hub1", "hub2") and reader in ("hub1", "hub2")
                yield case("snapshot_download, same patterns", snapshot.format(more=same), "fails: " if old else 1,
                           ("owner",))
                yield case("snapshot_download, no patterns", snapshot.format(more=""),
                           "fails: " if old else "fails: IncompleteSnapshotError" if listed else 1, ("owner",))
                if listed:
                    yield case("snapshot_download, no patterns, trees removed", snapshot.format(more=""), 1,
                               ("owner",), after="rm -rf $HF_HOME/hub/models--*/trees")
    for version in HUBS:
        # HF_TOKEN is read from 0.19 or so on, the older name by all.
        yield Case(version, "gated, HF_TOKEN", download(FULL, "acme/gated"),
                   file.format(file="config.json").replace("full", "gated"),
                   "stage fails: 401" if version == "hub0.14" else 1, hub=version, HF_TOKEN="hf_right")
        yield Case(version, "gated, HUGGING_FACE_HUB_TOKEN", download(FULL, "acme/gated"),
                   file.format(file="config.json").replace("full", "gated"), 1, hub=version,
                   HUGGING_FACE_HUB_TOKEN="hf_right")
        yield Case(version, "gated, no token", download(FULL, "acme/gated"), file.format(file="config.json"),
                   "stage fails: 401", hub=version)
        yield Case(version, "a model alone, Xet", download(FULL, "acme/full"), file.format(file="model.safetensors"),
                   "fails: " if version in ("hub1", "hub2") else 1, hub=version, xet=version != "hub0.23",
                   after="cd $HF_HOME/hub && rm -rf blobs")
        yield Case(version, "shared store turned off, Xet", download(FULL, "acme/full"),
                   file.format(file="model.safetensors"), 1, hub=version, xet=True,
                   after="cd $HF_HOME/hub && rm -rf blobs", HF_HUB_DISABLE_SHARED_BLOBS="1")
        yield Case(version, "Xet turned off", download(FULL, "acme/full"), file.format(file="model.safetensors"), 1,
                   hub=version, xet=True, after="cd $HF_HOME/hub && rm -rf blobs && ! ls -d $HF_HOME/xet",
                   HF_HUB_DISABLE_XET="1")


FASTEMBED = """
from fastembed import TextEmbedding
model = TextEmbedding('sentence-transformers/all-MiniLM-L6-v2'{more})
print('value', round(float(abs(next(iter(model.embed(['hello world'])))).sum()), 3))
"""
FASTER = """
import os
from faster_whisper import download_model
print('value', os.path.getsize(os.path.join(download_model('tiny'{more}), 'model.bin')))
"""
RANKS = """
from tiktoken.load import load_tiktoken_bpe
print('value', len(load_tiktoken_bpe('{hub}/acme/full/resolve/main/ranks.tiktoken')))
"""
NLTK = """
import sys, nltk
d = nltk.downloader.Downloader('{hub}/acme/full/resolve/main/index.xml')
sys.exit(not d.download({package!r}, download_dir='{{opt}}/nltk'{more}))
"""
NLTK_COMMAND = """
import runpy, sys
sys.argv = ['downloader', *{options!r}, '-u', '{hub}/acme/full/resolve/main/index.xml', '-d', '{opt}/nltk', {package!r}]
runpy.run_module('nltk.downloader', run_name='__main__')
"""
READ = "import nltk; print('value', len(nltk.data.load('tokenizers/punkt_tab/words.txt', format='text')))"


def other_cases():
    """Libraries without torch. The stage has the library itself unless a version of the hub is named."""
    case = lambda *given, hub="others", **more: Case("others", *given, hub=hub, **more)  # noqa: E731
    fast = {"FASTEMBED_CACHE_PATH": "{opt}/fastembed"}
    lazy = (
        "from fastembed import TextEmbedding; TextEmbedding('sentence-transformers/all-MiniLM-L6-v2', lazy_load=True)"
    )
    yield case("fastembed, lazy_load", lazy, FASTEMBED.format(more=""), "fastembed", ALL, **fast)
    yield case("fastembed, lazy_load, Xet", lazy, FASTEMBED.format(more=""), "fastembed", ALL, xet=True, **fast)
    yield case("fastembed, cache_dir=", lazy, FASTEMBED.format(more=", cache_dir='{opt}/fastembed'"), "fastembed",
               after="test -d {opt}/fastembed", **fast)
    yield case("fastembed, hub reachable", lazy, FASTEMBED.format(more=""), "fastembed", ALL, online="up",
               HF_HUB_OFFLINE=None, **fast)
    yield case("fastembed, no network", lazy, FASTEMBED.format(more=""), "fastembed", HF_HUB_OFFLINE=None, **fast)
    yield case("fastembed, trees removed", lazy, FASTEMBED.format(more=""), "fastembed", ALL,
               after="rm -rf {opt}/fastembed/models--*/trees {opt}/fastembed/.locks", **fast)
    mapped = "Qdrant/all-MiniLM-L6-v2-onnx"
    yield case("fastembed, the mapped id by the hub", fetch(mapped, cache_dir="{opt}/fastembed"),
               FASTEMBED.format(more=""), "fastembed", hub="hub0.36", **fast)
    yield case("fastembed, HF_HOME", fetch(mapped, cache_dir="{opt}/hf/hub"), FASTEMBED.format(more=""), "fails: ",
               hub="hub0.36")
    yield case("fastembed, HF_HOME is cache_dir", fetch(mapped, cache_dir="{opt}/hf/hub"),
               FASTEMBED.format(more=", cache_dir='{opt}/hf/hub'"), "fastembed", hub="hub0.36")
    patterns = ["config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*"]
    whisper = fetch("Systran/faster-whisper-tiny", allow_patterns=patterns)
    for name in ("hub0.23", "hub2"):
        yield case(f"faster-whisper, filled by {name}", whisper, FASTER.format(more=""), 9000, ALL, hub=name,
                   xet=name == "hub2")
    yield case("faster-whisper, hub reachable", whisper, FASTER.format(more=""), 9000, ALL, hub="hub2", online="up",
               HF_HUB_OFFLINE=None)
    yield case("faster-whisper, its own download", "from faster_whisper import download_model; download_model('tiny')",
               FASTER.format(more=""), 9000)
    yield case("tiktoken", RANKS, RANKS, 3, ALL, TIKTOKEN_CACHE_DIR="{opt}/tiktoken")
    elsewhere = "import os; os.environ['TIKTOKEN_CACHE_DIR'] = '{opt}/cache/tiktoken'" + RANKS
    yield case("tiktoken, XDG_CACHE_HOME", elsewhere, RANKS, "fails: ", XDG_CACHE_HOME="{opt}/cache")
    data = {"NLTK_DATA": "{opt}/nltk"}
    yield case("nltk.download", NLTK.format(hub="{hub}", package="punkt_tab", more=""), READ, 6, ALL, **data)
    yield case("nltk.downloader", NLTK_COMMAND.replace("{options!r}", "[]").replace("{package!r}", "'punkt_tab'"),
               READ, 6, **data)
    yield case("nltk.download, unknown package", NLTK.format(hub="{hub}", package="nonesuch", more=""), READ,
               "stage fails: ", **data)
    unknown = NLTK_COMMAND.replace("{package!r}", "'nonesuch'")
    yield case("nltk.downloader, unknown package", unknown.replace("{options!r}", "[]"), READ, "stage fails: EOFError",
               **data)
    yield case("nltk.downloader -q, unknown package", unknown.replace("{options!r}", "['-q']"), READ,
               "fails: LookupError", **data)


class Bench:
    def __init__(self, folder, python):
        self.folder = folder
        self.python = python
        self.work = folder / "work"
        self.models = folder / "models"
        self.values = {}
        self.isolate = subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0
        self.homes = {}
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        for user in (0, 1000):
            self.homes[user] = self.work / f"home{user}"
            self.homes[user].mkdir()
            os.chown(self.homes[user], user, user)

    def environment(self, name, requirements, torch):
        folder = self.folder / "venv" / name
        done = folder / "requirements"
        wanted = "\n".join(requirements) + f"\n{self.python}"
        if not (done.is_file() and done.read_text() == wanted):
            print(f"installing {name}", file=sys.stderr, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            site = ["--system-site-packages"] if torch else []
            subprocess.run([self.python, "-m", "venv", *site, str(folder)], check=True)
            pip = [
                folder / "bin/pip",
                "install",
                "--quiet",
                "--no-input",
                "--no-cache-dir",
                "--disable-pip-version-check",
            ]
            subprocess.run(["nice", *map(str, pip), *requirements], check=True)
            done.write_text(wanted)
        return folder / "bin/python"

    def run(self, python, code, variables, user=0, network=True, timeout=300):
        values = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.homes[user]),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        command = [str(python), "-c", code]
        if user:
            command = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", *command]
        if not network and self.isolate:
            command = ["unshare", "-n", *command]
        start = time.time()
        try:
            done = subprocess.run(
                command,
                env={key: value for key, value in values.items() if value is not None},
                capture_output=True,
                text=True,
                timeout=timeout,
                cwd="/",
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            code, out, err = -1, "", "timeout"
        return code, out, err, time.time() - start

    def fill(self, text, opt, hubs, url):
        text = text.replace("{opt}", str(opt)).replace("{hub}", url).replace("{home}", str(self.homes[1000]))
        return re.sub(r"\{sha:([^}]*)\}", lambda found: hubs.model(found[1]).commit, text)

    def test(self, case, stage_python, python, servers):
        server = servers[case.xet]
        root = self.work / "case"
        shutil.rmtree(root, ignore_errors=True)
        made = root / "stage"
        made.mkdir(parents=True)
        fill = lambda text, opt: self.fill(text, opt, server.RequestHandlerClass.hub, server.url)  # noqa: E731
        variables = {name: value if value is None else fill(value, made) for name, value in case.variables.items()}
        stage = {
            **variables,
            "HF_ENDPOINT": server.url,
            "HF_HUB_OFFLINE": None,
            "TRANSFORMERS_OFFLINE": None,
            "HF_HOME": str(made / "hf"),
            "XDG_CACHE_HOME": None,
            "HOME": str(self.homes[0]),
        }
        code, out, err, _ = self.run(stage_python, fill(case.stage, made), stage)
        if code:
            reason = last(err)
            wanted = str(case.want).startswith("stage fails: ") and case.want[len("stage fails: ") :] in err
            yield case.who[0], wanted, f"stage fails: {reason}", 0
            return
        if case.after:
            done = subprocess.run(
                ["bash", "-c", fill(case.after, made)],
                env={**os.environ, "HF_HOME": str(made / "hf")},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                yield case.who[0], False, f"after the download: {last(done.stderr + done.stdout)}", 0
                return
        for who in case.who:
            user = 0 if who == "root" else 1000
            image = root / "image"
            shutil.rmtree(image, ignore_errors=True)
            subprocess.run(["cp", "-a", str(made), str(image)], check=True)
            owner = 1000 if who == "owner" else 0
            subprocess.run(["chown", "-hR", f"{owner}:{owner}", str(image)], check=True)
            made.rename(root / "gone")  # what is loaded must not lead back to the stage
            try:
                here = {name: value if value is None else fill(value, image) for name, value in case.variables.items()}
                endpoint = server.url if case.online == "up" else "http://127.0.0.1:9"
                here = {
                    "HF_HUB_OFFLINE": "1",
                    **here,
                    "HF_ENDPOINT": endpoint,
                    "HF_TOKEN": None,
                    "HUGGING_FACE_HUB_TOKEN": None,
                }
                code, out, err, seconds = self.run(
                    python, fill(case.load, image), here, user, network=case.online is not None
                )
            finally:
                (root / "gone").rename(made)
            found = re.search(r"^value (\S+)", out, re.M)
            if code == 0 and found:
                wanted = str(self.values.get((case.env, case.want), case.want))
                right, seen = found[1] == wanted, "loads" if found[1] == wanted else f"loads {found[1]}, not {wanted}"
            else:
                text = str(case.want)
                right = text.startswith("fails: ") and text[len("fails: ") :] in err
                seen = f"fails: {last(err)}"
            notes = warning(err) if code == 0 else ""
            yield who, right, seen + notes, seconds


ONNX = """
import onnx
from onnx import TensorProto as T, helper as h
nodes = [h.make_node('Cast', ['input_ids'], ['f'], to=T.FLOAT),
         h.make_node('Constant', [], ['axis'], value=h.make_tensor('axis', T.INT64, [1], [-1])),
         h.make_node('Unsqueeze', ['f', 'axis'], ['u']),
         h.make_node('Constant', [], ['row'],
                     value=h.make_tensor('row', T.FLOAT, [1, 1, 384], [(i % 7 + 1) / 7 for i in range(384)])),
         h.make_node('Mul', ['u', 'row'], ['last_hidden_state'])]
inputs = [h.make_tensor_value_info(n, T.INT64, ['b', 's']) for n in ('input_ids', 'attention_mask', 'token_type_ids')]
graph = h.make_graph(nodes, 'g', inputs, [h.make_tensor_value_info('last_hidden_state', T.FLOAT, ['b', 's', 384])])
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid('', 13)], ir_version=8), {path!r})
"""
TOKENIZER = """
from tokenizers import Tokenizer, models, pre_tokenizers
words = ['[PAD]', '[UNK]', 'hello', 'world']
t = Tokenizer(models.WordLevel({{w: i for i, w in enumerate(words)}}, unk_token='[UNK]'))
t.pre_tokenizer = pre_tokenizers.Whitespace()
t.save({path!r})
"""


def other_models(bench, python):
    """What the libraries without torch download."""
    whisper = bench.models / "Systran/faster-whisper-tiny"
    whisper.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt", "README.md"):
        (whisper / name).write_text("{}")
    (whisper / "model.bin").write_bytes(b"w" * 9000)
    full = bench.models / "acme/full"
    (full / "ranks.tiktoken").write_text("YQ== 0\nYg== 1\nYWI= 2\n")
    if python is None:
        return
    onnx = bench.models / "Qdrant/all-MiniLM-L6-v2-onnx"
    onnx.mkdir(parents=True)
    for name, data in [
        ("config", {"pad_token_id": 0}),
        ("tokenizer_config", {"max_length": 64, "pad_token": "[PAD]"}),
        ("special_tokens_map", {"pad_token": "[PAD]", "unk_token": "[UNK]"}),
    ]:
        (onnx / f"{name}.json").write_text(json.dumps(data))
    local = FASTEMBED.format(more=f", specific_model_path={str(onnx)!r}")
    for code in (
        ONNX.format(path=str(onnx / "model.onnx")),
        TOKENIZER.format(path=str(onnx / "tokenizer.json")),
        local,
    ):
        status, out, err, _ = bench.run(python, code, {})
        if status:
            sys.exit(f"can't make the model of fastembed: {last(err)}")
    bench.values["others", "fastembed"] = re.search(r"^value (\S+)", out, re.M)[1]


def nltk_index(folder, url):
    """A package of NLTK and the index that names it; the index holds the server's address."""
    with zipfile.ZipFile(folder / "punkt_tab.zip", "w") as file:
        file.writestr("punkt_tab/words.txt", "hello\n")
    data = (folder / "punkt_tab.zip").read_bytes()
    (folder / "index.xml").write_text(
        '<?xml version="1.0"?><nltk_data><packages><package id="punkt_tab" name="words" subdir="tokenizers" unzip="1" '
        f'url="{url}/acme/full/resolve/main/punkt_tab.zip" size="{len(data)}" unzipped_size="6" '
        f'checksum="{hashlib.md5(data).hexdigest()}"/></packages></nltk_data>'
    )


def last(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:110] if lines else "(nothing said)"


def warning(text):
    for sign in ("Could not cache non-existence", "Ignoring corrupted tree cache", "Ignored error while writing"):
        if sign in text:
            return f"; says «{sign}»"
    return ""


REFERENCES = {
    "safe": (ST, "acme/safe"),
    "pickled": (ST, "acme/pickled"),
    "dense": (ST, "acme/dense"),
    "plain": (AUTO, "acme/plain"),
    "cross": (CE, "acme/cross"),
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--python", default="/usr/bin/python3")
    arguments.add_argument("--only", default="", help="run the lines that match")
    arguments.add_argument("--list", action="store_true", help="print the lines, run none")
    arguments.add_argument("folder", metavar="DIR", type=pathlib.Path)
    given = arguments.parse_args()
    probe = subprocess.run(
        [given.python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True
    )
    torch = probe.stdout.strip()
    libraries = {} if probe.returncode else OLD if torch.startswith("1.") else NEW
    if probe.returncode:
        print(f"{given.python} has no torch: only the hub's own functions are tested", file=sys.stderr)
    cases = list(hub_cases()) + list(other_cases())
    for env in libraries:
        cases += list(old_cases(env) if env == "st2.2" else sentence_cases(env))
        cases += list(transformers_cases(env))
    cases = [case for case in cases if re.search(given.only, f"{case.env} {case.name}")]
    if given.list:
        for case in cases:
            print(f"{case.env:8} {case.name}")
        return 0
    if not cases or os.geteuid() != 0:
        print("nothing to test" if not cases else "run this as root: it loads as another user", file=sys.stderr)
        return 2
    folder = given.folder.resolve()
    bench = Bench(folder, given.python)
    if not bench.isolate:
        print("no network namespace: «no network» is a closed port", file=sys.stderr)
    needed = {case.env for case in cases} | {same_hub(c.env) if c.hub == "same" else c.hub for c in cases}
    pythons = {}
    for name, requirements in [*HUBS.items(), *OTHER.items(), *libraries.items()]:
        if name in needed:
            pythons[name] = bench.environment(name, requirements, name in libraries)
    wrong = 0
    servers = {}
    if needed & set(libraries):
        shutil.rmtree(bench.models, ignore_errors=True)
        maker = pythons[next(name for name in libraries if name in needed)]
        subprocess.run([str(maker), str(HERE / "make.py"), str(bench.models)], check=True, capture_output=True)
        for env in libraries:
            for name, (code, model) in REFERENCES.items():
                if env in needed and (env, name) != ("st2.2", "dense"):
                    local = load(code, str(bench.models / model))
                    status, out, err, _ = bench.run(pythons[env], local, {"HF_HUB_OFFLINE": "1"}, network=False)
                    if status:
                        sys.exit(f"{env} can't load {model} from its folder: {last(err)}")
                    bench.values[env, name] = re.search(r"^value (\S+)", out, re.M)[1]
    else:
        shutil.rmtree(bench.models, ignore_errors=True)
        for name in ("full", "gated"):
            for path in (
                "config.json",
                "pytorch_model.bin",
                "model.safetensors",
                "1_Pooling/config.json",
                "onnx/model.onnx",
            ):
                file = bench.models / "acme" / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(path.encode() * 9000)
        (bench.models / "acme/gated/.gated").write_text("hf_right")
    other_models(bench, pythons.get("others"))
    log = open(bench.work / "hub.log", "w")
    for xet in (False, True):
        servers[xet] = hub.serve(bench.models, xet=xet, log=log)
        threading.Thread(target=servers[xet].serve_forever, daemon=True).start()
    nltk_index(bench.models / "acme/full", servers[False].url)
    print(f"torch {torch or 'none'}\n")
    print(f"{'reads':8} {'who':7} {'seconds':>7}  {'':5} case: result")
    for case in cases:
        stage = pythons[same_hub(case.env) if case.hub == "same" else case.hub]
        for who, right, seen, seconds in bench.test(case, stage, pythons[case.env], servers):
            wrong += not right
            print(
                f"{case.env:8} {who:7} {seconds:7.1f}  {'ok' if right else 'WRONG':5} {case.name}: {seen}", flush=True
            )
    shutil.rmtree(bench.work / "case", ignore_errors=True)
    print(f"\n{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
