//! What `bundle install` reads and writes.
//!
//! Measured with bundler 2.3.15 (its files traced): it looks at Gemfile and gems.rb, their lock file, `.bundle/config`,
//! `.bundle/plugin` and `vendor/cache` in the folder, and at nothing else there that the Gemfile doesn't name. The lock file is
//! rewritten when a platform is missing in it, and stays as it is under `BUNDLE_FROZEN`, `BUNDLE_DEPLOYMENT`, `--frozen` and
//! `--deployment`, which fail without one. `deployment` puts the gems into `vendor/bundle` of the Gemfile's folder unless a path is set;
//! a path that isn't absolute counts from that folder. Options (`--jobs`, `--retry`, `--without`, `--path`, `--frozen`,
//! `--deployment`, `--binstubs`) are written into `.bundle/config` there, or into `BUNDLE_APP_CONFIG`. Gems in `vendor/cache` are used
//! and updated.
//!
//! Read in bundler's manual (bundle-config(1)): local configuration wins over variables, they over global configuration.

mod bundle_config;
mod gemfile;
mod ruby;

use crate::facts::managers::{Call, Verb};
use crate::facts::manifests::command_line::{has, option};
use crate::facts::manifests::paths::{folder, join_within};
use crate::facts::manifests::variables::{Setting, setting};
use crate::facts::manifests::{Above, Files, Install};
use crate::facts::runs::Run;
use crate::shell::Command;
use bundle_config::{Settings, earlier, flags, local_configuration, variables};

