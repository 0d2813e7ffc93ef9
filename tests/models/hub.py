#!/usr/bin/env python3
"""A stand-in for the Hugging Face hub: serves the models below a folder, enough to download them with huggingface_hub.

usage: hub.py --root DIR [--port N] [--xet] [--log FILE]

DIR/org/name/* is the model org/name, DIR/name/* the model `name` (an id without an organisation). A folder that holds
a file itself is a model; one that holds folders only is an organisation. Every model has one revision, `main`, whose
commit is derived from its files, so that it changes when they do.

DIR/renamed.json {"gpt2": "openai-community/gpt2"}: requests for the first id are redirected to the second.
A file `.gated` in a model's folder holds a token: its files answer 401 to a request without that token, as for a gated
repository. `.private` does so for the listing too, as for a private one. Neither file is served.

Weights (*.bin, *.safetensors, ...) are redirected to another address as files in Git LFS are. With --xet they are also
offered in the Xet protocol, which huggingface_hub prefers since 0.32: one block per file, stored without compression.

Use: HF_ENDPOINT=http://127.0.0.1:N python -c "from huggingface_hub import snapshot_download; ..."
Port 0 takes a free one. The address is printed on standard output; every request is logged on standard error or FILE.
"""

import argparse
import hashlib
import http.server
import json
import os
import pathlib
import re
import sys
import time
import urllib.parse

HIDDEN = {".gated", ".private"}
LFS = (".bin", ".safetensors", ".h5", ".msgpack", ".ot", ".onnx", ".pt", ".pth", ".ckpt", ".gguf", ".tar.gz", ".xml")
TREE_PAGE = 1000
CHUNK = 64 * 1024


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Model:
    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.files = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in HIDDEN:
                self.files[path.relative_to(folder).as_posix()] = path
        digest = hashlib.sha1()
        for path, file in self.files.items():
            digest.update(path.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
        self.commit = digest.hexdigest()
        self.gated = self.token(".gated")
        self.private = self.token(".private")

    def token(self, name):
        path = self.folder / name
        return path.read_text().strip() if path.is_file() else None

    def entry(self, path):
        data = self.files[path].read_bytes()
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry = {"type": "file", "path": path, "size": len(data), "oid": oid}
        if path.endswith(LFS):
            entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 130}
        return entry

    def etag(self, path):
        entry = self.entry(path)
        return entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]


