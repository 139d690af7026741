//! Compares values of two codecs by the names of their fields, as `Debug` prints them.
//!
//! The other codec wraps numbers and strings in newtypes, prints bytes and UUIDs its own way, and
//! keeps unknown tagged fields; all of that is evened out.

use std::collections::BTreeMap;

use crate::Uuid;

/// A printed value.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Struct(BTreeMap<String, Value>),
    List(Vec<Value>),
    Scalar(String),
}

impl Value {
    /// Reads what `{:?}` printed.
    pub(super) fn parse(text: &str) -> Value {
        let mut parser = Parser { rest: text };
        let value = parser.value();
        assert_eq!(parser.rest, "", "all of it is read");
        value
    }

    /// Compares the fields that both have, or gives an account of the first difference. The names
    /// that only one side has go to `lonely`, with a plus if it is this side.
    pub(super) fn compare(&self, other: &Value, lonely: &mut Vec<String>) -> Result<(), String> {
        match (self, other) {
            (Value::Struct(ours), Value::Struct(theirs)) => {
                for name in theirs.keys().filter(|name| !ours.contains_key(*name)) {
                    lonely.push(format!("-{name}"));
                }
                for (name, value) in ours {
                    match theirs.get(name) {
                        Some(other) => value
                            .compare(other, lonely)
                            .map_err(|difference| format!("{name}.{difference}"))?,
                        None => lonely.push(format!("+{name}")),
                    }
                }
                Ok(())
            }
            (Value::List(ours), Value::List(theirs)) if ours.len() == theirs.len() => ours
                .iter()
                .zip(theirs)
                .try_for_each(|(ours, theirs)| ours.compare(theirs, lonely)),
            _ if self == other => Ok(()),
            _ => Err(format!(": {self:?} is not {other:?}")),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn value(&mut self) -> Value {
        if self.eat("[") {
            return self.list();
        }
        if self.rest.starts_with("b\"") {
            self.rest = &self.rest[1..];
            let bytes = self.quoted();
            let scalars = bytes.iter().map(|byte| Value::Scalar(byte.to_string()));
            return Value::List(scalars.collect());
        }
        if self.rest.starts_with('"') {
            let text = String::from_utf8(self.quoted()).expect("printed as text");
            return Value::Scalar(format!("{text:?}"));
        }
        let word = self.word();
        if self.eat("(") {
            let inner = self.value();
            assert!(self.eat(")"), "a wrapper holds one value: {}", self.rest);
            return inner;
        }
        if self.eat(" { ") {
            return self.fields();
        }
        // A struct without fields, or a plain word.
        if word.starts_with(char::is_uppercase) && word.len() > 4 && !is_uuid(&word) {
            return Value::Struct(BTreeMap::new());
        }
        Value::Scalar(unified_uuid(&word))
    }

    fn list(&mut self) -> Value {
        let mut elements = Vec::new();
        while !self.eat("]") {
            elements.push(self.value());
            self.eat(", ");
        }
        Value::List(elements)
    }

    fn fields(&mut self) -> Value {
        let mut fields = BTreeMap::new();
        while !self.eat(" }") {
            let name = self.word();
            assert!(self.eat(": "), "a field has a value: {}", self.rest);
            if self.eat("{}") {
                assert_eq!(name, "unknown_tagged_fields");
            } else {
                let value = self.value();
                // `_type` and `r#type`, `enable_2pc` and `enable_2_pc`.
                fields.insert(name.replace('_', ""), value);
            }
            self.eat(", ");
        }
        Value::Struct(fields)
    }

    fn word(&mut self) -> String {
        let end = self
            .rest
            .find([',', ':', '(', ')', '[', ']', '{', '}', ' ']);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word.to_owned()
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 2..];
                    return bytes;
                }
                '\\' => bytes.push(match characters.next().expect("an escape goes on").1 {
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    '0' => 0,
                    'x' => {
                        let mut digit = || characters.next().and_then(|(_, c)| c.to_digit(16));
                        (digit().expect("hex") * 16 + digit().expect("hex")) as u8
                    }
                    same => same as u8,
                }),
                other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        panic!("a quote is closed");
    }

    fn eat(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn is_uuid(word: &str) -> bool {
    word.parse::<Uuid>().is_ok()
}

/// Hyphenated UUIDs in Kafka's form.
fn unified_uuid(word: &str) -> String {
    let hyphens = word.len() == 36 && word.matches('-').count() == 4;
    match u128::from_str_radix(&word.replace('-', ""), 16) {
        Ok(bits) if hyphens => Uuid(bits.to_be_bytes()).to_string(),
        _ => word.to_owned(),
    }
}
