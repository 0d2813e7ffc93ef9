#!/usr/bin/env python3
"""Build compose and bake projects with every cache mode of `add-cache-from`, and count the steps that hit.

usage: compose_cache.py --restow PROGRAM DIR

DIR is a folder of `tests/builder.sh start`; the engine in it is the one that is used, with the image store that it was
started with, and its build cache is emptied many times. Each case copies tests/builds/compose-cache, lets restow write
the entries, builds, empties the cache, changes something or nothing, and builds again. The table says what hit of the
builder stage (5 steps) and of the final stage (4 steps). Exit 1 if a line isn't as expected, 2 if nothing can be tested.

A line marked `seen` has no expectation: what hits varies from run to run. Builds that share a base, for example, race
for the imported cache (docker/buildx#414).
The lines of mode `container` need an image with buildkitd (`BUILDKIT=1 tests/builder.sh start`) and are left out without it.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent / "builds" / "compose-cache"
STEPS = {"builder": 5, "final": 4, "worker": 3}

NONE = "builder 0/5, final 0/4"
ALL = "builder 5/5, final 4/4"
CODE = "builder 5/5, final 3/4"  # serve.sh is copied by the last step
# words.txt is copied by the fourth step of the builder stage: what stands above it is in a cache of all stages only.
INSTALLED = "builder 3/5"
UNSUPPORTED = "fails: Cache export is not supported for the docker driver."
TWICE = "fails: duplicate cache exports [inline]"
GUARDED = "fails: additional privileges requested"
# The classic builder has no stages in its log; FROM isn't counted, CMD and the label that compose adds are.
CLASSIC_ALL, CLASSIC_CODE, CLASSIC_NONE = "11/11", "8/11", "0/11"

FAILURE = re.compile(
    r"duplicate cache exports \[\w+\]|Cache export is not supported for the docker driver\."
    r"|connection refused|additional privileges requested"
)


def give_up(why):
    """Nothing can be tested."""
    print(f"{pathlib.Path(sys.argv[0]).name}: {why}", file=sys.stderr)
    raise SystemExit(2)


class Engine:
    """The engine in a folder of tests/builder.sh."""

    def __init__(self, folder):
        folder = folder.resolve()
        if not (folder / "env.sh").is_file():
            give_up(f"{folder} has no engine of tests/builder.sh")
        shown = subprocess.run(
            ["sh", "-c", '. "$1" && env -0', "sh", str(folder / "env.sh")], capture_output=True, text=True, check=True
        ).stdout
        self.env = dict(line.split("=", 1) for line in shown.split("\0") if "=" in line)
        # Its cache will be emptied: it must be the private one.
        if not self.env.get("DOCKER_HOST", "").startswith(f"unix://{folder}/"):
            give_up(f"{folder} has no engine of tests/builder.sh")
        for name in ("BUILDX_BUILDER", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_BAKE", "TAG"):
            self.env.pop(name, None)
        self.registry = self.env["RESTOW_TEST_REGISTRY"]
        self.env |= {"DOCKER_BUILDKIT": "1", "REGISTRY": self.registry}
        info = self.docker("info", "--format", "{{.ServerVersion}} {{.DriverStatus}}").stdout
        self.version = info.split()[0]
        self.store = "containerd" if "io.containerd.snapshotter" in info else "overlay2"
        self.compose = self.docker("compose", "version", "--short").stdout.strip()
        self.buildx = self.docker("buildx", "version").stdout.split()[1].removeprefix("v")
        # Bake writes outside the working directory only when told so: seen in 0.29.1, not yet in 0.13.1.
        self.guards_folders = int(self.buildx.split(".")[1]) >= 20

    def run(self, command, check=True, cwd=None, **env):
        done = subprocess.run(
            command, cwd=cwd, env=self.env | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if check and done.returncode:
            give_up(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
        return done

    def docker(self, *arguments, **options):
        return self.run(["docker", *arguments], **options)

    def prune(self):
        self.docker("builder", "prune", "-af")


class Build:
    """What a build's log says."""

    def __init__(self, done):
        self.log = done.stdout
        self.failed = done.returncode != 0

    def __str__(self):
        return self.failure() if self.failed else self.hits("builder", "final")

    def failure(self):
        known = FAILURE.search(self.log)
        return "fails: " + (known[0] if known else " ".join(self.log.split())[-300:])

    def hits(self, *stages):
        """`builder 5/5, final 3/4`; a step that isn't in the log didn't hit, so the totals are the Dockerfile's."""
        if self.failed:
            return self.failure()
        # The log names a step again after lines of another one.
        steps = dict(re.findall(r"^#(\d+) \[(.*?) ?\d+/\d+\] (?!FROM )", self.log, re.M))
        # The last step that hits is fetched and unpacked, and may then be logged as DONE.
        cached = set(re.findall(r"^#(\d+) (?:CACHED$|(?:extracting )?sha256:)", self.log, re.M))
        count = dict.fromkeys(STEPS, 0)
        for number, place in steps.items():
            # A service that is built alone isn't named.
            worker = "worker" in place or stages == ("worker",)
            count["worker" if worker else "builder" if "builder" in place else "final"] += number in cached
        return ", ".join(f"{stage} {count[stage]}/{STEPS[stage]}" for stage in stages)

    def classic(self):
        if self.failed:
            return self.failure()
        return f"{self.log.count('---> Using cache')}/{len(re.findall(r'^Step [0-9/]+ : (?!FROM )', self.log, re.M))}"

    def import_failed(self):
        return bool(re.search(r"^#\d+ ERROR: .*cache importer", self.log, re.M))


