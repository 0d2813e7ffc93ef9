//! What installs of npm, yarn, pnpm and bun read and write.

use super::super::memory::Memory;
use super::super::{Install, install};
use crate::context::Tree;
use crate::facts::{Facts, Knowledge, Scripts};

type Found = Result<Option<Install>, String>;

/// The first call of the RUN that `text` (a Dockerfile, or a command) ends with.
fn read(text: &str, files: &[(&str, &str)]) -> Found {
    let text = if text.starts_with("FROM") { text.to_owned() } else { format!("FROM node:22\nRUN {text}\n") };
    let file = crate::dockerfile::read(&text).unwrap();
    let knowledge = Knowledge::default();
    let scripts = Scripts::new();
    let facts = Facts::new(&text, &file, &knowledge, &scripts);
    let run = facts.runs.last().unwrap();
    let call = &run.calls()[0];
    install(call, &run.commands()[call.command], run, &Memory(Tree::memory(files)))
}

fn found(text: &str, files: &[(&str, &str)]) -> Install {
    read(text, files).unwrap().unwrap()
}

fn refused(text: &str, files: &[(&str, &str)]) -> String {
    read(text, files).unwrap_err()
}

/// `npm ci` with this package.json and these files beside it.
fn npm(manifest: &str, more: &[(&str, &str)]) -> Found {
    let mut files = vec![("package.json", manifest), ("package-lock.json", "{}"), ("src/index.js", "")];
    files.extend(more);
    read("npm ci", &files)
}

const PLAIN: &str =
    "{\n  \"name\": \"web\",\n  \"dependencies\": {\n    \"left\": \"^1.0.0\",\n    \"right\": \"~2.1.0\"\n  }\n}\n";

#[test]
fn a_plain_project_reads_its_manifest_lock_and_settings() {
    let files = [("package.json", PLAIN), ("package-lock.json", "{}"), (".npmrc", "engine-strict=true"), ("a.js", "")];
    let plain = found("npm ci --omit=dev --no-audit", &files);
    assert_eq!(plain.reads, ["package.json", ".npmrc", "package-lock.json"]);
    assert_eq!(plain.writes, ["node_modules"]);
    assert!(plain.rewrites.is_empty() && plain.doubts.is_empty());
    assert_eq!(found("npm install", &files).rewrites, ["package-lock.json"]);
    assert!(found("npm install --no-save", &files).rewrites.is_empty());
}

#[test]
fn options_move_the_folder() {
    let files =
        [("web/package.json", PLAIN), ("web/package-lock.json", "{}"), ("package.json", "{\"workspaces\": [\"web\"]}")];
    assert_eq!(found("npm --prefix ./web ci", &files).reads, ["web/package.json", "web/package-lock.json"]);
    assert_eq!(found("npm ci -C web", &files).writes, ["web/node_modules"]);
    assert!(refused("npm ci", &files).starts_with("npm ci needs package-lock.json"));
    let files = [("web/package.json", PLAIN), ("web/yarn.lock", "# yarn lockfile v1\n")];
    assert_eq!(found("yarn --cwd web --frozen-lockfile", &files).reads, ["web/package.json", "web/yarn.lock"]);
    let files = [("/srv/web/package.json", PLAIN), ("/srv/web/bun.lock", "{}")];
    assert_eq!(found("bun install --cwd /srv/web/", &files).reads, ["/srv/web/package.json", "/srv/web/bun.lock"]);
}

#[test]
fn packages_for_the_whole_image_need_no_project() {
    let files = [("package.json", PLAIN)];
    for text in [
        "npm install -g pnpm@10",
        "npm i --global npm@$VERSION",
        "yarn global add serve",
        "pnpm add -g serve",
        "npm run ci",
    ] {
        assert_eq!(read(text, &files), Ok(None), "{text}");
    }
    assert_eq!(read("npm install express", &[("main.js", "")]), Ok(None));
    assert_eq!(refused("npm install express", &files), "`npm install express` changes package.json");
    assert_eq!(refused("yarn add left", &files), "`yarn add left` changes package.json");
    assert_eq!(refused("npm update", &files), "npm update changes the lock file");
    assert_eq!(refused("npm install -g .", &files), "it installs `.` from the sources");
}

#[test]
fn a_lock_file_that_is_demanded_and_missing_is_said() {
    let files = [("package.json", PLAIN)];
    assert!(refused("npm ci", &files).starts_with("npm ci needs package-lock.json"));
    assert!(refused("pnpm install --frozen-lockfile", &files).starts_with("pnpm install needs pnpm-lock.yaml"));
    let unlocked = found("npm install", &files);
    assert!(unlocked.rewrites.is_empty() && unlocked.doubts[0].starts_with("it reads no lock file"));
    assert!(refused("bun install", &[("package.json", PLAIN), ("yarn.lock", "")]).contains("yarn.lock"));
}

