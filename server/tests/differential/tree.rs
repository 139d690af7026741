//! A decoded answer as a tree of named values, made from its `Debug` output, so that one piece of
//! code compares all messages: two trees become lists of paths with values, and those are compared.

use std::collections::BTreeMap;

/// A value in an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// A number, a text, `None`.
    Leaf(String),
    /// A struct's fields.
    Struct(Vec<(String, Tree)>),
    /// An array's elements.
    List(Vec<Tree>),
}

impl Tree {
    /// Parses what `{:#?}` prints of a message.
    pub fn parse(debug: &str) -> Tree {
        let mut lines = debug.lines().map(str::trim).peekable();
        let first = lines.next().unwrap_or_default();
        parse_value(first, &mut lines)
    }

    /// A leaf with this text.
    pub fn leaf(text: impl Into<String>) -> Tree {
        Tree::Leaf(text.into())
    }

    /// Paths and values of all leaves. An element of a list is named by what identifies it, not by
    /// its place, where it has such a field.
    pub fn flatten(&self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        self.flatten_into("", &mut out);
        out
    }

    fn flatten_into(&self, path: &str, out: &mut BTreeMap<String, String>) {
        match self {
            Tree::Leaf(value) => {
                out.insert(path.to_owned(), value.clone());
            }
            Tree::Struct(fields) => {
                for (name, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    value.flatten_into(&format!("{path}{dot}{name}"), out);
                }
            }
            Tree::List(elements) => {
                out.insert(format!("{path}.len"), elements.len().to_string());
                let mut seen: BTreeMap<String, usize> = BTreeMap::new();
                for (place, element) in elements.iter().enumerate() {
                    let mut name = element.identity().unwrap_or_else(|| place.to_string());
                    let times = seen.entry(name.clone()).or_default();
                    *times += 1;
                    if *times > 1 {
                        name = format!("{name}#{times}");
                    }
                    element.flatten_into(&format!("{path}[{name}]"), out);
                }
            }
        }
    }

    /// What tells this element of a list from the others.
    fn identity(&self) -> Option<String> {
        let Tree::Struct(fields) = self else {
            return None;
        };
        let field = |name: &str| fields.iter().find(|(field, _)| field == name);
        let named = |name: &&str| match field(name) {
            Some((_, Tree::Leaf(value))) if value != "\"\"" && value != "None" => {
                Some(value.clone())
            }
            _ => None,
        };
        IDENTITIES.iter().find_map(named)
    }
}

/// Fields that identify an element, the first that is there.
const IDENTITIES: [&str; 14] = [
    "name",
    "group_id",
    "member_id",
    "topic",
    "resource_name",
    "key",
    "topic_id",
    "api_key",
    "node_id",
    "broker_id",
    "partition_index",
    "partition",
    "index",
    "base_offset",
];

/// The value that begins with `line`; whatever wraps one value only (`Some`, `Bytes`) is left away.
fn parse_value<'l, I>(line: &str, lines: &mut std::iter::Peekable<I>) -> Tree
where
    I: Iterator<Item = &'l str>,
{
    let text = line.strip_suffix(',').unwrap_or(line);
    match text.chars().last() {
        Some('{') => {
            let mut fields = Vec::new();
            while let Some(line) = lines.next().filter(|line| !line.starts_with('}')) {
                let (name, rest) = line.split_once(": ").unwrap_or((line, ""));
                fields.push((name.to_owned(), parse_value(rest, lines)));
            }
            Tree::Struct(fields)
        }
        Some('[') => {
            let mut elements = Vec::new();
            while let Some(line) = lines.next().filter(|line| !line.starts_with(']')) {
                elements.push(parse_value(line, lines));
            }
            Tree::List(elements)
        }
        Some('(') => {
            let line = lines.next().unwrap_or_default();
            let inner = parse_value(line, lines);
            // The closing parenthesis.
            lines.next();
            inner
        }
        _ if text.ends_with("[]") => Tree::List(Vec::new()),
        _ => Tree::leaf(text),
    }
}

#[test]
fn a_debug_text_becomes_paths() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "read through Debug, which does not count")]
    struct Part {
        name: Option<&'static str>,
        numbers: Vec<i32>,
    }
    let parts = vec![
        Part {
            name: Some("a, b: {"),
            numbers: vec![],
        },
        Part {
            name: None,
            numbers: vec![3, 4],
        },
    ];
    let flat = Tree::parse(&format!("{parts:#?}")).flatten();
    let lines: Vec<String> = flat
        .iter()
        .map(|(path, value)| format!("{path}={value}"))
        .collect();
    assert_eq!(
        lines,
        [
            ".len=2",
            "[\"a, b: {\"].name=\"a, b: {\"",
            "[\"a, b: {\"].numbers.len=0",
            "[1].name=None",
            "[1].numbers.len=2",
            "[1].numbers[0]=3",
            "[1].numbers[1]=4",
        ]
    );
}
