//! What a container starts: the Python that its command leads to, over wrappers, servers and shell scripts.

use crate::facts::copies::absolute;
use crate::shell;

/// A command as the container gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Words of a JSON array, or of a compose file.
    Words(Vec<String>),
    /// A text for a shell.
    Line(String),
}

/// A Python program that is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub what: Target,
    /// The words behind it.
    pub words: Vec<String>,
    /// Folders in which it looks for modules first.
    pub roots: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file, absolute.
    Script(String),
    /// `python -m`.
    Module(String),
    /// A module and the name in it that a server calls.
    Object(String, Option<String>),
    /// `python -c`.
    Code(String),
    /// Python of which it can't be told what it loads: everything in the image may be meant.
    Open,
}

/// What a command leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launches {
    pub found: Vec<Launch>,
    /// Commands that nothing is known of.
    pub unknown: Vec<String>,
}

/// Files of the image at absolute paths.
pub type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a container starts in `workdir`.
pub fn launches(
    commands: &[Command],
    workdir: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    files: Files<'_>,
) -> Launches {
    let mut reader = Reader { folder: workdir.to_owned(), environment, files, out: Launches::default(), depth: 0 };
    for command in commands {
        match command {
            Command::Words(words) => reader.words(words),
            Command::Line(line) => reader.script(line),
        }
    }
    reader.out
}

/// Programs that hand the rest of their words on, with the options of theirs that take a value.
const WRAPPERS: [(&str, &[&str]); 29] = [
    ("exec", &["-a"]),
    ("tini", &["-p", "-e"]),
    ("dumb-init", &[]),
    ("env", &["-u", "-C"]),
    ("nice", &["-n"]),
    ("time", &[]),
    ("sudo", &["-u", "-g"]),
    ("gosu", &[]),
    ("su-exec", &[]),
    ("setpriv", &[]),
    ("stdbuf", &[]),
    ("nohup", &[]),
    ("uv", &["--project", "--directory", "--group", "--extra", "--with", "-p", "--python", "--env-file", "--package"]),
    ("poetry", &["-C", "--directory", "-P"]),
    ("pipenv", &[]),
    ("pdm", &["-p"]),
    ("hatch", &[]),
    ("rye", &[]),
    ("conda", &["-n", "-p", "--name", "--prefix", "--cwd"]),
    ("mamba", &["-n", "-p", "--name", "--prefix", "--cwd"]),
    ("micromamba", &["-n", "-p", "--name", "--prefix", "--cwd"]),
    ("ddtrace-run", &[]),
    (
        "opentelemetry-instrument",
        &["--traces_exporter", "--metrics_exporter", "--service_name", "--exporter_otlp_endpoint"],
    ),
    ("newrelic-admin", &[]),
    ("xvfb-run", &["-s", "-n"]),
    ("accelerate", &["--config_file", "--num_processes", "--mixed_precision", "--num_machines", "--gpu_ids"]),
    ("torchrun", &["--nproc_per_node", "--nnodes", "--master_port"]),
    ("catchsegv", &[]),
    ("doppler", &["-p", "-c"]),
];
/// Words of wrappers between their name and what they run.
const WRAPPED_BY: [&str; 6] = ["run", "run-program", "shell", "launch", "exec", "--"];
/// Servers that are told a module and an object of it.
const SERVERS: [&str; 12] = [
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "daphne",
    "granian",
    "sanic",
    "litestar",
    "waitress-serve",
    "uwsgi",
    "robyn",
    "nameko",
    "functions-framework",
];
/// Programs that run a file of Python which is named behind a word.
const RUNNERS: [(&str, &[&str]); 7] = [
    ("streamlit", &["run"]),
    ("chainlit", &["run"]),
    ("gradio", &[]),
    ("panel", &["serve"]),
    ("bokeh", &["serve"]),
    ("marimo", &["run"]),
    ("solara", &["run"]),
];
/// Programs that run no Python of the image's own.
const QUIET: [&str; 62] = [
    "cd",
    "echo",
    "printf",
    "set",
    "export",
    "unset",
    "source",
    ".",
    "sleep",
    "mkdir",
    "chown",
    "chmod",
    "cp",
    "mv",
    "rm",
    "ln",
    "ls",
    "cat",
    "touch",
    "test",
    "[",
    "[[",
    "true",
    "false",
    ":",
    "wait",
    "trap",
    "exit",
    "return",
    "kill",
    "ulimit",
    "umask",
    "curl",
    "wget",
    "nc",
    "nginx",
    "redis-server",
    "ollama",
    "alembic",
    "pip",
    "pip3",
    "npm",
    "node",
    "grep",
    "sed",
    "awk",
    "date",
    "until",
    "mlflow",
    "jupyter",
    "tail",
    "pg_isready",
    "psql",
    "hostname",
    "id",
    "whoami",
    "which",
    "command",
    "openssl",
    "cron",
    "crond",
    "shift",
];