#[test]
fn options_and_variables_that_are_not_known_are_refused() {
    let files = [("package.json", PLAIN), ("package-lock.json", "{}")];
    assert!(refused("npm ci --install-links", &files).contains("--install-links"));
    assert!(refused("npm ci $FLAGS", &files).contains("$FLAGS"));
    assert!(refused("NODE_OPTIONS='-r ./hook.js' npm ci", &files).contains("NODE_OPTIONS"));
    assert!(refused("FROM node:22\nENV NPM_CONFIG_USERCONFIG=/app/npmrc\nRUN npm ci", &files).contains("userconfig"));
}

#[test]
fn settings_that_lead_elsewhere_are_refused() {
    assert_eq!(npm(PLAIN, &[(".npmrc", "cafile=certs/ca.pem")]).unwrap_err(), ".npmrc sets cafile");
    assert_eq!(npm(PLAIN, &[(".npmrc", "//r.test/:certfile=a.pem")]).unwrap_err(), ".npmrc sets certfile");
    assert!(npm(PLAIN, &[(".npmrc", "//r.test/:_authToken=${TOKEN}\nlegacy-peer-deps = true")]).is_ok());
    let bun = |settings| read("bun ci", &[("package.json", PLAIN), ("bun.lock", "{}"), ("bunfig.toml", settings)]);
    assert!(bun("[install]\nexact = true\n[install.scopes]\na = \"b\"\n[test]\ncoverage = true\n").is_ok());
    assert_eq!(bun("[install]\ncafile = \"a\"\n").unwrap_err(), "bunfig.toml sets cafile");
}

#[test]
fn scripts_that_may_need_the_sources_are_named() {
    let script = |name: &str, text: &str| format!("{{\"scripts\": {{\"{name}\": \"{text}\", \"build\": \"tsc\"}}}}");
    let error = npm(&script("prepare", "npm run build"), &[]).unwrap_err();
    assert_eq!(error, "the prepare script of package.json (`tsc`) may need the sources");
    for text in [
        "node scripts/x.js",
        "nuxt prepare",
        "ngcc",
        "lefthook install",
        "echo a > src/b",
        "electron-builder install-app-deps",
    ] {
        assert!(npm(&script("postinstall", text), &[]).is_err(), "{text}");
    }
    for text in ["npx only-allow npm", "exit 0", "echo hi && true", "npx --yes playwright install chromium"] {
        let plain = npm(&script("preinstall", text), &[]).unwrap().unwrap();
        assert!(plain.doubts.is_empty(), "{text}");
    }
    for text in ["husky", "husky install", "is-ci || husky install"] {
        assert_eq!(npm(&script("prepare", text), &[]).unwrap().unwrap().doubts.len(), 1, "{text}");
    }
    assert!(npm(&script("prepublishOnly", "tsc"), &[]).is_ok());
    assert!(npm("{}", &[("binding.gyp", "")]).is_err());
    let files = [("package.json", &*script("prepare", "tsc")), ("package-lock.json", "{}"), ("binding.gyp", "")];
    assert!(read("npm ci --ignore-scripts", &files).is_ok());
    assert!(read("FROM node:22\nENV NPM_CONFIG_IGNORE_SCRIPTS=true\nRUN npm ci", &files).is_ok());
}

#[test]
fn which_scripts_run_depends_on_the_manager() {
    let manifest = "{\n  \"scripts\": {\n    \"prepare\": \"tsc\"\n  }\n}\n";
    let classic = [("package.json", manifest), ("yarn.lock", "# yarn lockfile v1\n")];
    assert!(read("yarn --frozen-lockfile --production", &classic).is_ok());
    assert!(read("yarn --frozen-lockfile", &classic).is_err());
    assert!(read("yarn install --immutable", &[("package.json", manifest), ("yarn.lock", "__metadata:\n")]).is_ok());
    assert!(read("pnpm fetch", &[("package.json", manifest), ("pnpm-lock.yaml", "")]).is_ok());
    assert!(read("pnpm install --prod", &[("package.json", manifest), ("pnpm-lock.yaml", "")]).is_err());
    let workspaces =
        [("package.json", "{\"workspaces\": [\"a\"]}"), ("a/package.json", manifest), ("package-lock.json", "{}")];
    assert!(refused("npm ci --ignore-scripts", &workspaces).starts_with("the prepare script of a/package.json"));
}

