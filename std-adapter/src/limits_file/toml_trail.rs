//! Which field stands at a place in TOML that could not be read: the parser only says where.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use super::problem::excerpt;

/// The longest field that is told, in characters.
const MOST: usize = 200;

/// The field at each of these places, which must be sorted: the table's heading, the names of the
/// inline tables around it, and its own name.
pub(super) fn trails(text: &str, places: &[usize]) -> Vec<String> {
    let mut trail = Trail {
        text,
        ..Trail::default()
    };
    let mut places = places.iter().copied().peekable();
    let mut told = Vec::new();
    for token in Source::new(text).lex() {
        let (start, end) = (token.span().start(), token.span().end());
        // A name counts with its own first byte; after anything else the place is already another.
        let is_name = trail.is_name(token.kind());
        if is_name {
            trail.step(token);
        }
        while places
            .next_if(|&at| at < end || (at == start && start == end))
            .is_some()
        {
            told.push(trail.field());
        }
        if !is_name {
            trail.step(token);
        }
    }
    // Places behind the end, should there be any.
    told.extend(places.map(|_| trail.field()));
    told
}

#[derive(Default)]
struct Trail<'t> {
    text: &'t str,
    heading: Option<Range<usize>>,
    /// Are we in the heading's own line?
    in_heading: bool,
    /// The brackets that are open, and the name before each.
    open: Vec<(TokenKind, Option<Range<usize>>)>,
    name: Option<Range<usize>>,
    /// After the equals sign?
    in_value: bool,
}

impl Trail<'_> {
    fn is_name(&self, kind: TokenKind) -> bool {
        !self.in_value
            && matches!(
                kind,
                TokenKind::Atom
                    | TokenKind::BasicString
                    | TokenKind::LiteralString
                    | TokenKind::Dot
            )
    }

    fn step(&mut self, token: Token) {
        let kind = token.kind();
        let (start, end) = (token.span().start(), token.span().end());
        match kind {
            _ if self.is_name(kind) => {
                let name = if self.in_heading {
                    &mut self.heading
                } else {
                    &mut self.name
                };
                match name {
                    Some(name) => name.end = end,
                    None => *name = Some(start..end),
                }
            }
            TokenKind::Newline if self.open.is_empty() => {
                self.in_heading = false;
                self.in_value = false;
                self.name = None;
            }
            TokenKind::LeftSquareBracket
                if self.open.is_empty() && !self.in_value && self.name.is_none() =>
            {
                self.in_heading = true;
                self.heading = None;
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                self.in_value = kind == TokenKind::LeftSquareBracket;
                self.open.push((kind, self.name.take()));
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                if let Some((_, name)) = self.open.pop() {
                    self.name = name;
                    self.in_value = true;
                }
            }
            TokenKind::Equals => self.in_value = true,
            TokenKind::Comma => {
                if let Some((TokenKind::LeftCurlyBracket, _)) = self.open.last() {
                    self.in_value = false;
                    self.name = None;
                }
            }
            _ => {}
        }
    }

    fn field(&self) -> String {
        let names = self.open.iter().map(|(_, name)| name);
        let mut field = String::new();
        for name in [&self.heading].into_iter().chain(names).chain([&self.name]) {
            if let Some(part) = name.clone().and_then(|name| self.text.get(name)) {
                if !field.is_empty() {
                    field.push('.');
                }
                let room = (4 * MOST).saturating_sub(field.len());
                let cut = (0..=room.min(part.len()))
                    .rev()
                    .find(|&at| part.is_char_boundary(at));
                field.push_str(part.get(..cut.unwrap_or(0)).unwrap_or_default());
                if field.len() + 4 > 4 * MOST {
                    break;
                }
            }
        }
        excerpt(&field, MOST)
    }
}
