//! From ruff's tree to ours.

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::Ranged;

use super::{
    Block, Call, Class, Comparison, Expression, ExpressionKind, Function, Generator, Imported, Parameter,
    ParameterKind, Statement, StatementKind, SyntaxError,
};

/// Reads a file.
///
/// # Errors
/// What is no Python 3.
pub fn read(text: &str) -> Result<Block, SyntaxError> {
    let parsed = ruff_python_parser::parse_module(text)
        .map_err(|error| SyntaxError { offset: error.location.start().to_usize(), message: error.error.to_string() })?;
    Ok(block(&parsed.into_syntax().body))
}

fn block(body: &[Stmt]) -> Block {
    body.iter().map(statement).collect()
}

/// What a case tests; nothing where it takes everything.
fn case_test(subject: &Expr, case: &ast::MatchCase) -> Option<Expression> {
    use ast::Pattern;
    fn values<'a>(pattern: &'a Pattern, found: &mut Vec<&'a Expr>) -> bool {
        match pattern {
            Pattern::MatchValue(value) => found.push(&value.value),
            Pattern::MatchOr(either) => return either.patterns.iter().all(|pattern| values(pattern, found)),
            _ => return false,
        }
        true
    }
    let offset = case.pattern.start().to_usize();
    let other = || ExpressionKind::Other(case.guard.iter().map(|guard| expression(guard)).collect());
    let mut found = Vec::new();
    let takes_all = matches!(&case.pattern, Pattern::MatchAs(pattern) if pattern.pattern.is_none());
    let kind = if takes_all && case.guard.is_none() {
        return None;
    } else if case.guard.is_none() && values(&case.pattern, &mut found) {
        let items = ExpressionKind::Sequence(found.into_iter().map(expression).collect());
        ExpressionKind::Compare {
            left: Box::new(expression(subject)),
            operator: Comparison::In,
            right: Box::new(Expression { offset, kind: items }),
        }
    } else {
        other()
    };
    Some(Expression { offset, kind })
}

