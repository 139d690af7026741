//! Bytes of Apache Kafka's own classes, for what the other codec does not have: newest versions
//! and the records of Kafka's topics and files.

use super::table::{Codec, Decoded, all};

#[test]
fn golden_bytes_are_read_and_written() {
    let codecs: Vec<Codec> = all().collect();
    let lines: Vec<&str> = include_str!("golden.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(lines.len(), LINES);
    for line in lines {
        let [name, version, hex, debug] = line
            .splitn(4, ' ')
            .collect::<Vec<_>>()
            .try_into()
            .expect("four columns");
        let codec = codecs.iter().find(|codec| codec.name == name).expect(name);
        let bytes = unhex(hex);
        let decoded = (codec.decode)(&bytes, version.parse().expect("a version"));
        assert_eq!(
            decoded,
            Ok(Decoded {
                debug: debug.to_owned(),
                bytes
            }),
            "{name} {version}"
        );
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

const LINES: usize = 80;