class Project:
    """A copy of tests/builds/compose-cache with the entries that restow writes for one mode."""

    def __init__(self, bench, mode, kind="compose"):
        bench.projects += 1
        self.engine = bench.engine
        self.kind = kind
        # No two projects share an image, or a ref in the registry, which keeps what earlier runs pushed.
        self.tag = f"t{bench.run}-{bench.projects}"
        self.image = f"{self.engine.registry}/restow/web:{self.tag}"
        self.folder = bench.folder / f"project{bench.projects}"
        shutil.copytree(SOURCE, self.folder)
        # Both files at once would write the same refs, which restow refuses.
        (self.folder / ("docker-bake.hcl" if kind == "compose" else "compose.yml")).unlink()
        if kind == "bake":
            # Bake files of older versions can't say this, and the classic builder doesn't know the flag.
            dockerfile = self.folder / "web" / "Dockerfile"
            dockerfile.write_text(dockerfile.read_text().replace("RUN ", "RUN --network=none "))
        if mode == "registry":
            (self.folder / "restow.toml").write_text(f'[cache]\nregistry = "{self.engine.registry}/{self.tag}"\n')
        if mode != "off":
            before = self.text()
            self.engine.run(
                [bench.restow, "apply", "--review", "--only", "add-cache-from", "--cache-mode", mode, "."], cwd=self.folder
            )
            if self.text() == before:
                give_up(f"restow wrote nothing for {kind}, mode {mode}")
        if mode == "local":
            # All projects of a machine share that folder; here each has its own, outside its project as well.
            shared = "/tmp/.buildx-cache"
            if shared not in self.text():
                give_up(f"restow wrote another folder than {shared}\n{self.text()}")
            self.file.write_text(self.text().replace(shared, str(bench.folder / f"cache{bench.projects}")))

    @property
    def file(self):
        return self.folder / ("compose.yml" if self.kind == "compose" else "docker-bake.hcl")

    def text(self):
        return self.file.read_text()

    def override(self, **lists):
        """Writes compose.override.yml with these keys under web's build."""
        lines = ["services:", "  web:", "    build:"]
        for key, entries in lists.items():
            lines += [f"      {key}:", *(f'        - "{entry}"' for entry in entries)]
        (self.folder / "compose.override.yml").write_text("\n".join(lines) + "\n")

    def change(self, name):
        """Changes serve.sh, the code, or words.txt, a source of the builder stage; each time to something new."""
        with open(self.folder / "web" / name, "a") as file:
            file.write("# changed\n")

    def build(self, *services, below=".", **env):
        env = {"TAG": self.tag} | env
        if self.kind == "compose":
            files = ["-f", "../compose.yml", "-f", "../compose.override.yml"] if below != "." else []
            command = ["docker", "compose", *files, "--progress", "plain", "build", *(services or ["web"])]
        else:
            command = ["docker", "buildx", "bake", "--progress", "plain"]
        return Build(self.engine.run(command, check=False, cwd=self.folder / below, **env))

    def rebuild(self, *services, **options):
        self.engine.prune()
        return self.build(*services, **options)

    def push(self):
        self.engine.docker("push", "-q", self.image)

    def forget_image(self):
        self.engine.docker("image", "rm", "-f", self.image)
        self.engine.docker("image", "prune", "-f")