/// # Errors
/// Why it can't be told what it reads, or why it needs the sources.
pub fn install(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<Option<Install>, String> {
    if !installs(call, command) {
        return Ok(None);
    }
    if matches!(call.verb_text, "update" | "add") {
        return Err(format!("`bundle {}` changes Gemfile.lock", call.verb_text));
    }
    if has(&["--local", "--prefer-local"], call, command) {
        return Err("it takes gems that are in the image or the sources already".to_owned());
    }
    for flag in ["--binstubs", "--standalone", "--system"] {
        if option(&[flag], call, command, run).is_some() {
            return Err(format!("`{flag}` writes programs or gems that stay beside the sources"));
        }
    }
    let mut found = Install::default();
    let manifest = manifest(call, command, run, files)?;
    let root = folder(&manifest).to_owned();
    let lock = match manifest.strip_suffix("gems.rb") {
        Some(front) => format!("{front}gems.locked"),
        None => format!("{manifest}.lock"),
    };
    let at = |path: &str| join_within(&root, path).ok_or_else(|| format!("{path} lies outside the sources"));

    read_gemfile(&manifest, files, &mut found)?;
    if !files.is_file(&lock) {
        return Err(format!(
            "there is no {lock}, so versions are chosen anew, and one made elsewhere would come with the sources"
        ));
    }
    found.reads.push(lock.clone());
    if run.state.env.open {
        // Version managers put programs in front of bundler that look for these.
        for name in [".ruby-version", ".tool-versions"] {
            let name = at(name)?;
            if files.is_file(&name) && !found.reads.contains(&name) {
                found.reads.push(name);
            }
        }
        found.doubts.push("what the base image sets for bundler isn't known".to_owned());
    }
    if files.is_folder(&at("vendor/cache")?) {
        return Err("gems in vendor/cache are read and updated".to_owned());
    }
    if files.entry(&at(".bundle/plugin")?).is_some() {
        return Err("it has bundler plugins in .bundle".to_owned());
    }
    if !matches!(setting(run, command, "RUBYOPT"), Setting::Unset)
        || !matches!(setting(run, command, "BUNDLE_CACHE_PATH"), Setting::Unset)
    {
        return Err("RUBYOPT or BUNDLE_CACHE_PATH is set".to_owned());
    }

    let mut settings = Settings::default();
    earlier(command, run, files, &mut settings, &mut found)?;
    variables(command, run, &mut settings)?;
    match setting(run, command, "BUNDLE_APP_CONFIG") {
        Setting::Value(place) if place.starts_with('/') => {}
        Setting::Unset => local_configuration(&at(".bundle")?, call, command, files, &mut settings, &mut found)?,
        _ => return Err("BUNDLE_APP_CONFIG can't be told".to_owned()),
    }
    flags(call, command, run, &mut settings)?;

    if !(settings.frozen || settings.deployment) {
        found.rewrites.push(lock);
    }
    let path = settings.path.or_else(|| settings.deployment.then(|| "vendor/bundle".to_owned()));
    let path = match (path, setting(run, command, "GEM_HOME")) {
        (Some(path), _) => Some(at(&path)?),
        (None, Setting::Value(home)) => Some(home),
        (None, Setting::Unset) => None,
        (None, Setting::Unknown) => return Err("GEM_HOME can't be told".to_owned()),
    };
    found.writes.extend(path);
    found.above = Above::Itself;
    Ok(Some(found))
}

/// `bundle`, `bundle install`, and `bundle --jobs 4`, whose number the table takes for a command word.
fn installs(call: &Call, command: &Command) -> bool {
    if has(&["--help", "-h", "--version", "-v", "help"], call, command) {
        return false;
    }
    let options_only = command.words.get(call.arguments).is_none_or(|word| word.raw.starts_with('-'));
    call.verb == Verb::Install || call.verb_text.is_empty() && options_only
}

fn manifest(call: &Call, command: &Command, run: &Run, files: &dyn Files) -> Result<String, String> {
    let named = match option(&["--gemfile"], call, command, run) {
        Some(value) => Some(value.ok_or("its Gemfile can't be told")?),
        None => match setting(run, command, "BUNDLE_GEMFILE") {
            Setting::Value(path) if !path.is_empty() => Some(path),
            Setting::Unknown => return Err("BUNDLE_GEMFILE can't be told".to_owned()),
            _ => None,
        },
    };
    let candidates = named.map_or_else(|| vec!["Gemfile".to_owned(), "gems.rb".to_owned()], |path| vec![path]);
    let candidates: Vec<String> = candidates.iter().filter_map(|path| join_within(".", path)).collect();
    let found: Vec<&String> = candidates.iter().filter(|path| files.entry(path).is_some()).collect();
    match found.as_slice() {
        [path] if files.is_file(path) => Ok((*path).clone()),
        [] => Err(format!("there is no {} in the folder", candidates.join(" or "))),
        [path] => Err(format!("{path} is no plain file")),
        _ => Err("it has both a Gemfile and a gems.rb".to_owned()),
    }
}

fn read_gemfile(path: &str, files: &dyn Files, found: &mut Install) -> Result<(), String> {
    if found.reads.iter().any(|known| known == path) {
        return Ok(());
    }
    let text = files.text(path).ok_or_else(|| format!("{path} can't be read"))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let gemfile = gemfile::read(&text, name)?;
    found.reads.push(path.to_owned());
    let root = folder(path).to_owned();
    let beside = gemfile.beside.iter().map(|file| (file, root.as_str()));
    let working = gemfile.working.iter().map(|file| (file, "."));
    for (file, from) in beside.chain(working) {
        let place = join_within(from, file).filter(|place| files.is_file(place));
        let place = place.ok_or_else(|| format!("{path} reads {file}, which isn't there"))?;
        if !found.reads.contains(&place) {
            found.reads.push(place);
        }
    }
    for other in &gemfile.gemfiles {
        read_gemfile(
            &join_within(&root, other).ok_or_else(|| format!("{other} lies outside the sources"))?,
            files,
            found,
        )?;
    }
    if gemfile.environment {
        found.doubts.push(format!("its {name} asks for environment variables"));
    }
    if gemfile.plugins {
        found.doubts.push(format!("its {name} has plugins, which may read the sources"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::manifests::memory::install as ask;

    const GEMFILE: &str = "source \"https://gems.example\"\nruby file: \".ruby-version\"\n\ngem \"rails\", \"~> 7.1\" # web\n\
        group :development, :test do\n  gem 'debug', platforms: %i[ mri windows ], require: false\nend\n";
    const RUBY: &str = "FROM ruby:3.3\nENV BUNDLE_DEPLOYMENT=1\nWORKDIR /app\n";

    fn tree(gemfile: &str) -> Vec<(&'static str, String)> {
        vec![
            ("Gemfile", gemfile.to_owned()),
            ("Gemfile.lock", "GEM\n".to_owned()),
            (".ruby-version", "3.3.1\n".to_owned()),
        ]
    }

    fn result(dockerfile: &str, files: &[(&str, String)]) -> Result<Option<Install>, String> {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        ask(dockerfile, &files)
    }

    #[test]
    fn a_frozen_install_reads_gemfile_lock_and_the_ruby_version() {
        let found = result(&format!("{RUBY}RUN bundle install --jobs 4"), &tree(GEMFILE)).unwrap().unwrap();
        assert_eq!(found.reads, ["Gemfile", ".ruby-version", "Gemfile.lock"]);
        assert_eq!((found.writes, found.rewrites), (vec!["vendor/bundle".to_owned()], vec![]));
        assert_eq!((found.above, found.doubts), (Above::Itself, vec![]));
    }

    #[test]
    fn a_lock_file_that_is_not_frozen_may_be_rewritten() {
        let found = result("FROM ruby:3.3\nRUN bundle install", &tree(GEMFILE)).unwrap().unwrap();
        assert_eq!(
            (found.rewrites, found.writes),
            (vec!["Gemfile.lock".to_owned()], vec!["/usr/local/bundle".to_owned()])
        );
        let found = result("FROM ruby:3.3\nENV BUNDLE_FROZEN=0\nRUN bundle", &tree(GEMFILE)).unwrap().unwrap();
        assert_eq!(found.rewrites, ["Gemfile.lock"]);
    }

    #[test]
    fn earlier_configuration_counts() {
        let config =
            "FROM ruby:3.3\nRUN bundle config set --local frozen true && bundle config path /gems\nRUN bundle install";
        let found = result(config, &tree(GEMFILE)).unwrap().unwrap();
        assert_eq!((found.rewrites, found.writes), (vec![], vec!["/gems".to_owned()]));
        let taken_back = "FROM ruby:3.3\nRUN bundle config unset frozen; bundle install";
        assert!(result(taken_back, &tree(GEMFILE)).is_err());
        let locks = "FROM ruby:3.3\nRUN bundle lock --add-platform x86_64-linux && bundle install";
        assert!(result(locks, &tree(GEMFILE)).unwrap_err().contains("bundle lock"));
    }

    #[test]
    fn an_unknown_base_may_keep_its_configuration_beside_the_sources() {
        let found = result("FROM example/ruby\nRUN bundle install --deployment", &tree("gem 'a'\n")).unwrap().unwrap();
        assert_eq!(found.writes, [".bundle", "vendor/bundle"]);
        assert_eq!(found.reads, ["Gemfile", "Gemfile.lock", ".ruby-version"]);
        assert_eq!(found.doubts.len(), 1);
    }

    #[test]
    fn a_gemfile_elsewhere_takes_its_folder_along() {
        let files = [("web/Gemfile", "gem 'a'\n".to_owned()), ("web/Gemfile.lock", String::new())];
        for how in ["bundle install --gemfile=web/Gemfile", "BUNDLE_GEMFILE=./web/Gemfile bundle"] {
            let found = result(&format!("{RUBY}RUN {how}"), &files).unwrap().unwrap();
            assert_eq!(
                (found.reads, found.writes),
                (vec!["web/Gemfile".to_owned(), "web/Gemfile.lock".to_owned()], vec!["web/vendor/bundle".to_owned()])
            );
        }
    }

    #[test]
    fn what_needs_the_sources_is_refused_by_name() {
        let refused = |gemfile: &str| result(&format!("{RUBY}RUN bundle install"), &tree(gemfile)).unwrap_err();
        for (gemfile, named) in [
            ("gemspec\n", "gemspec"),
            ("gem 'a', path: 'engines/a'\n", "folder of the sources"),
            ("gem 'a', :path => 'engines/a'\n", "folder of the sources"),
            ("gem 'a', 'path' => 'engines/a'\n", "folder of the sources"),
            ("path 'engines' do\n  gem 'a'\nend\n", "folder of the sources"),
            ("gem 'a', git: '../a'\n", "../a"),
            ("require_relative 'lib/x'\n", "require_relative"),
            ("Dir.glob('g/*.rb') { |f| eval_gemfile f }\n", "Dir"),
            ("gem 'a', File.exist?('x') ? '1' : '2'\n", "File"),
            ("gem 'a', `cat VERSION`\n", "a command"),
            ("eval_gemfile \"Gemfile.#{ENV['X']}\"\n", "eval_gemfile"),
            ("instance_eval File.read('more')\n", "instance_eval"),
            ("source 'file:///gems'\n", "file:///gems"),
        ] {
            assert!(refused(gemfile).contains(named), "{gemfile}: {}", refused(gemfile));
        }
    }

    #[test]
    fn ordinary_ruby_is_let_through() {
        for gemfile in [
            "git_source(:github) { |repo| \"https://git.example/#{repo}.git\" }\ngem 'a', github: 'o/a', branch: 'main'\n",
            "ruby File.read('.ruby-version').strip\n",
            "ruby File.read(File.join(__dir__, '.ruby-version')).chomp\n",
            "gem 'a', '1' if RUBY_PLATFORM =~ /darwin|linux/i\n",
            "version = '1.2'\ngem 'a', version, require: %w(a b)\n__END__\nDir.glob\n",
            "gem 'wdm', '>= 0.1.0' if Gem.win_platform?\n",
            "install_if -> { RUBY_PLATFORM =~ %r!mingw! } do\nend\n".replace("%r!mingw!", "/mingw/").as_str(),
            "source 'https://g.example' do\n  gem 'a', '~> 1', '>= 1.2'\nend\n",
        ] {
            let found = result(&format!("{RUBY}RUN bundle install"), &tree(gemfile));
            assert!(found.is_ok_and(|found| found.is_some()), "{gemfile}");
        }
    }

    #[test]
    fn other_gemfiles_come_along() {
        let mut files = tree("eval_gemfile 'gems/dev.rb'\ngem 'a', ENV.fetch('A', '1')\n");
        files.push(("gems/dev.rb", "gem 'b'\n".to_owned()));
        let found = result(&format!("{RUBY}RUN bundle install"), &files).unwrap().unwrap();
        assert_eq!(found.reads, ["Gemfile", "gems/dev.rb", "Gemfile.lock"]);
        assert_eq!(found.doubts, ["its Gemfile asks for environment variables"]);
    }

    #[test]
    fn places_that_bundler_fills_beside_the_sources_are_refused_or_told() {
        let mut vendored = tree("gem 'a'\n");
        vendored.push(("vendor/cache/a-1.gem", String::new()));
        assert!(result(&format!("{RUBY}RUN bundle install"), &vendored).is_err());
        assert!(result(&format!("{RUBY}RUN bundle install --binstubs"), &tree("gem 'a'\n")).is_err());
        assert!(result(&format!("{RUBY}RUN bundle install"), &[("Gemfile", "gem 'a'\n".to_owned())]).is_err());
        assert_eq!(result(&format!("{RUBY}RUN bundle exec rake"), &tree("gem 'a'\n")), Ok(None));
    }
}
