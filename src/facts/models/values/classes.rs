//! Members of classes and their instances: fields of settings and data classes, properties, what methods assign.

use super::calls::is_field;
use super::{Evaluator, Given, Text, Value, of_data, raise};
use crate::facts::models::data::DataKind;
use crate::facts::models::scopes::{Place, ScopeId, ScopeKind};
use crate::python::{Call, Expression, ExpressionKind, StatementKind};

/// What a class's fields are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Constructor arguments and defaults.
    Record,
    /// The environment first. Source: pydantic-settings, "Field value priority".
    Settings,
}

impl<'p> Evaluator<'p> {
    /// A class and those of the program that it is built on, nearest first.
    pub fn ancestry(&self, class: ScopeId) -> Vec<ScopeId> {
        if let Some(known) = self.ancestries.borrow().get(&class) {
            return known.clone();
        }
        let mut all = vec![class];
        let mut at = 0;
        while at < all.len() {
            for base in self.bases(all[at]) {
                if let Value::Class(base) = base
                    && !all.contains(&base)
                {
                    all.push(base);
                }
            }
            at += 1;
        }
        self.ancestries.borrow_mut().insert(class, all.clone());
        all
    }

    fn bases(&self, class: ScopeId) -> Vec<Value<'p>> {
        let ScopeKind::Class(definition) = self.scopes.all[class].kind else { return Vec::new() };
        let scope = self.scopes.all[class].parent.unwrap_or(class);
        definition.bases.iter().flat_map(|base| self.values(Place { scope, expression: base })).collect()
    }

    /// The things of libraries that a class is built on.
    pub fn library_bases(&self, class: ScopeId) -> Vec<String> {
        let bases = self.ancestry(class).into_iter().flat_map(|class| self.bases(class));
        bases
            .filter_map(|base| match base {
                Value::External(name) => Some(name),
                _ => None,
            })
            .collect()
    }

    /// Whether its members are texts that stand for themselves.
    pub(super) fn is_enumeration(&self, class: ScopeId) -> bool {
        self.library_bases(class).iter().any(|base| base.starts_with("enum."))
    }

    fn kind(&self, class: ScopeId) -> Kind {
        let bases = self.library_bases(class);
        if bases.iter().any(|base| base.ends_with("BaseSettings")) {
            return Kind::Settings;
        }
        let is_record = |base: &String| {
            let last = base.trim_end_matches("[]").rsplit('.').next().unwrap_or(base);
            matches!(last, "BaseModel" | "NamedTuple" | "TypedDict" | "SQLModel")
        };
        let is_decorated = self.ancestry(class).into_iter().any(|class| match self.scopes.all[class].kind {
            ScopeKind::Class(definition) => definition.decorators.iter().any(|decorator| {
                let name = decorator.last_name().or_else(|| decorator.call()?.function.last_name());
                matches!(name, Some("dataclass" | "define" | "attrs" | "s" | "frozen" | "mutable"))
            }),
            _ => false,
        });
        if is_decorated || bases.iter().any(is_record) { Kind::Record } else { Kind::Plain }
    }

    /// A member of a class or of its instances.
    pub(super) fn member(&self, class: ScopeId, name: &str) -> Vec<Value<'p>> {
        let kind = self.kind(class);
        let family = self.ancestry(class);
        for owner in &family {
            let scope = &self.scopes.all[*owner];
            let field = scope.fields.iter().rev().find(|(field, ..)| *field == name);
            if kind != Kind::Plain
                && let Some((_, annotation, value)) = field
            {
                return self.field(class, kind, name, *owner, annotation, *value);
            }
            if kind == Kind::Settings
                && field.is_none()
                && scope.bindings.contains_key(name)
                && !self.is_method(*owner, name)
                && let Some(found) = self.of_environment(class, name, None)
            {
                return found;
            }
            let mut found = Vec::new();
            if let Some(assigned) = scope.members.get(name) {
                let assigned = self.in_order(assigned);
                found.extend(
                    assigned.into_iter().flat_map(|(scope, value)| self.values(Place { scope, expression: value })),
                );
                raise(&mut found, Given::Constant);
            }
            if scope.bindings.contains_key(name) {
                for value in self.bound(*owner, name, None) {
                    match value {
                        Value::Function(function) if self.is_property(function) => {
                            found.extend(self.returns_of(function))
                        }
                        other => found.push(other),
                    }
                }
            }
            // `x = None` of the class or of `__init__` gives way to what is assigned later.
            if found.len() > 1 {
                found.retain(|value| !matches!(value, Value::None));
            }
            if !found.is_empty() {
                return found;
            }
            if let Some((_, annotation, None)) = field {
                return self.annotated(*owner, annotation);
            }
        }
        // What a class of a library has is that library's.
        match self.library_bases(class).first() {
            Some(base) if kind == Kind::Plain => vec![Value::External(format!("{base}().{name}"))],
            _ => vec![Value::Unknown(format!("{name} is not found"))],
        }
    }

    /// What methods assign to a member: those that are run, and not where a test says otherwise.
    fn in_order(&self, assigned: &[(ScopeId, &'p Expression)]) -> Vec<(ScopeId, &'p Expression)> {
        let live = self.live.borrow();
        let is_live = |scope: ScopeId| live.as_ref().is_none_or(|live| live.contains(&scope));
        let held = assigned.iter().filter(|(scope, value)| {
            is_live(self.scopes.statements_around(*scope))
                && (assigned.len() == 1 || self.excluded(*scope, value.offset).is_none())
        });
        held.copied().collect()
    }

    fn is_property(&self, function: ScopeId) -> bool {
        match self.scopes.all[function].kind {
            ScopeKind::Function(definition) => definition.decorators.iter().any(|decorator| {
                matches!(
                    decorator.last_name(),
                    Some("property" | "cached_property" | "computed_field" | "lazy_property")
                )
            }),
            _ => false,
        }
    }

    fn is_method(&self, class: ScopeId, name: &str) -> bool {
        use crate::facts::models::scopes::What;
        let bindings = self.scopes.all[class].bindings.get(name);
        bindings.is_some_and(|bindings| {
            bindings.iter().any(|binding| matches!(binding.what, What::Function(_) | What::Class(_)))
        })
    }

    /// A field of settings or of a data class.
    fn field(
        &self,
        class: ScopeId,
        kind: Kind,
        name: &str,
        owner: ScopeId,
        annotation: &'p Expression,
        value: Option<&'p Expression>,
    ) -> Vec<Value<'p>> {
        let description = value.and_then(|value| {
            let call = value.call()?;
            let callee = self.values(Place { scope: owner, expression: &call.function });
            matches!(callee.as_slice(), [Value::External(name)] if is_field(name)).then_some(call)
        });
        let is_bool = annotation.name() == Some("bool");
        if kind == Kind::Settings
            && let Some(mut found) = self.of_environment(class, name, description.map(|call| (owner, call)))
        {
            if is_bool {
                found.iter_mut().for_each(as_bool);
            }
            return found;
        }
        if kind == Kind::Record
            && let Some(found) = self.of_holders(class, name)
        {
            return found;
        }
        // What calls of the class give.
        let position = (kind == Kind::Record
            && !self.library_bases(class).iter().any(|base| base.ends_with("BaseModel")))
        .then(|| self.scopes.all[owner].fields.iter().position(|(field, ..)| *field == name))
        .flatten();
        let mut values = Vec::new();
        let mut is_left_out = false;
        let mut is_made = false;
        let calls: Vec<Place<'p>> = self.class_names(class).iter().flat_map(|name| self.calls_of(name)).collect();
        for place in calls {
            let Some(call) = place.expression.call() else { continue };
            let callee = self.values(Place { scope: place.scope, expression: &call.function });
            if !matches!(callee.as_slice(), [Value::Class(other)] if *other == class) {
                continue;
            }
            is_made = true;
            match call.argument(name, position) {
                Some(argument) => values.extend(self.values(Place { scope: place.scope, expression: argument })),
                None => match self.spread(place, name) {
                    Some(more) => values.extend(more),
                    None => is_left_out = true,
                },
            }
        }
        if is_left_out || !is_made {
            let default = match (description, value) {
                (Some(call), _) => {
                    self.field_default(Place { scope: owner, expression: value.unwrap_or(annotation) }, call)
                }
                (None, Some(value)) => Some(self.values(Place { scope: owner, expression: value })),
                (None, None) => None,
            };
            let given = if kind == Kind::Settings { Given::SettingsDefault } else { Given::DataclassDefault };
            let mut default = default.unwrap_or_else(|| self.annotated(owner, annotation));
            raise(&mut default, given);
            if kind == Kind::Settings {
                let variables = self.variables_of(class, name, description.map(|call| (owner, call)));
                for value in &mut default {
                    if let Value::Text(text) = value {
                        text.variable = variables.first().cloned();
                    }
                }
            }
            values.extend(default);
        }
        values
    }

    /// A variable that settings hand down to a field of one of their fields: `EMBEDDING__MODEL`.
    ///
    /// Source: pydantic-settings, "Parsing environment variable values", `env_nested_delimiter`.
    fn of_holders(&self, class: ScopeId, name: &str) -> Option<Vec<Value<'p>>> {
        let holders = (0..self.scopes.all.len()).filter(|holder| {
            matches!(self.scopes.all[*holder].kind, ScopeKind::Class(_)) && !self.scopes.all[*holder].fields.is_empty()
        });
        for holder in holders {
            let has_it = |annotation: &'p Expression| {
                let values = self.values(Place { scope: holder, expression: annotation });
                matches!(values.as_slice(), [Value::Class(held)] if *held == class)
            };
            for (field, annotation, _) in &self.scopes.all[holder].fields {
                if holder == class || !has_it(annotation) || self.kind(holder) != Kind::Settings {
                    continue;
                }
                let Some(delimiter) = self.configured(holder, "env_nested_delimiter") else { continue };
                let prefix = self.configured(holder, "env_prefix").unwrap_or_default();
                let variable = format!("{prefix}{field}{delimiter}{name}");
                let set = self.around.environment.keys().find(|known| known.eq_ignore_ascii_case(&variable));
                if let Some(set) = set {
                    return Some(self.variable(set, None));
                }
            }
        }
        None
    }

    /// An instance of the class that a type names.
    fn annotated(&self, scope: ScopeId, annotation: &'p Expression) -> Vec<Value<'p>> {
        match self.values(Place { scope, expression: annotation }).as_slice() {
            [Value::Class(class)] => vec![Value::Instance(*class)],
            _ => vec![Value::Unknown("a field without a value".to_owned())],
        }
    }

    /// The variables that a field of settings is read from.
    fn variables_of(&self, class: ScopeId, name: &str, description: Option<(ScopeId, &'p Call)>) -> Vec<String> {
        if let Some((owner, call)) = description {
            let mut found = Vec::new();
            for key in ["validation_alias", "alias", "env"] {
                let Some(alias) = call.keyword(key) else { continue };
                let here = |expression: &'p Expression| self.values(Place { scope: owner, expression });
                match &alias.kind {
                    ExpressionKind::Call(choices) => found.extend(choices.arguments.iter().flat_map(here)),
                    ExpressionKind::Sequence(items) => found.extend(items.iter().flat_map(here)),
                    _ => found.extend(here(alias)),
                }
            }
            let found: Vec<String> = found
                .into_iter()
                .filter_map(|value| match value {
                    Value::Text(Text { value, .. }) => Some(value),
                    _ => None,
                })
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        vec![format!("{}{name}", self.configured(class, "env_prefix").unwrap_or_default())]
    }

    /// A text of `model_config = SettingsConfigDict(…)`, of a dictionary there, or of `class Config`.
    fn configured(&self, class: ScopeId, key: &str) -> Option<String> {
        for owner in self.ancestry(class) {
            let ScopeKind::Class(definition) = self.scopes.all[owner].kind else { continue };
            for statement in &definition.body {
                let found = match &statement.kind {
                    StatementKind::Assign { targets, value }
                        if targets.iter().any(|target| target.name() == Some("model_config")) =>
                    {
                        match &value.kind {
                            ExpressionKind::Call(call) => call.keyword(key),
                            ExpressionKind::Dict(pairs) => {
                                let is_it = |known: &&(Option<Expression>, Expression)| {
                                    known.0.as_ref().and_then(Expression::text) == Some(key)
                                };
                                pairs.iter().find(is_it).map(|(_, value)| value)
                            }
                            _ => None,
                        }
                    }
                    StatementKind::Class(inner) if inner.name == "Config" => {
                        inner.body.iter().find_map(|statement| match &statement.kind {
                            StatementKind::Assign { targets, value }
                                if targets.iter().any(|target| target.name() == Some(key)) =>
                            {
                                Some(value)
                            }
                            _ => None,
                        })
                    }
                    _ => None,
                };
                if let Some(value) = found {
                    return super::only_text(&self.values(Place { scope: owner, expression: value }))
                        .map(|text| text.value.clone());
                }
            }
        }
        None
    }

    fn of_environment(
        &self,
        class: ScopeId,
        name: &str,
        description: Option<(ScopeId, &'p Call)>,
    ) -> Option<Vec<Value<'p>>> {
        let variables = self.variables_of(class, name, description);
        for variable in &variables {
            let set = self.around.environment.keys().find(|known| known.eq_ignore_ascii_case(variable));
            if let Some(set) = set {
                return Some(self.variable(set, None));
            }
            if let Some(found) = self.of_dotenv(false, |known| known.eq_ignore_ascii_case(variable)) {
                return Some(vec![found]);
            }
        }
        let file = self.configured(class, "env_file").and_then(|path| self.configuration(&path))?;
        let DataKind::Map(pairs) = &file.kind else { return None };
        for variable in &variables {
            if let Some((_, data)) = pairs.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(variable)) {
                let mut found = vec![of_data(data.clone())];
                raise(&mut found, Given::EnvFile);
                return Some(found);
            }
        }
        None
    }
}

/// Reads a text as pydantic reads a truth value.
fn as_bool(value: &mut Value<'_>) {
    if let Value::Text(text) = value {
        match text.value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => *value = Value::Bool(true),
            "false" | "0" | "no" | "off" | "f" | "n" => *value = Value::Bool(false),
            _ => {}
        }
    }
}
