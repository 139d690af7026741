//! A source file as the rules see it: lines, syntax, paths it mentions, and which lines are tests.

use std::fmt;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use proc_macro2::{Delimiter, LineColumn, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;

/// One parsed file.
pub struct Source {
    /// Path below the workspace, with `/`.
    pub path: String,
    /// The text by line.
    pub lines: Vec<String>,
    /// The parsed text.
    pub syntax: syn::File,
    /// Every path of two segments or more, `use` groups flattened.
    pub mentions: Vec<Mention>,
    /// Every token in order, groups opened up.
    pub tokens: Vec<Token>,
    /// Lines of items under `#[cfg(test)]` or `#[test]`.
    pub tests: Vec<RangeInclusive<usize>>,
    /// The whole file is a test: it lies in `tests/`, or its `mod` line is under `#[cfg(test)]`.
    pub is_test: bool,
}

/// A token and where it stands: lines from 1, columns from 0.
pub struct Token {
    /// Its text; of a group only the bracket.
    pub text: String,
    /// Whether it is a literal.
    pub is_literal: bool,
    /// Line and column where it begins.
    pub start: LineColumn,
    /// Line and column behind its end.
    pub end: LineColumn,
}

/// A path in the text, such as `std::time::Instant::now`.
pub struct Mention {
    /// Its segments.
    pub path: Vec<String>,
    /// The line of its first segment, from 1.
    pub line: usize,
}

/// A broken rule.
#[derive(Debug)]
pub struct Violation {
    /// Path below the workspace.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule's name.
    pub rule: &'static str,
    /// What was found, and the way out.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: [{}] {}",
            self.path, self.line, self.rule, self.message
        )
    }
}

impl Token {
    fn new(text: &dyn fmt::Display, span: Span) -> Token {
        let (start, end) = (span.start(), span.end());
        Token {
            text: text.to_string(),
            is_literal: false,
            start,
            end,
        }
    }
}

impl Source {
    /// Parses a text; `path` is the one below the workspace.
    pub fn parse(path: &str, text: &str) -> Result<Source, syn::Error> {
        let syntax = syn::parse_file(text)?;
        let tokens: TokenStream = text.parse()?;
        let mut flat = Vec::new();
        flatten(tokens.clone(), &mut flat);
        let mut mentions = Vec::new();
        gather(tokens, &[], &mut mentions);
        Ok(Source {
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            tests: test_lines(&syntax.items),
            syntax,
            mentions,
            tokens: flat,
            is_test: path
                .split('/')
                .any(|part| matches!(part, "tests" | "tests.rs" | "benches")),
        })
    }

    /// A violation in this file.
    pub fn violation(
        &self,
        line: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Violation {
        Violation {
            path: self.path.clone(),
            line,
            rule,
            message: message.into(),
        }
    }

    /// Whether a line belongs to a test.
    pub fn in_test(&self, line: usize) -> bool {
        self.is_test || self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// The paths mentioned outside tests.
    pub fn shipped_mentions(&self) -> impl Iterator<Item = &Mention> {
        self.mentions
            .iter()
            .filter(|mention| !self.in_test(mention.line))
    }

    /// Every three tokens in a row.
    pub fn triples(&self) -> impl Iterator<Item = &[Token; 3]> {
        let triple = |window| <&[Token; 3]>::try_from(window).expect("windows of three");
        self.tokens.windows(3).map(triple)
    }

    /// Literals that begin on one line and end on another.
    pub fn long_literals(&self) -> impl Iterator<Item = &Token> {
        self.tokens
            .iter()
            .filter(|token| token.is_literal && token.start.line < token.end.line)
    }

    /// The `//` comment of a line (from 1), doc comments included.
    pub fn comment(&self, line: usize) -> Option<&str> {
        let text = self.lines.get(line - 1)?;
        text.match_indices("//").map(|(at, _)| at).find_map(|at| {
            let column = text[..at].chars().count();
            let place = LineColumn { line, column };
            let covers = |token: &&Token| token.start <= place && place < token.end;
            let literal = self
                .tokens
                .iter()
                .filter(|token| token.is_literal)
                .find(covers);
            match literal {
                Some(doc) if doc.start == place => Some(&text[at..]),
                Some(_) => None,
                None => Some(&text[at..]),
            }
        })
    }

    /// The file's name without `.rs`.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    /// The folder in which the files of this file's modules lie.
    fn children_folder(&self) -> String {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match self.stem() {
            "lib" | "main" | "mod" => folder.to_owned(),
            stem => format!("{folder}/{stem}"),
        }
    }
}

/// Reads every `.rs` file below `root` but those of build output and hidden folders.
pub fn collect(root: &Path) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(root, root, &mut paths);
    paths.sort();
    let read = |path: &String| {
        let text = fs::read_to_string(root.join(path)).expect("source files are UTF-8");
        Source::parse(path, &text).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let mut sources: Vec<Source> = paths.iter().map(read).collect();
    mark_test_files(&mut sources);
    sources
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the workspace can be listed") {
        let path = entry.expect("the workspace can be listed").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        let skipped = name.starts_with('.') || matches!(name, "target" | "node_modules" | "data");
        if skipped || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, paths);
        } else if name.ends_with(".rs") {
            let below = path.strip_prefix(root).expect("it lies below the root");
            paths.push(below.to_string_lossy().into_owned());
        }
    }
}