struct Reader<'a> {
    /// Where commands are run; `cd` moves it.
    folder: String,
    environment: &'a dyn Fn(&str) -> Option<String>,
    files: Files<'a>,
    out: Launches,
    depth: usize,
}

impl Reader<'_> {
    fn script(&mut self, text: &str) {
        const DEEPEST: usize = 4;
        if self.depth > DEEPEST {
            return;
        }
        self.depth += 1;
        match shell::parse(text, false) {
            Ok(script) => {
                for command in &script.commands {
                    let words: Vec<String> = command.words.iter().map(|word| self.value(word)).collect();
                    self.words(&words);
                }
            }
            // Line by line, what can be read of it.
            Err(_) => {
                for line in text.lines() {
                    if let Ok(script) = shell::parse(line.trim(), false) {
                        for command in &script.commands {
                            let words: Vec<String> = command.words.iter().map(|word| self.value(word)).collect();
                            self.words(&words);
                        }
                    }
                }
            }
        }
        self.depth -= 1;
    }

    fn value(&self, word: &shell::ShellWord) -> String {
        let expanded = || shell::expand(&word.raw, &|name| (self.environment)(name)).literal();
        word.value.clone().or_else(expanded).unwrap_or_else(|| word.raw.trim_matches('"').to_owned())
    }

    fn words(&mut self, words: &[String]) {
        let Some(first) = words.first() else { return };
        let rest = &words[1..];
        let name = first.rsplit('/').next().unwrap_or(first);
        if first.contains('=') && !first.starts_with(['/', '.', '-', '$']) {
            return self.words(rest);
        }
        if name == "cd" {
            if let Some(folder) = rest.first() {
                self.folder = absolute(&self.folder, folder);
            }
            return;
        }
        if is_python(name) {
            return self.python(rest);
        }
        if matches!(name, "sh" | "bash" | "ash" | "dash" | "zsh") {
            return self.shell(rest);
        }
        if let Some((_, options)) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name) {
            return self.wrapped(name, rest, options);
        }
        if let Some(at) = rest
            .iter()
            .position(|word| word == "--")
            .filter(|_| name.starts_with("wait") || name == "dockerize" || name == "watchmedo")
        {
            return self.words(&rest[at + 1..]);
        }
        if SERVERS.contains(&name) {
            return self.server(rest);
        }
        if let Some((_, before)) = RUNNERS.iter().find(|(runner, _)| *runner == name) {
            let file = rest.iter().find(|word| !word.starts_with('-') && !before.contains(&word.as_str()));
            return match file {
                Some(file) => self.push_script(&file.clone(), rest),
                None => self.open(rest),
            };
        }
        match name {
            "fastapi" => self.fastapi(rest),
            "flask" => self.flask(rest),
            "celery" => self.celery(rest),
            "dramatiq" | "taskiq" | "arq" | "huey_consumer" | "huey_consumer.py" => self.modules(rest),
            "supervisord" => self.supervisor(rest),
            "honcho" | "foreman" | "hivemind" | "overmind" => self.procfile(),
            "django-admin" | "manage.py" | "rq" | "airflow" | "dagster" | "prefect" | "scrapy" => self.open(rest),
            _ if QUIET.contains(&name) || first.starts_with('$') || first.is_empty() => {}
            _ => self.file(first, rest),
        }
    }

    /// A file of the image that is run by its name.
    fn file(&mut self, path: &str, words: &[String]) {
        let at = absolute(&self.folder, path);
        let text = (self.files)(&at).or_else(|| if path.contains('/') { None } else { self.on_path(path) });
        let Some(text) = text else {
            return match self.console_script(path) {
                Some((module, object)) => self.push(Target::Object(module, Some(object)), words),
                None => self.out.unknown.push(path.to_owned()),
            };
        };
        let first = text.lines().next().unwrap_or("");
        if at.ends_with(".py") || first.starts_with("#!") && first.contains("python") {
            self.push(Target::Script(at), words);
        } else if first.starts_with("#!") && !first.contains("sh") {
            self.out.unknown.push(path.to_owned());
        } else {
            self.script(&text);
        }
    }

    fn on_path(&self, name: &str) -> Option<String> {
        ["/usr/local/bin", "/usr/bin", "/bin"].iter().find_map(|folder| (self.files)(&format!("{folder}/{name}")))
    }

    /// What pyproject.toml names so. Source: the entry points specification; Poetry's `tool.poetry.scripts`.
    fn console_script(&self, name: &str) -> Option<(String, String)> {
        let mut folder = self.folder.as_str();
        let text = loop {
            if let Some(text) = (self.files)(&format!("{folder}/pyproject.toml")) {
                break text;
            }
            folder = folder.rsplit_once('/')?.0;
        };
        let data = super::data::read("pyproject.toml", &text)?;
        let tables = [data.get("project"), data.get("tool").and_then(|tool| tool.get("poetry"))];
        let entry = tables.into_iter().flatten().find_map(|table| table.get("scripts")?.get(name))?;
        let super::data::DataKind::Text(entry) = &entry.kind else { return None };
        let (module, object) = entry.split_once(':')?;
        Some((module.to_owned(), object.to_owned()))
    }

    fn push(&mut self, what: Target, words: &[String]) {
        let launch = Launch { what, words: words.to_vec(), roots: vec![self.folder.clone()] };
        if !self.out.found.contains(&launch) {
            self.out.found.push(launch);
        }
    }

    fn push_script(&mut self, path: &str, words: &[String]) {
        let at = absolute(&self.folder, path);
        let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let launch =
            Launch { what: Target::Script(at), words: words.to_vec(), roots: vec![folder, self.folder.clone()] };
        if !self.out.found.contains(&launch) {
            self.out.found.push(launch);
        }
    }

    fn open(&mut self, words: &[String]) {
        self.push(Target::Open, words);
    }

    fn python(&mut self, words: &[String]) {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            match word.as_str() {
                "-m" => {
                    let Some(module) = words.get(at + 1) else { return };
                    let rest = &words[at + 2..];
                    let is_runner = SERVERS.contains(&module.as_str())
                        || RUNNERS.iter().any(|(name, _)| name == module)
                        || matches!(
                            module.as_str(),
                            "flask"
                                | "celery"
                                | "fastapi"
                                | "dramatiq"
                                | "arq"
                                | "taskiq"
                                | "debugpy"
                                | "torch.distributed.run"
                        );
                    if module == "debugpy" {
                        let start =
                            rest.iter().position(|word| word == "-m" || word.ends_with(".py")).unwrap_or(rest.len());
                        return self.python(&rest[start..]);
                    }
                    if is_runner {
                        let mut whole = vec![module.clone()];
                        whole.extend(rest.iter().cloned());
                        return self.words(&whole);
                    }
                    // Modules of Python's own and of tools.
                    if matches!(
                        module.as_str(),
                        "pip" | "venv" | "http.server" | "json.tool" | "alembic" | "spacy" | "nltk.downloader"
                    ) {
                        return;
                    }
                    return self.push(Target::Module(module.clone()), rest);
                }
                "-c" => {
                    let code = words.get(at + 1).cloned().unwrap_or_default();
                    return self.push(Target::Code(code), &[]);
                }
                "-X" | "-W" | "--check-hash-based-pycs" => at += 2,
                _ if word.starts_with('-') => at += 1,
                _ if word.ends_with("manage.py") => return self.open(&words[at + 1..]),
                _ => return self.push_script(word, &words[at + 1..]),
            }
        }
        // Without a file it reads what it is given.
        if words.is_empty() {
            self.out.unknown.push("python".to_owned());
        }
    }

    fn shell(&mut self, words: &[String]) {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            if word.starts_with('-') && word.contains('c') && !word.starts_with("--") {
                if let Some(text) = words.get(at + 1) {
                    self.script(&text.clone());
                }
                return;
            }
            if !word.starts_with(['-', '+']) {
                let path = absolute(&self.folder, word);
                return match (self.files)(&path).or_else(|| self.on_path(word)) {
                    Some(text) => self.script(&text),
                    None => self.out.unknown.push(word.clone()),
                };
            }
            at += 1;
        }
    }

    fn wrapped(&mut self, name: &str, words: &[String], options: &[&str]) {
        let mut at = 0;
        let folder = self.folder.clone();
        // The user comes first.
        if matches!(name, "gosu" | "su-exec") {
            at = 1;
        }
        while let Some(word) = words.get(at) {
            if matches!(word.as_str(), "--directory" | "-C" | "--cwd") {
                if let Some(to) = words.get(at + 1) {
                    self.folder = absolute(&self.folder, to);
                }
                at += 2;
            } else if options.contains(&word.as_str()) {
                at += 2;
            } else if word == "--module" || word == "-m" && matches!(name, "accelerate" | "torchrun") {
                let module = words.get(at + 1).cloned().unwrap_or_default();
                self.push(Target::Module(module), &[]);
                return;
            } else if word.starts_with('-')
                || WRAPPED_BY.contains(&word.as_str())
                || word.contains('=') && !word.contains('/')
            {
                at += 1;
            } else {
                break;
            }
        }
        let rest = &words[at.min(words.len())..];
        match rest.first() {
            Some(file) if file.ends_with(".py") => self.push_script(&file.clone(), &rest[1..]),
            Some(_) => self.words(rest),
            None => {}
        }
        self.folder = folder;
    }

    fn server(&mut self, words: &[String]) {
        let value = |names: &[&str]| {
            let at = words.iter().position(|word| names.contains(&word.as_str()));
            let joined =
                words.iter().find_map(|word| names.iter().find_map(|name| word.strip_prefix(name)?.strip_prefix('=')));
            joined.map(str::to_owned).or_else(|| words.get(at? + 1).cloned())
        };
        let folder = value(&["--app-dir", "--chdir", "--pythonpath", "--working-dir"]);
        let is_object = |word: &&String| {
            let Some((module, object)) = word.split_once(':') else { return false };
            let is_name = |text: &str| text.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '.'));
            !module.is_empty()
                && is_name(module)
                && !module.starts_with(|ch: char| ch.is_ascii_digit())
                && object.starts_with(|ch: char| ch.is_alphabetic() || ch == '_')
        };
        let given = words.iter().find(is_object).cloned();
        let bare = || {
            let is_module = |word: &&String| {
                !word.starts_with('-')
                    && word.contains('.')
                    && word.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '.'))
                    && !word.starts_with(|ch: char| ch.is_ascii_digit())
            };
            words
                .iter()
                .find(is_module)
                .cloned()
                .or_else(|| words.last().filter(|word| !word.starts_with('-')).cloned())
        };
        let Some(target) = given.or_else(bare) else { return self.open(words) };
        let (module, object) = module_and_object(&target);
        let (module, object) = (module.to_owned(), object.map(leading_name));
        let before = self.folder.clone();
        if let Some(folder) = folder {
            self.folder = absolute(&self.folder, &folder);
        }
        self.push(Target::Object(module, object), words);
        self.folder = before;
    }

    fn fastapi(&mut self, words: &[String]) {
        let file = words.iter().skip(1).find(|word| word.ends_with(".py")).cloned();
        // Source: fastapi-cli `discover.py`.
        let defaults = ["main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py"];
        let default = || {
            let found = defaults.iter().find(|name| (self.files)(&absolute(&self.folder, name)).is_some());
            found.map(|name| (*name).to_owned())
        };
        match file.or_else(default) {
            Some(file) => self.push_script(&file, words),
            None => self.open(words),
        }
    }

    fn flask(&mut self, words: &[String]) {
        let at = words.iter().position(|word| matches!(word.as_str(), "--app" | "-A"));
        let named = at.and_then(|at| words.get(at + 1).cloned()).or_else(|| (self.environment)("FLASK_APP"));
        let default = || {
            let found = ["wsgi.py", "app.py"].iter().find(|name| (self.files)(&absolute(&self.folder, name)).is_some());
            found.map(|name| (*name).to_owned())
        };
        let Some(named) = named.or_else(default) else { return self.open(words) };
        let (module, object) = module_and_object(&named);
        let object = object.map(leading_name);
        let module = module.strip_suffix(".py").unwrap_or(module).trim_start_matches("./").replace('/', ".");
        self.push(Target::Object(module, object.or(Some("create_app".to_owned()))), words);
    }

    fn celery(&mut self, words: &[String]) {
        let at = words.iter().position(|word| matches!(word.as_str(), "-A" | "--app"));
        let joined = words.iter().find_map(|word| {
            word.strip_prefix("--app=").or_else(|| word.strip_prefix("-A").filter(|rest| !rest.is_empty()))
        });
        let named = joined.map(str::to_owned).or_else(|| words.get(at? + 1).cloned());
        let Some(named) = named else { return self.open(words) };
        let (module, object) = module_and_object(&named);
        let (module, object) = (module.to_owned(), object.map(str::to_owned));
        self.push(Target::Object(format!("{module}.celery"), object.clone()), words);
        self.push(Target::Object(module.clone(), object), words);
        // `-A package.module.app`.
        if let Some((module, object)) = module.rsplit_once('.') {
            self.push(Target::Object(module.to_owned(), Some(object.to_owned())), words);
        }
    }

    fn modules(&mut self, words: &[String]) {
        let named: Vec<String> =
            words.iter().filter(|word| !word.starts_with('-') && *word != "worker").cloned().collect();
        for named in named {
            let (module, object) = module_and_object(&named);
            if module.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '_' | '.')) {
                self.push(Target::Object(module.to_owned(), object.map(str::to_owned)), words);
                if let Some((module, object)) = module.rsplit_once('.') {
                    self.push(Target::Object(module.to_owned(), Some(object.to_owned())), words);
                }
            }
        }
    }

    fn supervisor(&mut self, words: &[String]) {
        let at = words.iter().position(|word| word == "-c");
        let named = at.and_then(|at| words.get(at + 1).cloned());
        let paths =
            ["/etc/supervisord.conf", "/etc/supervisor/supervisord.conf", "/etc/supervisor/conf.d/supervisord.conf"];
        let paths = named.into_iter().chain(paths.iter().map(|path| (*path).to_owned()));
        let text = paths.map(|path| absolute(&self.folder, &path)).find_map(|path| (self.files)(&path));
        let Some(text) = text else { return self.open(words) };
        for line in text.lines() {
            if let Some((key, command)) = line.split_once('=')
                && key.trim() == "command"
            {
                self.script(command.trim());
            }
        }
    }

    fn procfile(&mut self) {
        let text = (self.files)(&absolute(&self.folder, "Procfile"));
        for line in text.unwrap_or_default().lines() {
            if let Some((_, command)) = line.split_once(':') {
                self.script(command.trim());
            }
        }
    }
}