#[test]
fn patches_come_along() {
    let scripted = "{\"scripts\": {\"postinstall\": \"patch-package\"}}";
    let plain = npm(scripted, &[("patches/left+1.0.0.patch", "")]).unwrap().unwrap();
    assert_eq!(plain.reads, ["package.json", "package-lock.json", "patches"]);
    let pnpm = "{\"pnpm\": {\"patchedDependencies\": {\"left@1.0.0\": \"patches/left@1.0.0.patch\"}}}";
    let files = [("package.json", pnpm), ("pnpm-lock.yaml", ""), ("patches/left@1.0.0.patch", "")];
    assert_eq!(
        found("pnpm i --frozen-lockfile", &files).reads,
        ["package.json", "pnpm-lock.yaml", "patches/left@1.0.0.patch"]
    );
    assert!(refused("pnpm i", &files[..2]).contains("isn't among the copied sources"));
    let berry =
        "{\n  \"dependencies\": {\n    \"left\": \"patch:left@npm%3A1.0.0#~/.yarn/patches/left.patch\"\n  }\n}\n";
    let files = [("package.json", berry), ("yarn.lock", "__metadata:\n"), (".yarn/patches/left.patch", "")];
    assert!(found("yarn install --immutable", &files).reads.contains(&".yarn/patches/left.patch".to_owned()));
}

#[test]
fn dependencies_on_the_sources_are_refused() {
    for version in ["file:../shared", "link:./lib", "portal:lib", "./lib", "workspace:*", "exec:./x.js"] {
        let manifest = format!("{{\"dependencies\": {{\"lib\": \"{version}\"}}}}");
        assert_eq!(npm(&manifest, &[]).unwrap_err(), format!("package.json depends on {version}"));
    }
    for version in
        ["~1.2.3", "~ 1.2", "git+ssh://git@h.test/a.git", "npm:left@1", "me/left", "https://h.test/a.tgz", "*"]
    {
        assert!(npm(&format!("{{\"dependencies\": {{\"lib\": \"{version}\"}}}}"), &[]).is_ok(), "{version}");
    }
    let archive = "{\"dependencies\": {\"lib\": \"file:vendor/lib.tgz\"}}";
    assert_eq!(npm(archive, &[("vendor/lib.tgz", "")]).unwrap().unwrap().reads[2], "vendor/lib.tgz");
    assert!(npm("{\"overrides\": {\"a\": {\"b\": \"file:./b\"}}}", &[]).is_err());
}

#[test]
fn every_workspace_brings_its_manifest() {
    let files = [
        ("package.json", "{\"workspaces\": {\"packages\": [\"packages/**\", \"apps/{web,api}\", \"!packages/old\"]}}"),
        ("package-lock.json", "{}"),
        ("packages/a/package.json", "{\"dependencies\": {\"b\": \"*\"}}"),
        ("packages/deep/b/package.json", "{}"),
        ("packages/a/node_modules/x/package.json", "{}"),
        ("packages/old/package.json", "{}"),
        ("apps/web/package.json", "{}"),
        ("apps/other/package.json", "{}"),
        ("apps/web/src/index.js", ""),
    ];
    let all = found("npm ci", &files);
    let manifests =
        ["package.json", "apps/web/package.json", "packages/a/package.json", "packages/deep/b/package.json"];
    assert_eq!(all.reads[..4], manifests);
    assert_eq!(all.writes[1], "apps/web/node_modules");
    let files = [
        ("package.json", "{}"),
        ("pnpm-lock.yaml", ""),
        ("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\nonlyBuiltDependencies:\n  - esbuild\n"),
        ("packages/a/package.json", "{}"),
    ];
    let reads = ["package.json", "pnpm-workspace.yaml", "packages/a/package.json", "pnpm-lock.yaml"];
    assert_eq!(found("pnpm install --frozen-lockfile", &files).reads, reads);
}

#[test]
fn programs_of_workspaces_are_linked_at_install() {
    let files = [
        ("package.json", "{\"workspaces\": [\"a\"], \"bin\": \"cli.js\"}"),
        ("package-lock.json", "{}"),
        ("a/package.json", "{\"bin\": {\"a\": \"cli.js\"}}"),
    ];
    assert!(refused("npm ci", &files).starts_with("a/package.json has a bin"));
}