class Hub:
    def __init__(self, root, xet):
        self.root = pathlib.Path(root)
        self.xet = xet
        renamed = self.root / "renamed.json"
        self.renamed = json.loads(renamed.read_text()) if renamed.is_file() else {}
        self.by_digest = {}

    def model(self, name):
        folder = self.root / name
        if any(part in ("", ".", "..") for part in name.split("/")) or not folder.is_dir():
            return None
        if not any(child.is_file() for child in folder.iterdir()):
            return None
        return Model(name, folder)

    def block(self, data):
        """`data` as one Xet block: chunks of a version, a length of three bytes, no compression, the length again."""
        parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
        block = b"".join(
            b"\0" + len(part).to_bytes(3, "little") + b"\0" + len(part).to_bytes(3, "little") + part for part in parts
        )
        return block, len(parts)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub = None
    log = sys.stderr

    def log_message(self, form, *values):
        print(form % values, file=self.log, flush=True)

    def address(self, store=False):
        """Where this server is. Large files must be at another host (`store`): the client follows no other redirect."""
        port = self.server.server_address[1]
        return f"http://localhost:{port}" if store else f"http://127.0.0.1:{port}"

    def send(self, status, body=b"", headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code, message, headers=None):
        more = {"X-Error-Code": code, "X-Error-Message": message, **(headers or {})}
        self.send(status, {"error": message}, more)

    def data(self, data, headers):
        """The file, or the part of it that is asked for."""
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", **headers}
        if not part:
            return self.send(200, data, headers)
        first, last = int(part[1]), min(int(part[2] or len(data) - 1), len(data) - 1)
        if first >= len(data):
            return self.send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self.send(206, data[first : last + 1], headers)

    def may(self, token):
        return token is None or self.headers.get("Authorization") == f"Bearer {token}"

    def find(self, name, rest):
        """The model, or nothing if the answer is already sent. `rest` is the address before and after the id."""
        if name in self.hub.renamed:
            before, after = rest
            target = f"{before}{self.hub.renamed[name]}{after}"
            self.send(307, b"", {"Location": target})
            return None
        model = self.hub.model(name)
        if model is None or not self.may(model.private):
            # The hub answers 401 to a nameless client in both cases, so as not to tell which repositories exist.
            self.fail(401, "RepoNotFound", "Repository not found")
            return None
        return model

    def revision(self, model, revision):
        if urllib.parse.unquote(revision) in ("main", "refs/heads/main", model.commit):
            return True
        self.fail(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return False

    def info(self, model, query):
        files = [model.entry(path) for path in model.files]
        siblings = []
        for entry in files:
            sibling = {"rfilename": entry["path"]}
            if "blobs" in query:
                sibling.update(size=entry["size"], blobId=entry["oid"])
                if "lfs" in entry:
                    sibling["lfs"] = {"sha256": entry["lfs"]["oid"], "size": entry["size"], "pointerSize": 130}
            siblings.append(sibling)
        self.send(
            200,
            {
                "_id": "0" * 24,
                "id": model.name,
                "modelId": model.name,
                "author": model.name.split("/")[0],
                "sha": model.commit,
                "lastModified": "2024-01-01T00:00:00.000Z",
                "createdAt": "2024-01-01T00:00:00.000Z",
                "private": model.private is not None,
                "gated": "auto" if model.gated else False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "siblings": siblings,
            },
        )

    def tree(self, model, folder, query):
        folder = folder.strip("/")
        recursive = query.get("recursive", ["false"])[0].lower() in ("1", "true")
        entries, folders = [], set()
        for path in model.files:
            if folder and not path.startswith(folder + "/"):
                continue
            below = path[len(folder) + 1 :] if folder else path
            parents = below.split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                if depth > 1 and not recursive:
                    break
                name = "/".join(filter(None, [folder, *parents[:depth]]))
                if name not in folders:
                    folders.add(name)
                    entries.append({"type": "directory", "path": name, "size": 0, "oid": "0" * 40})
            if recursive or not parents:
                entry = model.entry(path)
                if self.hub.xet and "lfs" in entry:
                    entry["xetHash"] = entry["lfs"]["oid"]
                    self.hub.by_digest[entry["lfs"]["oid"]] = model.files[path]
                entries.append(entry)
        if folder and not entries:
            return self.fail(404, "EntryNotFound", f"{folder} does not exist")
        start = int(query.get("cursor", ["0"])[0])
        headers = {}
        if start + TREE_PAGE < len(entries):
            query = {**query, "cursor": [str(start + TREE_PAGE)]}
            path = urllib.parse.urlsplit(self.path).path
            headers["Link"] = f'<{self.address()}{path}?{urllib.parse.urlencode(query, doseq=True)}>; rel="next"'
        self.send(200, entries[start : start + TREE_PAGE], headers)

    def resolve(self, model, path):
        commit = {"X-Repo-Commit": model.commit}
        if not self.may(model.gated):
            message = f"Access to model {model.name} is restricted. You must be authenticated to access it."
            return self.fail(401, "GatedRepo", message, commit)
        if path not in model.files:
            return self.fail(404, "EntryNotFound", "Entry not found", commit)
        file = model.files[path]
        entry = model.entry(path)
        if "lfs" not in entry:
            return self.data(file.read_bytes(), {**commit, "ETag": f'"{entry["oid"]}"'})
        digest = entry["lfs"]["oid"]
        self.hub.by_digest[digest] = file
        headers = {
            **commit,
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(entry["size"]),
            "ETag": f'"{entry["oid"]}"',
            "Location": f"{self.address(store=True)}/.lfs/{digest}",
        }
        if self.hub.xet:
            headers["X-Xet-Hash"] = digest
            route = f"{self.address()}/api/models/{model.name}/xet-read-token/{model.commit}"
            headers["Link"] = f'<{route}>; rel="xet-auth"'
        self.send(302, b"", headers)

    def xet(self, parts):
        """GET /v1/reconstructions/HASH and the blocks that it names."""
        digest = parts[-1]
        file = self.hub.by_digest.get(digest)
        if file is None:
            return self.send(404)
        block, chunks = self.hub.block(file.read_bytes())
        if parts[0] == ".block":
            return self.data(block, {})
        size = file.stat().st_size
        # A part beyond the end is asked for to find the end: 416 says so.
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        first, last = (int(asked[1]), int(asked[2] or size - 1)) if asked else (0, size - 1)
        if first >= size:
            return self.send(416, b"")
        low, high = first // CHUNK, min(last // CHUNK + 1, chunks)
        length = min(high * CHUNK, size) - low * CHUNK
        begin, end = low * (CHUNK + 8), min(high * (CHUNK + 8), len(block)) - 1
        span = {"start": low, "end": high}
        self.send(
            200,
            {
                "offset_into_first_range": first - low * CHUNK,
                "terms": [{"hash": digest, "unpacked_length": length, "range": span}],
                "fetch_info": {
                    digest: [
                        {
                            "range": span,
                            "url": f"{self.address()}/.block/{digest}",
                            "url_range": {"start": begin, "end": end},
                        }
                    ]
                },
            },
        )

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.do_GET()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        path = urllib.parse.unquote(url.path)
        parts = path.strip("/").split("/")
        if path.startswith("/.lfs/"):
            file = self.hub.by_digest.get(parts[-1])
            return self.data(file.read_bytes(), {"ETag": f'"{parts[-1]}"'}) if file else self.send(404)
        if self.hub.xet and (path.startswith("/v1/reconstructions/") or path.startswith("/.block/")):
            return self.xet(parts)
        api = re.fullmatch(r"/api/models/(.+?)(?:/(revision|tree|paths-info|refs|xet-read-token)(?:/(.*))?)?", path)
        if api:
            name, what, rest = api[1], api[2], api[3] or ""
            after = url.path[len("/api/models/") + len(urllib.parse.quote(name)) :] + (url.query and "?" + url.query)
            model = self.find(name, ("/api/models/", after))
            if model is None:
                return None
            if what == "refs":
                ref = {"name": "main", "ref": "refs/heads/main", "targetCommit": model.commit}
                return self.send(200, {"branches": [ref], "tags": [], "converts": []})
            # An encoded slash stays in a revision (refs%2Fpr%2F1), so split the address as it was sent.
            raw = url.path.split(f"/{what}/", 1)[1].split("/", 1) if what and rest else ["main"]
            if not self.revision(model, raw[0]):
                return None
            if what == "xet-read-token":
                token = {"casUrl": self.address(), "accessToken": "none", "exp": int(time.time()) + 3600}
                return self.send(
                    200,
                    token,
                    {
                        "X-Xet-Cas-Url": token["casUrl"],
                        "X-Xet-Access-Token": "none",
                        "X-Xet-Token-Expiration": str(token["exp"]),
                    },
                )
            if what == "tree":
                return self.tree(model, urllib.parse.unquote(raw[1]) if len(raw) > 1 else "", query)
            if what == "paths-info":
                body = getattr(self, "body", b"")
                asked = json.loads(body)["paths"] if body[:1] == b"{" else urllib.parse.parse_qs(body.decode())["paths"]
                return self.send(200, [model.entry(p) for p in asked if p in model.files])
            return self.info(model, query)
        file = re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", url.path)
        if file:
            name = urllib.parse.unquote(file[1])
            model = self.find(name, ("/", url.path[len(file[1]) + 1 :]))
            if model is None or not self.revision(model, file[2]):
                return None
            return self.resolve(model, urllib.parse.unquote(file[3]))
        self.send(404, {"error": "Not found"})


def serve(root, port=0, xet=False, log=None):
    """A running server; its address is in `.url`, and `shutdown()` and `server_close()` end it."""

    class Here(Handler):
        pass

    Here.hub = Hub(root, xet)
    Here.log = log or sys.stderr
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Here)
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--root", required=True)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--xet", action="store_true")
    arguments.add_argument("--log")
    given = arguments.parse_args()
    if not os.path.isdir(given.root):
        sys.exit(f"no such folder: {given.root}")
    log = open(given.log, "a") if given.log else sys.stderr
    server = serve(given.root, given.port, given.xet, log)
    print(server.url, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