/// The module and the object of it that `module:object` names.
pub fn module_and_object(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(module, object)| (module, Some(object)))
}

/// The name in front of what is called: `create_app` of `create_app()`.
fn leading_name(object: &str) -> String {
    object.chars().take_while(|ch| ch.is_alphanumeric() || *ch == '_').collect()
}

fn is_python(name: &str) -> bool {
    let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    rest.is_some_and(|rest| rest.chars().all(|ch| ch.is_ascii_digit() || ch == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str, files: &[(&str, &str)]) -> Vec<Target> {
        let text = |path: &str| files.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned());
        let commands = [Command::Line(line.to_owned())];
        launches(&commands, "/app", &|_| None, &text).found.into_iter().map(|launch| launch.what).collect()
    }

    fn object(module: &str, name: &str) -> Target {
        Target::Object(module.to_owned(), Some(name.to_owned()))
    }

    #[test]
    fn servers_scripts_and_wrappers_lead_to_python() {
        for (line, target) in [
            ("python -u main.py --x", Target::Script("/app/main.py".to_owned())),
            ("exec python3.11 -m app.worker", Target::Module("app.worker".to_owned())),
            ("uvicorn app.main:app --host 0.0.0.0:80", object("app.main", "app")),
            ("gunicorn -b 0.0.0.0:8000 -w 4 'app:create_app()'", object("app", "create_app")),
            ("tini -- uv run --no-sync python -m uvicorn app:api", object("app", "api")),
            ("conda run -n x --no-capture-output python a.py", Target::Script("/app/a.py".to_owned())),
            ("cd src && poetry run streamlit run ui.py", Target::Script("/app/src/ui.py".to_owned())),
            (
                "alembic upgrade head && fastapi run app/main.py --port 80",
                Target::Script("/app/app/main.py".to_owned()),
            ),
            ("PORT=1 sh -c 'exec python b.py'", Target::Script("/app/b.py".to_owned())),
            ("python manage.py runserver", Target::Open),
        ] {
            assert_eq!(found(line, &[]), [target], "{line}");
        }
    }

    #[test]
    fn scripts_of_the_image_are_read() {
        let files = [
            (
                "/app/start.sh",
                "#!/bin/sh\nset -e\nif [ \"$X\" = 1 ]; then\n  python worker.py\nelse\n  exec uvicorn main:app\nfi\n",
            ),
            ("/app/pyproject.toml", "[project.scripts]\nserve = \"pkg.cli:main\"\n"),
        ];
        assert_eq!(found("./start.sh", &files), [Target::Script("/app/worker.py".to_owned()), object("main", "app")]);
        assert_eq!(found("uv run serve", &files), [object("pkg.cli", "main")]);
    }
}
