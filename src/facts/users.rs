//! Users: who a RUN runs as, and the users that earlier RUNs create.

use crate::shell::Command;

/// A user as far as the Dockerfile and the table of base images tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// As written in USER, without the group.
    pub name: String,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub home: Option<String>,
}

impl User {
    pub fn root() -> Self {
        Self { name: "root".to_owned(), uid: Some(0), gid: Some(0), home: Some("/root".to_owned()) }
    }

    pub fn is_root(&self) -> bool {
        self.uid == Some(0)
    }

    /// The user of `USER name[:group]`, looked up among `known`. A bare number has a uid and no home.
    pub fn named(argument: &str, known: &[User]) -> Self {
        let (name, group) = argument.split_once(':').map_or((argument, None), |(name, group)| (name, Some(group)));
        let number = name.parse::<u32>().ok();
        let found = known.iter().rev().find(|user| match number {
            Some(uid) => user.uid == Some(uid),
            None => user.name == name,
        });
        let mut user = match (found, number) {
            (Some(user), _) => user.clone(),
            (None, _) if name == "root" || number == Some(0) => Self::root(),
            (None, uid) => Self { name: name.to_owned(), uid, gid: None, home: None },
        };
        if let Some(group) = group {
            user.gid = group.parse().ok();
        }
        user
    }
}

/// The user that `useradd` or `adduser` creates, with what its options and their defaults tell.
pub fn created(command: &Command) -> Option<User> {
    let name = command.name()?;
    if !matches!(name, "useradd" | "adduser") {
        return None;
    }
    let (mut uid, mut gid, mut home, mut no_home, mut system) = (None, None, None, false, false);
    let mut operands = Vec::new();
    let mut words = command.arguments().iter();
    while let Some(word) = words.next() {
        let Some(value) = word.value.as_deref() else {
            operands.push(None);
            continue;
        };
        let (option, inline) = value.split_once('=').map_or((value, None), |(option, inline)| (option, Some(inline)));
        let mut argument = || inline.map(str::to_owned).or_else(|| words.next().and_then(|word| word.value.clone()));
        match option {
            "-u" | "--uid" => uid = argument().and_then(|uid| uid.parse().ok()),
            "-g" | "--gid" => gid = argument().and_then(|gid| gid.parse().ok()),
            "-G" if name == "adduser" => drop(argument()),
            "-d" | "--home" | "--home-dir" => home = argument(),
            "-h" if name == "adduser" => home = argument(),
            "-s" | "--shell" | "-c" | "--comment" | "--gecos" | "-G" | "--groups" | "--ingroup" | "-b" | "-p"
            | "--password" | "-K" | "-k" | "-e" | "-f" => drop(argument()),
            "-M" | "--no-create-home" => no_home = true,
            "-H" if name == "adduser" => no_home = true,
            "-S" | "--system" => system = true,
            "-r" if name == "useradd" => system = true,
            _ if option.starts_with('-') && !option.starts_with("--") && option.len() > 2 => {
                // Bundled short options such as `-mu 1000` and `-ms /bin/bash`: the last one takes the value.
                no_home |= option.contains('M');
                match option.chars().last() {
                    Some('u') => uid = argument().and_then(|uid| uid.parse().ok()),
                    Some('g') => gid = argument().and_then(|gid| gid.parse().ok()),
                    Some('d') => home = argument(),
                    Some('s' | 'c' | 'G' | 'p') => drop(argument()),
                    _ => {}
                }
            }
            _ if option.starts_with('-') => {}
            _ => operands.push(Some(value.to_owned())),
        }
    }
    let login = if name == "useradd" { operands.last() } else { operands.first() };
    let login = login.cloned().flatten()?;
    // System accounts differ between distributions in whether and where they have a home.
    let home = match home {
        Some(home) => Some(home),
        None if no_home || system => None,
        None => Some(format!("/home/{login}")),
    };
    Some(User { name: login, uid, gid, home })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> User {
        created(&crate::shell::parse(text, false).unwrap().commands[0]).unwrap()
    }

    #[test]
    fn options_of_useradd_and_adduser_are_read() {
        let app = user("useradd -m -u 1000 -s /bin/bash app");
        assert_eq!((app.uid, app.home.as_deref()), (Some(1000), Some("/home/app")));
        let app = user("adduser -D -u 1001 -h /srv app");
        assert_eq!((app.uid, app.home.as_deref()), (Some(1001), Some("/srv")));
        let app = user("useradd --uid=1002 --gid 5 --create-home app");
        assert_eq!((app.uid, app.gid), (Some(1002), Some(5)));
        let app = user("useradd -ms /bin/bash app");
        assert_eq!((app.name.as_str(), app.uid), ("app", None));
    }

    #[test]
    fn a_number_without_an_entry_has_no_home() {
        let user = User::named("1000:100", &[]);
        assert_eq!((user.uid, user.gid, user.home), (Some(1000), Some(100), None));
        assert!(User::named("root", &[]).is_root());
        assert_eq!(User::named("app", &[]).uid, None);
    }
}
