//! TOML as a tree with lines.

use toml::de::{DeTable, DeValue, Error};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::problem::{Problem, Problems, Wrong};
use super::toml_trail::trails;
use super::tree::{DEPTH, Entry, Lines, Node, Path, Value};

/// How many brackets may be open, and how many parts a dotted name may have.
const NESTING: usize = 16;

/// The tree of a text; `None` if it is no TOML.
pub(super) fn tree<'t>(text: &'t str, problems: &mut Problems) -> Option<Node<'t>> {
    let lines = Lines::of(text);
    if let Some(at) = too_deep(text) {
        let wrong = Wrong::TooDeep { max: NESTING };
        problems.add(Problem::at(lines.at(at), Path::ROOT, wrong));
        return None;
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    let start = |error: &Error| error.span().map_or(0, |span| span.start);
    // What follows a mistake in the syntax may be nothing but its consequence.
    let mistake = errors
        .iter()
        .filter(|&error| !is_duplicate(error))
        .min_by_key(|&error| start(error));
    if let Some(error) = mistake {
        let at = start(error);
        for field in trails(text, &[at]) {
            let wrong = Wrong::Syntax(error.message().replace('\n', " "));
            problems.add(Problem::at(lines.at(at), field, wrong));
        }
        return None;
    }
    let mut duplicates: Vec<usize> = errors.iter().map(start).collect();
    duplicates.sort_unstable();
    let mut tables: Vec<String> = Vec::new();
    for (&at, field) in duplicates.iter().zip(trails(text, &duplicates)) {
        // The fields of a table that comes twice are there twice too, which nobody needs to hear.
        let is_inside = |table: &String| {
            field
                .strip_prefix(table.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        };
        if !tables.iter().any(is_inside) {
            problems.add(Problem::at(lines.at(at), &field, Wrong::Duplicate));
            if tables.len() < NESTING && text[..at].ends_with(['[', '.']) {
                tables.push(field);
            }
        }
    }
    Some(Node {
        written: "",
        value: Value::Table(entries(text, &lines, root.get_ref(), 0)),
    })
}

fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

/// Where it nests deeper than [`NESTING`].
///
/// The parser bounds open brackets and the parts of a name to 80 each, but not their product, and
/// drops its tree by recursion: 11 KB of text overflow a thread's stack of 2 MiB.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut dots = 0_usize;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::LeftCurlyBracket | TokenKind::LeftSquareBracket => open += 1,
            TokenKind::RightCurlyBracket | TokenKind::RightSquareBracket => {
                open = open.saturating_sub(1);
            }
            TokenKind::Dot => dots += 1,
            TokenKind::Equals | TokenKind::Comma | TokenKind::Newline => dots = 0,
            _ => {}
        }
        if open > NESTING || dots >= NESTING {
            return Some(token.span().start());
        }
    }
    None
}

fn entries<'t>(text: &'t str, lines: &Lines, table: &DeTable<'t>, depth: usize) -> Vec<Entry<'t>> {
    let mut pairs: Vec<_> = table.iter().collect();
    // The table is sorted by name, or not at all if another crate says so.
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
        .into_iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone(),
            line: lines.at(key.span().start),
            node: node(text, lines, value.span(), value.get_ref(), depth + 1),
        })
        .collect()
}

fn node<'t>(
    text: &'t str,
    lines: &Lines,
    span: std::ops::Range<usize>,
    value: &DeValue<'t>,
    depth: usize,
) -> Node<'t> {
    let written = match value {
        DeValue::Table(_) | DeValue::Array(_) => "",
        _ => text.get(span).unwrap_or_default(),
    };
    let value = match value {
        DeValue::String(text) => Value::Text(text.clone()),
        DeValue::Integer(number) => {
            Value::Integer(i128::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Table(_) if depth == DEPTH => Value::Other("a table"),
        DeValue::Table(table) => Value::Table(entries(text, lines, table, depth)),
        DeValue::Float(_) => Value::Other("a floating-point number"),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(_) => Value::Other("an array"),
    };
    Node { written, value }
}
