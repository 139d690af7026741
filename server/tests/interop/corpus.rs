//! The records that every producer writes and every consumer must read back.
//!
//! The corpus file has one record a line, four fields separated by tabs: key, value, timestamp in
//! ms, headers. Bytes are hexadecimal, `-` is a null, nothing is an empty value; headers are
//! `name=value` with commas between, both in hex.
//!
//! What a consumer read is written as canonical lines: topic, offset, and the same four fields, but
//! bytes longer than [`SHOWN_BYTES_MAX`] become `#length:crc32`.

use std::fmt::Write as _;

/// Longer keys, values and header values are shown by length and CRC-32.
const SHOWN_BYTES_MAX: usize = 256;

/// A record value of exactly this size is in the corpus, twice; the topics allow batches of twice
/// the size.
pub const LARGE_VALUE_BYTES: usize = 1 << 20;

/// One record: what a producer sends and a consumer must see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The key; `None` is a null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a null.
    pub value: Option<Vec<u8>>,
    /// Create time in ms since the epoch.
    pub timestamp: i64,
    /// Names, which may repeat (side by side, as KafkaJS groups them), and values.
    pub headers: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Record {
    /// Whether key and value are both null; two Python libraries refuse to send that.
    pub fn is_all_null(&self) -> bool {
        self.key.is_none() && self.value.is_none()
    }

    /// The record's line in the corpus file.
    pub fn file_line(&self) -> String {
        let field = |bytes: &Option<Vec<u8>>| bytes.as_deref().map_or("-".to_owned(), hex);
        let headers: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{}={}", hex(name.as_bytes()), field(value)))
            .collect();
        format!(
            "{}\t{}\t{}\t{}\n",
            field(&self.key),
            field(&self.value),
            self.timestamp,
            headers.join(",")
        )
    }

    /// The record's canonical fields after topic and offset: `timestamp` is what the reader may
    /// compare.
    pub fn canonical(&self, timestamp: i64) -> String {
        let headers: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{}={}", hex(name.as_bytes()), shown(value.as_deref())))
            .collect();
        format!(
            "{}\t{}\t{}\t{}",
            shown(self.key.as_deref()),
            shown(self.value.as_deref()),
            timestamp,
            headers.join(",")
        )
    }
}

/// The corpus: some 450 records of every shape, in the order in which they are sent, `start` the
/// first's timestamp.
pub fn corpus(start: i64) -> Vec<Record> {
    let mut records = Vec::new();
    let mut add = |key: Option<&[u8]>, value: Option<&[u8]>, timestamp: i64| {
        records.push(Record {
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            timestamp: start + timestamp,
            headers: Vec::new(),
        });
    };
    for i in 0..200 {
        add(Some(user(i).as_bytes()), Some(event(i).as_bytes()), i * 10);
    }
    for i in 0..20 {
        add(None, Some(format!("no key {i}").as_bytes()), 3_000 + i);
    }
    for i in 0..10 {
        add(Some(user(i).as_bytes()), None, 3_100 + i);
    }
    add(None, None, 3_200);
    for i in 0..5 {
        add(Some(b""), Some(b""), 3_300 + i);
    }
    // Timestamps go back and forth here, so that a look-up by time is not one by position.
    for i in 0..150 {
        add(
            Some(user(i).as_bytes()),
            Some(event(i).as_bytes()),
            9_000 - (i * 37) % 1_000,
        );
    }
    add(
        Some(b"random"),
        Some(&incompressible(LARGE_VALUE_BYTES)),
        10_000,
    );
    add(
        Some(b"text"),
        Some(&b"a line that packs well\n".repeat(50_000)[..LARGE_VALUE_BYTES]),
        10_001,
    );
    for i in 0..40 {
        add(
            Some(user(i).as_bytes()),
            Some(event(i).as_bytes()),
            11_000 + i * 10,
        );
    }
    records.splice(231..231, with_headers(start + 3_250));
    records
}

/// The lines of the corpus file.
pub fn corpus_file(records: &[Record]) -> String {
    records.iter().map(Record::file_line).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// Bytes as canonical lines have them.
pub fn shown(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "-".to_owned(),
        Some(bytes) if bytes.len() <= SHOWN_BYTES_MAX => hex(bytes),
        Some(bytes) => {
            let mut crc = flate2::Crc::new();
            crc.update(bytes);
            format!("#{}:{:08x}", bytes.len(), crc.sum())
        }
    }
}

fn user(i: i64) -> String {
    format!("user-{}", i % 37)
}

fn event(i: i64) -> String {
    format!("event {i} ").repeat(1 + (i as usize * 7) % 40)
}

fn with_headers(timestamp: i64) -> Vec<Record> {
    (0..12)
        .map(|i| Record {
            key: Some(b"with headers".to_vec()),
            value: Some(format!("headed {i}").into_bytes()),
            timestamp: timestamp + i,
            headers: vec![
                ("trace", Some(b"4711".to_vec())),
                ("trace", Some(b"4712".to_vec())),
                ("empty", Some(Vec::new())),
                ("null", None),
                ("größe", Some("三".as_bytes().to_vec())),
            ],
        })
        .collect()
}

/// Bytes that no codec makes smaller: a xorshift from a fixed seed.
fn incompressible(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
