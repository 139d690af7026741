//! What two brokers cannot have in common is replaced by a name: ids, addresses, times, texts of
//! errors.

use std::collections::HashMap;

use crate::batches;
use crate::tree::Tree;

/// The ids that one broker gave out in one conversation, and what they stand for.
#[derive(Default)]
pub struct Names {
    /// Topic ids in text form, by their topics' names.
    topics: HashMap<String, String>,
    producers: Vec<String>,
    members: Vec<String>,
    port: String,
    /// Texts of errors stay as they are.
    pub keeps_texts: bool,
}

impl Names {
    /// Names for a broker that listens on `port`.
    pub fn new(port: &str) -> Names {
        Names {
            port: port.to_owned(),
            ..Names::default()
        }
    }

    /// Remembers whose id this is.
    pub fn learn_topic(&mut self, id: String, name: &str) {
        self.topics.insert(id, format!("<id of {name}>"));
    }

    /// Replaces what differs for good reason, and orders lists whose order means nothing.
    pub fn normalise(&mut self, tree: &mut Tree) {
        self.normalise_field("", tree);
    }

    fn normalise_field(&mut self, name: &str, tree: &mut Tree) {
        if name == "records" && matches!(tree, Tree::List(_)) {
            *tree = batches::describe(&bytes_of(tree));
        }
        if OPAQUE.contains(&name) && matches!(tree, Tree::List(_)) {
            *tree = Tree::leaf(format!("{:02x?}", bytes_of(tree)));
        }
        match tree {
            Tree::Struct(fields) => {
                for (name, value) in fields {
                    self.normalise_field(name, value);
                }
            }
            Tree::List(elements) => {
                for element in elements.iter_mut() {
                    self.normalise_field(name, element);
                }
                if !ORDERED.contains(&name) {
                    elements.sort();
                }
            }
            Tree::Leaf(value) => {
                if let Some(normal) = self.normal(name, value) {
                    *value = normal;
                }
            }
        }
    }

    /// The name for a field's value, where it needs one.
    fn normal(&mut self, field: &str, value: &str) -> Option<String> {
        let number = value.parse::<i64>().ok();
        match field {
            "host" if value == "\"127.0.0.1\"" => Some("<host>".to_owned()),
            "port" if value == self.port => Some("<port>".to_owned()),
            "cluster_id" if value != "None" && value != "\"\"" => Some("<cluster>".to_owned()),
            "topic_id" if value == NO_ID => Some("<no id>".to_owned()),
            "topic_id" => Some(
                self.topics
                    .get(value)
                    .cloned()
                    .unwrap_or_else(|| "<an id>".to_owned()),
            ),
            "session_id" if number != Some(0) => Some("<session>".to_owned()),
            "log_append_time_ms" if number != Some(-1) => Some("<time>".to_owned()),
            "producer_id" if number >= Some(0) => Some(self.producer(value)),
            "member_id" | "leader" => self.member(value),
            "finalized_features_epoch" if number >= Some(0) => Some("<epoch>".to_owned()),
            // Which of its collections Scala prints depends on how many elements there are.
            "error_message" if self.keeps_texts => Some(value.replace("HashSet(", "Set(")),
            // Every implementation words its errors in its own way; that there is a text is
            // compared.
            "error_message" | "batch_index_error_message" | "documentation" if value != "None" => {
                Some("<text>".to_owned())
            }
            _ => None,
        }
    }

    /// Producer ids by the order in which they came.
    fn producer(&mut self, id: &str) -> String {
        let known = self.producers.iter().position(|known| known == id);
        let place = known.unwrap_or_else(|| {
            self.producers.push(id.to_owned());
            self.producers.len() - 1
        });
        format!("<producer {place}>")
    }

    /// Ids of members end with a UUID that the broker drew; what stands before it is compared. They
    /// are numbered by the order in which they came, those of each beginning by themselves.
    fn member(&mut self, quoted: &str) -> Option<String> {
        let id = quoted.trim_matches('"');
        let begin = id.len().checked_sub(MEMBER_UUID_LEN)?;
        let (prefix, uuid) = id.split_at_checked(begin)?;
        let is_uuid = uuid.chars().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit() && !c.is_ascii_uppercase(),
        });
        if !is_uuid {
            return None;
        }
        if !self.members.iter().any(|known| known == id) {
            self.members.push(id.to_owned());
        }
        let alike = self
            .members
            .iter()
            .filter(|known| known.len() == id.len() && known.starts_with(prefix));
        let place = alike.take_while(|known| *known != id).count();
        Some(format!("\"{prefix}<member {place}>\""))
    }
}

/// The bytes of a field of records, which `Debug` prints as a list of numbers.
fn bytes_of(tree: &Tree) -> Vec<u8> {
    let Tree::List(elements) = tree else {
        return Vec::new();
    };
    let byte = |element: &Tree| match element {
        Tree::Leaf(text) => text.parse().expect("a byte"),
        _ => unreachable!("records are bytes"),
    };
    elements.iter().map(byte).collect()
}

/// Fields of bytes that the broker passes on unread.
const OPAQUE: [&str; 4] = [
    "metadata",
    "assignment",
    "member_metadata",
    "member_assignment",
];

/// The length of a UUID in text.
const MEMBER_UUID_LEN: usize = 36;

/// The id that is none.
const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// Lists whose order has a meaning; all others are sets.
const ORDERED: [&str; 3] = ["synonyms", "records", "replica_nodes"];
