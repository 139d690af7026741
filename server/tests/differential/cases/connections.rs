//! Versions and features, and what closes a connection.

use logmill_wire::batch::Compression;
use logmill_wire::messages::api_versions::ApiVersionsRequest;
use logmill_wire::messages::metadata::MetadataRequest;
use logmill_wire::messages::sasl_handshake::SaslHandshakeRequest;

use super::Case;
use super::produce::one_partition;
use crate::batches::Spec;
use crate::conversation::{Api, ApiVersions, Conversation, Metadata, Produce, SaslHandshake};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("api-versions", api_versions),
    ("unknown-api-versions-version", unknown_api_versions_version),
    ("bad-software-name", bad_software_name),
    ("unsupported", unsupported),
    ("malformed", malformed),
    ("pipelined", pipelined),
    ("sasl-on-plaintext", sasl_on_plaintext),
];

const HELLO: ApiVersionsRequest<'_> = ApiVersionsRequest {
    client_software_name: "script",
    client_software_version: "1.0",
};

fn api_versions(c: &mut Conversation) {
    for version in ApiVersions::versions() {
        c.ask::<ApiVersions>("table", version, &HELLO);
    }
}

/// A version that no broker has: the answer has the form of version 0, and the connection lives on.
fn unknown_api_versions_version(c: &mut Conversation) {
    c.send_bytes(&frame(18, 99, 0, b"\x00\x00\x00"));
    c.receive::<ApiVersions>("ApiVersions v99".to_owned(), 0);
    c.ask::<ApiVersions>("after it", 0, &HELLO);
}

fn bad_software_name(c: &mut Conversation) {
    for version in 3..=4 {
        for name in ["", "white space", "-leading", "größe"] {
            let request = ApiVersionsRequest {
                client_software_name: name,
                client_software_version: "1",
            };
            c.ask::<ApiVersions>(&format!("name {name:?}"), version, &request);
        }
    }
}

/// Closed without an answer: keys that no broker serves, and versions that this one does not,
/// whether it never did, no longer does (Produce below 3, though 0 is advertised), or not yet.
fn unsupported(c: &mut Conversation) {
    let requests = [
        (999, 0),
        (-1, 0),
        (4, 0),
        (5, 0),
        (6, 0),
        (7, 0),
        (52, 0),
        (0, 2),
        (0, 14),
        (1, 3),
        (1, 19),
        (2, 0),
        (2, 11),
        (3, 14),
        (3, -1),
        (10, 7),
        (17, 2),
        (19, 1),
        (19, 8),
        (22, 6),
        (23, 1),
        (32, 0),
        (60, 3),
        (75, 1),
    ];
    for (api, version) in requests {
        c.send_bytes(&frame(api, version, 1, &[0; 64]));
        let ended = c
            .receive_frame()
            .map(|_| "<an answer>")
            .unwrap_or_else(|ended| ended);
        c.note(&format!("api {api} version {version}"), ended);
        c.reconnect();
    }
}

fn malformed(c: &mut Conversation) {
    let short = frame(3, 1, 1, &[0, 0, 0, 9]);
    let long_string = frame(3, 1, 1, &[0, 0, 0, 1, 0x7f, 0xff]);
    let negative_size = (-5_i32).to_be_bytes().to_vec();
    let vast_size = i32::MAX.to_be_bytes().to_vec();
    let no_header = [0_u8, 0, 0, 2, 0, 3].to_vec();
    let cases = [
        ("array longer than the request", short),
        ("string longer than the request", long_string),
        ("negative size", negative_size),
        ("size beyond socket.request.max.bytes", vast_size),
        ("less than a header", no_header),
    ];
    for (what, bytes) in cases {
        c.send_bytes(&bytes);
        let ended = c
            .receive_frame()
            .map(|_| "<an answer>")
            .unwrap_or_else(|ended| ended);
        c.note(what, ended);
        c.reconnect();
    }
}

/// A thousand requests at once, fire-and-forget produces among them: the answers come in order.
fn pipelined(c: &mut Conversation) {
    let (name, _) = c.topic("log", 1, &[]);
    let batch = Spec::small(1, c.time(0)).packed(Compression::None).bytes();
    let metadata = MetadataRequest {
        topics: Some(Vec::new().into()),
        ..Default::default()
    };
    let mut expected = Vec::new();
    for i in 0..1000 {
        match i % 4 {
            0 => expected.push(c.send::<ApiVersions>(0, &HELLO)),
            1 => expected
                .push(c.send::<Produce>(7, &one_partition(&name, 0, Some(&batch), 1).request())),
            2 => drop(c.send::<Produce>(7, &one_partition(&name, 0, Some(&batch), 0).request())),
            _ => expected.push(c.send::<Metadata>(4, &metadata)),
        }
    }
    let mut answered = Vec::new();
    while answered.len() < expected.len() {
        match c.receive_frame() {
            Ok(frame) => answered.push(i32::from_be_bytes(
                frame[..4].try_into().expect("four bytes"),
            )),
            Err(ended) => return c.note("answers", format!("{} and then {ended}", answered.len())),
        }
    }
    c.note("answers in order", answered == expected);
}

fn sasl_on_plaintext(c: &mut Conversation) {
    for version in SaslHandshake::versions() {
        c.ask::<SaslHandshake>(
            "PLAIN",
            version,
            &SaslHandshakeRequest { mechanism: "PLAIN" },
        );
        c.ask::<ApiVersions>("after it", 0, &HELLO);
    }
}

/// A frame with a header of version 1 without a client id; `body` brings the tagged fields that
/// version 2 adds.
fn frame(api: i16, version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&api.to_be_bytes());
    frame.extend_from_slice(&version.to_be_bytes());
    frame.extend_from_slice(&correlation_id.to_be_bytes());
    frame.extend_from_slice(&(-1_i16).to_be_bytes());
    frame.extend_from_slice(body);
    let mut bytes = (frame.len() as i32).to_be_bytes().to_vec();
    bytes.extend_from_slice(&frame);
    bytes
}