fn statement(statement: &Stmt) -> Statement {
    use StatementKind as Kind;
    let kind = match statement {
        Stmt::Import(import) => Kind::Import(import.names.iter().map(imported).collect()),
        Stmt::ImportFrom(import) => Kind::ImportFrom {
            module: import.module.as_ref().map(ToString::to_string),
            level: import.level,
            names: import.names.iter().map(imported).collect(),
        },
        Stmt::Assign(assign) => {
            Kind::Assign { targets: assign.targets.iter().map(expression).collect(), value: expression(&assign.value) }
        }
        Stmt::AnnAssign(assign) => Kind::Annotated {
            target: expression(&assign.target),
            annotation: expression(&assign.annotation),
            value: assign.value.as_deref().map(expression),
        },
        Stmt::AugAssign(assign) => {
            Kind::Augmented { target: expression(&assign.target), value: expression(&assign.value) }
        }
        Stmt::FunctionDef(function) => Kind::Function(Box::new(Function {
            name: function.name.to_string(),
            decorators: function.decorator_list.iter().map(|decorator| expression(&decorator.expression)).collect(),
            parameters: parameters(&function.parameters),
            body: block(&function.body),
        })),
        Stmt::ClassDef(class) => {
            let arguments = class.arguments.as_deref();
            Kind::Class(Box::new(Class {
                name: class.name.to_string(),
                decorators: class.decorator_list.iter().map(|decorator| expression(&decorator.expression)).collect(),
                bases: arguments.map_or(&[][..], |arguments| &arguments.args).iter().map(expression).collect(),
                keywords: arguments.map_or(&[][..], |arguments| &arguments.keywords).iter().map(keyword).collect(),
                body: block(&class.body),
            }))
        }
        Stmt::Return(value) => Kind::Return(value.value.as_deref().map(expression)),
        Stmt::Expr(value) => Kind::Expression(expression(&value.value)),
        Stmt::If(branches) => {
            let mut all = vec![(Some(expression(&branches.test)), block(&branches.body))];
            let rest = branches.elif_else_clauses.iter();
            all.extend(rest.map(|clause| (clause.test.as_ref().map(expression), block(&clause.body))));
            Kind::If(all)
        }
        Stmt::For(each) => Kind::Loop {
            target: Some(expression(&each.target)),
            source: expression(&each.iter),
            body: block(&each.body),
            orelse: block(&each.orelse),
        },
        Stmt::While(each) => Kind::Loop {
            target: None,
            source: expression(&each.test),
            body: block(&each.body),
            orelse: block(&each.orelse),
        },
        Stmt::With(with) => Kind::With {
            items: with
                .items
                .iter()
                .map(|item| (expression(&item.context_expr), item.optional_vars.as_deref().map(expression)))
                .collect(),
            body: block(&with.body),
        },
        Stmt::Try(attempt) => Kind::Try {
            body: block(&attempt.body),
            handlers: attempt
                .handlers
                .iter()
                .map(|handler| {
                    let ast::ExceptHandler::ExceptHandler(handler) = handler;
                    (handler.type_.as_deref().map(expression), block(&handler.body))
                })
                .collect(),
            orelse: block(&attempt.orelse),
            finally: block(&attempt.finalbody),
        },
        // The same as a chain of `if`: `case "a" | "b"` tests `subject in ("a", "b")`.
        Stmt::Match(matched) => {
            Kind::If(matched.cases.iter().map(|case| (case_test(&matched.subject, case), block(&case.body))).collect())
        }
        Stmt::Raise(raise) => {
            Kind::Leave(raise.exc.iter().chain(&raise.cause).map(|value| expression(value)).collect())
        }
        Stmt::Break(_) | Stmt::Continue(_) => Kind::Leave(Vec::new()),
        Stmt::Assert(assert) => {
            Kind::Other(std::iter::once(&assert.test).chain(assert.msg.iter()).map(|value| expression(value)).collect())
        }
        Stmt::Delete(delete) => Kind::Other(delete.targets.iter().map(expression).collect()),
        Stmt::TypeAlias(_) | Stmt::Global(_) | Stmt::Nonlocal(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => {
            Kind::Other(Vec::new())
        }
    };
    Statement { offset: statement.start().to_usize(), kind }
}

fn imported(alias: &ast::Alias) -> Imported {
    Imported { name: alias.name.to_string(), alias: alias.asname.as_ref().map(ToString::to_string) }
}

fn keyword(keyword: &ast::Keyword) -> (Option<String>, Expression) {
    (keyword.arg.as_ref().map(ToString::to_string), expression(&keyword.value))
}

fn parameters(parameters: &ast::Parameters) -> Vec<Parameter> {
    let each = |given: &ast::ParameterWithDefault, kind| Parameter {
        name: given.parameter.name.to_string(),
        kind,
        annotation: given.parameter.annotation.as_deref().map(expression),
        default: given.default.as_deref().map(expression),
    };
    let rest = |given: &ast::Parameter| Parameter {
        name: given.name.to_string(),
        kind: ParameterKind::Rest,
        annotation: None,
        default: None,
    };
    let positional = parameters.posonlyargs.iter().chain(&parameters.args);
    let mut all: Vec<Parameter> = positional.map(|given| each(given, ParameterKind::Positional)).collect();
    all.extend(parameters.vararg.as_deref().map(rest));
    all.extend(parameters.kwonlyargs.iter().map(|given| each(given, ParameterKind::KeywordOnly)));
    all.extend(parameters.kwarg.as_deref().map(rest));
    all
}

fn boxed(value: &Expr) -> Box<Expression> {
    Box::new(expression(value))
}

fn expression(value: &Expr) -> Expression {
    use ExpressionKind as Kind;
    let all = |items: &[Expr]| items.iter().map(expression).collect::<Vec<_>>();
    let kind = match value {
        Expr::StringLiteral(text) => Kind::Text(text.value.to_str().to_owned()),
        Expr::FString(format) => Kind::Format(format.value.iter().flat_map(format_part).collect()),
        Expr::NumberLiteral(number) => Kind::Number(match &number.value {
            ast::Number::Int(value) => value.as_u64().and_then(|value| value.try_into().ok()),
            _ => None,
        }),
        Expr::BooleanLiteral(value) => Kind::Bool(value.value),
        Expr::NoneLiteral(_) => Kind::None,
        Expr::Name(name) => Kind::Name(name.id.to_string()),
        Expr::Attribute(attribute) => Kind::Attribute(boxed(&attribute.value), attribute.attr.to_string()),
        Expr::Call(call) => Kind::Call(Box::new(Call {
            function: expression(&call.func),
            arguments: all(&call.arguments.args),
            keywords: call.arguments.keywords.iter().map(keyword).collect(),
        })),
        Expr::Subscript(subscript) => Kind::Subscript(boxed(&subscript.value), boxed(&subscript.slice)),
        Expr::List(items) => Kind::Sequence(all(&items.elts)),
        Expr::Tuple(items) => Kind::Sequence(all(&items.elts)),
        Expr::Set(items) => Kind::Sequence(all(&items.elts)),
        Expr::Dict(dict) => Kind::Dict(
            dict.items.iter().map(|item| (item.key.as_ref().map(expression), expression(&item.value))).collect(),
        ),
        Expr::BoolOp(operation) => match operation.op {
            ast::BoolOp::Or => Kind::Or(all(&operation.values)),
            ast::BoolOp::And => Kind::And(all(&operation.values)),
        },
        Expr::UnaryOp(operation) if operation.op == ast::UnaryOp::Not => Kind::Not(boxed(&operation.operand)),
        Expr::UnaryOp(operation) => Kind::Other(vec![expression(&operation.operand)]),
        Expr::BinOp(operation) => match operation.op {
            ast::Operator::Add => Kind::Add(boxed(&operation.left), boxed(&operation.right)),
            ast::Operator::Div => Kind::Divide(boxed(&operation.left), boxed(&operation.right)),
            _ => Kind::Other(vec![expression(&operation.left), expression(&operation.right)]),
        },
        Expr::Compare(compare) => match (&*compare.ops, &*compare.comparators) {
            ([operator], [right]) => Kind::Compare {
                left: boxed(&compare.left),
                operator: match operator {
                    ast::CmpOp::Eq => Comparison::Equal,
                    ast::CmpOp::NotEq => Comparison::NotEqual,
                    ast::CmpOp::In => Comparison::In,
                    ast::CmpOp::NotIn => Comparison::NotIn,
                    ast::CmpOp::Is => Comparison::Is,
                    ast::CmpOp::IsNot => Comparison::IsNot,
                    _ => Comparison::Other,
                },
                right: boxed(right),
            },
            (_, others) => {
                Kind::Other(std::iter::once(expression(&compare.left)).chain(others.iter().map(expression)).collect())
            }
        },
        Expr::If(choice) => {
            Kind::Conditional { test: boxed(&choice.test), body: boxed(&choice.body), orelse: boxed(&choice.orelse) }
        }
        Expr::Lambda(lambda) => Kind::Lambda {
            parameters: lambda.parameters.as_deref().map_or_else(Vec::new, parameters),
            body: boxed(&lambda.body),
        },
        Expr::Named(named) => match &*named.target {
            Expr::Name(name) => Kind::Named(name.id.to_string(), boxed(&named.value)),
            _ => Kind::Other(vec![expression(&named.value)]),
        },
        Expr::Await(awaited) => Kind::Await(boxed(&awaited.value)),
        Expr::Starred(starred) => Kind::Starred(boxed(&starred.value)),
        Expr::ListComp(each) => comprehension(vec![expression(&each.elt)], &each.generators),
        Expr::SetComp(each) => comprehension(vec![expression(&each.elt)], &each.generators),
        Expr::Generator(each) => comprehension(vec![expression(&each.elt)], &each.generators),
        Expr::DictComp(each) => {
            let elements = each.key.as_deref().into_iter().chain([&*each.value]).map(expression);
            comprehension(elements.collect(), &each.generators)
        }
        Expr::Yield(value) => Kind::Other(value.value.iter().map(|value| expression(value)).collect()),
        Expr::YieldFrom(value) => Kind::Other(vec![expression(&value.value)]),
        Expr::Slice(slice) => {
            let parts = [&slice.lower, &slice.upper, &slice.step];
            Kind::Other(parts.into_iter().flatten().map(|value| expression(value)).collect())
        }
        Expr::TString(_) | Expr::BytesLiteral(_) | Expr::EllipsisLiteral(_) | Expr::IpyEscapeCommand(_) => {
            Kind::Other(Vec::new())
        }
    };
    Expression { offset: value.start().to_usize(), kind }
}

fn comprehension(elements: Vec<Expression>, generators: &[ast::Comprehension]) -> ExpressionKind {
    let generators = generators.iter().map(|generator| Generator {
        target: expression(&generator.target),
        source: expression(&generator.iter),
        tests: generator.ifs.iter().map(expression).collect(),
    });
    ExpressionKind::Comprehension { elements, generators: generators.collect() }
}

fn format_part(part: &ast::FStringPart) -> Vec<Option<Expression>> {
    let literal = |offset: usize, text: &str| Expression { offset, kind: ExpressionKind::Text(text.to_owned()) };
    match part {
        ast::FStringPart::Literal(text) => vec![Some(literal(text.start().to_usize(), &text.value))],
        ast::FStringPart::FString(format) => {
            let elements = format.elements.iter().map(|element| match element {
                ast::InterpolatedStringElement::Literal(text) => Some(literal(text.start().to_usize(), &text.value)),
                ast::InterpolatedStringElement::Interpolation(inner) => {
                    let is_plain = inner.format_spec.is_none()
                        && inner.debug_text.is_none()
                        && inner.conversion == ast::ConversionFlag::None;
                    is_plain.then(|| expression(&inner.expression))
                }
            });
            elements.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_keep_their_arguments_and_places() {
        let body = read("x = 1\ny = f('a', *b, c='d')\n").unwrap();
        let StatementKind::Assign { value, .. } = &body[1].kind else { panic!("{body:?}") };
        let call = value.call().unwrap();
        assert_eq!((body[1].offset, value.offset), (6, 10));
        assert_eq!(call.argument("first", Some(0)).and_then(Expression::text), Some("a"));
        assert_eq!(call.keyword("c").and_then(Expression::text), Some("d"));
        assert!(call.argument("second", Some(1)).is_none());
    }

    #[test]
    fn f_strings_are_their_pieces() {
        let body = read("x = f'a/{b}' 'c'\ny = f'{b!r}{b:>3}'\n").unwrap();
        let pieces = |at: usize| match &body[at].kind {
            StatementKind::Assign { value: Expression { kind: ExpressionKind::Format(parts), .. }, .. } => {
                parts.iter().map(Option::is_some).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(pieces(0), [true, true, true]);
        assert_eq!(pieces(1), [false, false]);
    }

    #[test]
    fn what_is_no_python_3_is_an_error_with_its_place() {
        let error = read("x = 1\nprint 'x'\n").unwrap_err();
        assert!(error.offset >= 6, "{error:?}");
    }
}