#[test]
fn berry_writes_by_its_linker_and_reads_its_release() {
    let lock = ("yarn.lock", "__metadata:\n  version: 8\n");
    let settings = "nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-4.5.0.cjs\n";
    let files = [("package.json", PLAIN), lock, (".yarnrc.yml", settings), (".yarn/releases/yarn-4.5.0.cjs", "")];
    let modules = found("yarn install --immutable", &files);
    assert_eq!(modules.reads, ["package.json", ".yarnrc.yml", ".yarn/releases/yarn-4.5.0.cjs", "yarn.lock"]);
    assert_eq!(modules.writes, ["node_modules", ".yarn/install-state.gz"]);
    assert!(modules.rewrites.is_empty() && modules.doubts.is_empty());
    assert_eq!(found("yarn", &files).rewrites, ["yarn.lock"]);
    assert!(found("CI=true yarn", &files).rewrites.is_empty());
    let pnp = [("package.json", PLAIN), lock, (".yarnrc.yml", "enableGlobalCache: false\n")];
    let pnp = found("yarn --immutable", &pnp);
    assert!([".pnp.cjs", ".yarn/unplugged", ".yarn/cache"].iter().all(|path| pnp.writes.iter().any(|it| it == path)));
    let kept =
        [("package.json", PLAIN), lock, (".yarnrc.yml", "enableGlobalCache: false\n"), (".yarn/cache/a.zip", "")];
    assert!(refused("yarn --immutable", &kept).contains(".yarn/cache"));
}

#[test]
fn berry_writes_manifests_of_another_form_anew() {
    let lock = ("yarn.lock", "__metadata:\n");
    for odd in [
        "{\"name\": \"a\"}",
        "{\n  \"dependencies\": {\n    \"b\": \"1\",\n    \"a\": \"1\"\n  }\n}\n",
        "{\n  \"name\": \"a\"\n}",
    ] {
        assert_eq!(found("yarn --immutable", &[("package.json", odd), lock]).rewrites, ["package.json"], "{odd}");
    }
    assert!(found("yarn --immutable", &[("package.json", PLAIN), lock]).rewrites.is_empty());
}

#[test]
fn prisma_reads_its_schema() {
    let manifest =
        "{\"dependencies\": {\"@prisma/client\": \"^6.1.0\"}, \"scripts\": {\"postinstall\": \"prisma generate\"}}";
    let schema =
        "generator client {\n  provider = \"prisma-client-js\"\n}\ndatasource db {\n  provider = \"sqlite\"\n}\n";
    let plain = npm(manifest, &[("prisma/schema.prisma", schema)]).unwrap().unwrap();
    assert_eq!((plain.reads[2].as_str(), plain.doubts.len()), ("prisma/schema.prisma", 1));
    let output = schema.replace("-js\"\n", "-js\"\n  output = \"../src/db\"\n");
    assert!(npm(manifest, &[("prisma/schema.prisma", &output)]).unwrap_err().contains("../src/db"));
    assert!(npm(manifest, &[("prisma/schema.prisma", schema), ("prisma.config.ts", "")]).is_err());
    assert!(npm(manifest, &[]).is_err());
    assert!(npm("{\"dependencies\": {\"@prisma/client\": \"7.0.0\"}}", &[("prisma/schema.prisma", &output)]).is_ok());
}

#[test]
fn what_lies_above_or_in_the_home_is_seen() {
    let files =
        [("package.json", PLAIN), ("package-lock.json", "{}"), ("../package.json", "{\"workspaces\": [\"web\"]}")];
    assert_eq!(refused("npm ci", &files), "../package.json above it may take part in the install");
    assert!(read("npm ci --prefix .", &files).is_ok());
    let files = [("package.json", PLAIN), ("package-lock.json", "{}"), ("../package.json", "{}")];
    assert!(read("npm ci", &files).is_ok());
    let files = [("package.json", PLAIN), ("package-lock.json", "{}"), ("/root/.npmrc", "")];
    assert!(refused("npm ci", &files).starts_with("/root/.npmrc is among the sources"));
}

#[test]
fn downloads_among_the_sources_are_refused() {
    let files = [("package.json", PLAIN), ("package-lock.json", "{}"), ("/app/index.js", "")];
    assert!(read("npm ci --cache /tmp/npm", &files).is_ok());
    assert!(refused("npm ci --cache .npm", &files).contains(".npm, among the sources"));
    assert!(refused("NPM_CONFIG_CACHE=/app/.npm npm ci", &files).contains("/app/.npm, among the sources"));
}

#[test]
fn a_fetch_runs_no_scripts_and_links_no_programs() {
    let files = [
        ("package.json", "{\"scripts\": {\"postinstall\": \"node x.js\"}}"),
        ("pnpm-lock.yaml", ""),
        ("pnpm-workspace.yaml", "packages: ['*']\n"),
        ("a/package.json", "{\"bin\": \"a.js\"}"),
        ("a/.npmrc", "save-exact=true"),
    ];
    let fetch = found("pnpm fetch", &files);
    assert_eq!(fetch.reads, ["package.json", "pnpm-workspace.yaml", "a/package.json", "a/.npmrc", "pnpm-lock.yaml"]);
    assert_eq!(fetch.writes, ["node_modules"]);
}