/// A file whose `mod` line stands under `#[cfg(test)]` is a test, and so is all below it.
fn mark_test_files(sources: &mut [Source]) {
    let mut roots = Vec::new();
    for source in sources.iter() {
        let folder = source.children_folder();
        for item in &source.syntax.items {
            if let syn::Item::Mod(module) = item
                && module.content.is_none()
                && is_test(&module.attrs)
            {
                roots.push(format!("{folder}/{}", module.ident));
            }
        }
    }
    for source in sources {
        let of = |root: &String| {
            source
                .path
                .strip_prefix(root.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.is_test |= roots.iter().any(of);
    }
}

fn test_lines(items: &[syn::Item]) -> Vec<RangeInclusive<usize>> {
    let mut ranges = Vec::new();
    for item in items {
        let (attributes, inner) = match item {
            syn::Item::Mod(module) => (&module.attrs, module.content.as_ref()),
            syn::Item::Fn(function) => (&function.attrs, None),
            syn::Item::Impl(block) => (&block.attrs, None),
            syn::Item::Use(import) => (&import.attrs, None),
            syn::Item::Struct(item) => (&item.attrs, None),
            syn::Item::Enum(item) => (&item.attrs, None),
            syn::Item::Const(item) => (&item.attrs, None),
            syn::Item::Macro(item) => (&item.attrs, None),
            _ => continue,
        };
        if is_test(attributes) {
            let span = item.span();
            ranges.push(span.start().line..=span.end().line);
        } else if let Some((_, items)) = inner {
            ranges.extend(test_lines(items));
        }
    }
    ranges
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, ...))]`.
pub fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let names_test = |list: &syn::MetaList| {
            let text = list.tokens.to_string();
            text == "test" || text.starts_with("all (test") || text.starts_with("all(test")
        };
        path.is_ident("test")
            || path.is_ident("cfg") && attribute.meta.require_list().is_ok_and(names_test)
    })
}

fn flatten(tokens: TokenStream, flat: &mut Vec<Token>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => flat.push(Token::new(&ident, ident.span())),
            TokenTree::Punct(punct) => flat.push(Token::new(&punct.as_char(), punct.span())),
            TokenTree::Literal(literal) => {
                let token = Token::new(&literal, literal.span());
                flat.push(Token {
                    is_literal: true,
                    ..token
                });
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                flat.push(Token::new(&open, group.span_open()));
                flatten(group.stream(), flat);
                flat.push(Token::new(&close, group.span_close()));
            }
        }
    }
}

/// Walks tokens, also those of macros, and gathers paths; `a::{b, c::d}` gives `a::b`, `a::c::d`.
fn gather(tokens: TokenStream, prefix: &[String], mentions: &mut Vec<Mention>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let first = match token {
            TokenTree::Ident(first) => first,
            TokenTree::Group(group) => {
                gather(group.stream(), prefix_inside(&group, prefix), mentions);
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' && !prefix.is_empty() => {
                let path = [prefix, &["*".to_owned()]].concat();
                mentions.push(Mention {
                    path,
                    line: punct.span().start().line,
                });
                continue;
            }
            _ => continue,
        };
        if first == "as" && !prefix.is_empty() {
            tokens.next();
            continue;
        }
        let line = first.span().start().line;
        let mut path = prefix.to_vec();
        path.push(first.to_string());
        let mut group = None;
        while follows(&mut tokens, ':') && follows(&mut tokens, ':') {
            match tokens.peek() {
                Some(TokenTree::Ident(next)) => {
                    path.push(next.to_string());
                    tokens.next();
                }
                Some(TokenTree::Group(braces)) if braces.delimiter() == Delimiter::Brace => {
                    group = Some(braces.stream());
                    tokens.next();
                    break;
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    path.push("*".to_owned());
                    tokens.next();
                }
                _ => break,
            }
        }
        match group {
            Some(group) => gather(group, &path, mentions),
            None if path.len() > 1 => {
                if path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                mentions.push(Mention { path, line });
            }
            None => {}
        }
    }
}

/// Inside the braces of a `use` group the prefix holds; other groups begin anew.
fn prefix_inside<'a>(group: &proc_macro2::Group, prefix: &'a [String]) -> &'a [String] {
    if group.delimiter() == Delimiter::Brace {
        prefix
    } else {
        &[]
    }
}

fn follows(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = TokenTree>>,
    character: char,
) -> bool {
    let is_it = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => punct.as_char() == character,
        _ => false,
    };
    tokens.next_if(is_it).is_some()
}