class Bench:
    """Runs the cases and keeps the table."""

    def __init__(self, engine, restow, folder):
        self.engine = engine
        self.restow = restow
        self.folder = folder
        self.run = os.getpid()
        self.projects = 0
        self.wrong = 0
        self.lines = 0

    def line(self, mode, situation, measured, overlay2=None, containerd=None):
        """One line of the table. Without an expectation for this image store, it is only seen."""
        measured = str(measured)
        expected = {"overlay2": overlay2, "containerd": containerd}[self.engine.store]
        mark = "seen" if expected is None else "ok" if measured.startswith(expected) else "WRONG"
        self.lines += 1
        self.wrong += mark == "WRONG"
        told = f"   expected: {expected}" if mark == "WRONG" else ""
        print(f"{mark:6}{mode:11}{situation:64}{measured}{told}", flush=True)

    def both(self, mode, situation, measured, expected):
        self.line(mode, situation, measured, expected, expected)

    @property
    def stores_all_caches(self):
        return self.engine.store == "containerd"

    # ---- the modes ----------------------------------------------------------------------------------------

    def off(self):
        project = Project(self, "off")
        self.both("off", "first build", project.rebuild(), NONE)
        self.both("off", "nothing pruned, nothing changed", project.build(), ALL)
        project.push()
        self.both("off", "pruned, image kept and pushed", project.rebuild(), NONE)

    def inline(self):
        project = Project(self, "inline")
        first = project.rebuild()
        self.both("inline", "first build: the import fails, the build doesn't", f"{first}, {first.import_failed()}", f"{NONE}, True")
        project.change("serve.sh")
        self.line("inline", "image here only, code changed", project.rebuild(), CODE, NONE)
        # What hit was taken from the local image, and the new image describes its last step alone (moby/buildkit#3730).
        project.change("serve.sh")
        self.both("inline", "image here only, code changed once more", project.rebuild(), NONE)
        self.line("inline", "image here only, nothing changed", project.rebuild(), ALL, NONE)

        project = Project(self, "inline")
        project.rebuild()
        project.push()
        project.forget_image()
        self.both("inline", "image pushed, gone here, nothing changed", project.rebuild(), ALL)
        for times in ("", " once more"):
            project.push()
            project.forget_image()
            project.change("serve.sh")
            # Measured on 26.1.5 and 28.5.2: the older one loses the description of what came from a registry as well.
            lost = times and int(self.engine.version.split(".")[0]) < 28
            self.line("inline", "image pushed, gone here, code changed" + times, project.rebuild(), NONE if lost else CODE, CODE)
        project.push()
        project.forget_image()
        project.change("words.txt")
        self.both("inline", "image pushed, gone here, source of the builder changed", project.rebuild(), "builder 0/5")
        project.push()
        self.both("inline", "image pushed, another TAG is built", project.rebuild(TAG=project.tag + "x"), NONE)
        self.line("inline", "image pushed, all services at once", project.rebuild("web", "worker").hits(*STEPS))

    def exported(self, mode):
        project = Project(self, mode)
        self.line(mode, "first build", project.rebuild(), UNSUPPORTED, NONE)
        if not self.stores_all_caches:
            return
        project.forget_image()
        project.change("words.txt")
        self.both(mode, "source of the builder changed", project.rebuild(), INSTALLED)
        project.forget_image()
        self.both(mode, "nothing changed", project.rebuild(), ALL)
        for times in ("", " once more"):
            project.change("serve.sh")
            self.both(mode, "code changed" + times, project.rebuild(), CODE)
        # 26.1.5 sometimes exports less than it imported; 28.5.2 was never seen to.
        project.change("words.txt")
        self.line(mode, "source of the builder changed, after builds that hit", project.rebuild())
        self.both(mode, "service without image, first build", project.rebuild("worker").hits("worker"), "worker 0/3")
        self.both(mode, "service without image, nothing changed", project.rebuild("worker").hits("worker"), "worker 3/3")
        self.line(mode, "all services at once", project.rebuild("web", "worker").hits(*STEPS))

    def classic(self):
        for mode in ("off", "classic"):
            project = Project(self, mode)
            classic = {"DOCKER_BUILDKIT": "0"}
            label = f"{mode}, builder classic"
            project.rebuild(**classic)
            self.both("classic", f"{label}, image kept", project.rebuild(**classic).classic(), CLASSIC_ALL)
            project.change("serve.sh")
            self.both("classic", f"{label}, image kept, code changed", project.rebuild(**classic).classic(), CLASSIC_CODE)
            project.push()
            project.forget_image()
            self.engine.docker("pull", "-q", project.image)
            # Compose 2 hands no cache_from to the classic builder.
            self.both("classic", f"{label}, image pulled", project.rebuild(**classic).classic(), CLASSIC_NONE)
            project.forget_image()
        project.rebuild()
        self.both("classic", "classic, builder BuildKit, image kept", project.rebuild(), NONE)

    def bake(self):
        for mode in ("inline", "registry", "local"):
            project = Project(self, mode, "bake")
            allow = {}
            if mode == "local" and self.engine.guards_folders:
                self.both("bake", "local, first build, folder not allowed", project.rebuild(), GUARDED)
                allow = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0"}  # as `--allow=fs=FOLDER`
            first = project.rebuild(**allow)
            self.line("bake", f"{mode}, first build", first, NONE if mode == "inline" else UNSUPPORTED, NONE)
            if first.failed:
                continue
            project.push()
            project.forget_image()
            project.change("serve.sh")
            self.both("bake", f"{mode}, image pushed, gone here, code changed", project.rebuild(**allow), CODE)

    # ---- what stands around the entries -------------------------------------------------------------------

    def surroundings(self):
        project = Project(self, "inline")
        project.override(cache_to=["type=inline"])
        build = project.rebuild()
        # Newer versions of compose build through bake, which drops the second one.
        self.both("around", "inline in an override file too", build, NONE if "bake definitions" in build.log else TWICE)
        project = Project(self, "inline")
        project.override(args=["BUILDKIT_INLINE_CACHE=1"])
        self.both("around", "inline and the argument BUILDKIT_INLINE_CACHE", project.rebuild(), TWICE)

        project = Project(self, "off")
        registry = self.engine.registry
        for name, entry in (
            ("image", f"{registry}/restow/nobody:dev"),
            ("registry", f"type=registry,ref={registry}/nobody:dev"),
            ("folder", "type=local,src=nowhere"),
        ):
            project.override(cache_from=[entry])
            self.both("around", f"cache_from a missing {name}: the build goes on", project.rebuild(), NONE)
        unreachable = "type=registry,ref=localhost:1/nobody:dev,mode=max"
        project.override(cache_to=[unreachable])
        self.line("around", "cache_to a registry that doesn't answer", project.rebuild(), UNSUPPORTED, "fails: connection refused")
        project.override(cache_to=[unreachable + ",ignore-error=true"])
        self.line("around", "cache_to a registry that doesn't answer, ignore-error", project.rebuild(), UNSUPPORTED, NONE)
        project.override(cache_to=["type=gha,scope=web"])
        self.both("around", "cache_to type=gha without its token: left out silently", project.rebuild(), NONE)
        if not self.stores_all_caches:
            return

        project = Project(self, "off")
        project.override(cache_to=["type=local,dest=cache"])
        (project.folder / "sub").mkdir()
        project.rebuild(below="sub")
        written = " ".join(str(path.parent.relative_to(project.folder)) for path in project.folder.rglob("index.json"))
        self.both("around", "local with a relative path, built from the folder sub", written or "nothing written", "sub/cache")

        project = Project(self, "off")
        project.override(cache_from=["type=local,src=web/cache"], cache_to=["type=local,dest=web/cache,mode=max"])
        with open(project.folder / "web" / "Dockerfile", "a") as file:
            file.write("COPY . /context\n")
        project.rebuild()
        sizes = []
        for _ in range(2):
            project.rebuild()
            sizes.append(sum(path.stat().st_size for path in (project.folder / "web" / "cache").rglob("*") if path.is_file()))
        self.both("around", "local inside a context that is copied whole", "grows" if sizes[1] > sizes[0] * 1.2 else sizes, "grows")

    def container(self):
        """The docker-container driver: a builder that can export everything, and knows no local image."""
        known = ("restow-test/buildkit:1", "moby/buildkit:buildx-stable-1")
        images = [image for image in known if not self.engine.docker("image", "inspect", image, check=False).returncode]
        if not images:
            print(f"      container  left out: the engine has no {known[0]}")
            return
        registry, base = self.engine.registry, "library/debian:bookworm-slim"
        self.engine.docker("tag", "debian:bookworm-slim", f"{registry}/{base}")
        self.engine.docker("push", "-q", f"{registry}/{base}")
        self.engine.docker("image", "rm", f"{registry}/{base}")
        config = self.folder / "buildkitd.toml"
        config.write_text(f'[registry."docker.io"]\n  mirrors = ["{registry}"]\n[registry."{registry}"]\n  http = true\n')
        name = f"restow-{self.run}"
        driver = ["--driver", "docker-container", "--driver-opt", f"image={images[0]},network=host"]
        options = [*driver, "--buildkitd-config", str(config)]
        self.engine.docker("buildx", "create", "--name", name, "--bootstrap", *options)
        try:
            for mode in ("inline", "registry", "local"):
                project = Project(self, mode)
                builder = {"BUILDX_BUILDER": name}

                def rebuild():
                    self.engine.docker("buildx", "prune", "--builder", name, "-af")
                    return project.build(**builder)

                self.both("container", f"{mode}, first build", rebuild(), NONE)
                loaded = self.engine.docker("image", "inspect", project.image, check=False).returncode == 0
                self.both("container", f"{mode}, the image is loaded", loaded, "True")
                self.both("container", f"{mode}, not pushed, nothing changed", rebuild(), NONE if mode == "inline" else ALL)
                project.push()
                for times in ("", " once more"):
                    project.change("serve.sh")
                    self.both("container", f"{mode}, image pushed, code changed" + times, rebuild(), CODE)
                    project.push()
        finally:
            self.engine.docker("buildx", "rm", name)

    def clean(self):
        images = self.engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
        # The service without image is named by compose: by its folder.
        mine = [image for image in images if f":t{self.run}-" in image or re.match(r"project\d+-worker:", image)]
        if mine:
            self.engine.docker("image", "rm", "-f", *mine)
        self.engine.prune()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--restow", required=True, type=pathlib.Path, help="the program")
    options.add_argument("folder", metavar="DIR", type=pathlib.Path, help="filled by tests/builder.sh start")
    options = options.parse_args()
    engine = Engine(options.folder)
    print(f"engine {engine.version}, image store {engine.store}, compose {engine.compose}, buildx {engine.buildx}")
    with tempfile.TemporaryDirectory(prefix="restow-compose-") as folder:
        bench = Bench(engine, options.restow.resolve(), pathlib.Path(folder))
        with contextlib.ExitStack() as cleaning:
            cleaning.callback(bench.clean)
            bench.off()
            bench.inline()
            bench.exported("registry")
            bench.exported("local")
            bench.classic()
            bench.bake()
            bench.surroundings()
            bench.container()
    print(f"{bench.lines} lines, {bench.wrong} wrong")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
