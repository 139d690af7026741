//! Every `fetch.path` sends the same bytes.

use logmill_wire::ApiKey;
use logmill_wire::messages::fetch::FetchResponse;

use super::broker::{Broker, batch, decode, fetch_request};

#[test]
fn every_fetch_path_sends_what_was_produced() {
    let batches: Vec<_> = (0..60).map(|seed| batch(1_000_000, seed)).collect();
    for path in ["auto", "memory", "sendfile", "splice", "copy"] {
        // Less memory than records: the older ones are read from their segment.
        let path = format!("fetch.path={path}");
        let broker = Broker::start(&[
            "logmill.shards=1",
            "logmill.log.memory.bytes=33554432",
            &path,
        ]);
        let mut client = broker.connect();
        client.create_topic("t", 1);
        for (offset, one) in batches.iter().enumerate() {
            assert_eq!(client.produce("t", 0, one), (0, offset as i64), "{path}");
        }
        let mut next = 0;
        while next < batches.len() {
            let request = fetch_request("t", 0, next as i64, 8 << 20);
            let body = client.call(ApiKey::Fetch, 12, &request).expect("a reply");
            let response: FetchResponse<'_> = decode(&body, 12);
            let topic = response.responses.first().expect("the topic asked for");
            let part = topic.partitions.first().expect("the partition asked for");
            let bytes = part.records.and_then(|records| records.bytes());
            let mut rest = bytes.expect("records");
            let before = next;
            while let Some(batch) = batches.get(next).filter(|batch| batch.len() <= rest.len()) {
                assert_eq!(rest[..8], (next as u64).to_be_bytes(), "{path}");
                assert_eq!(rest[16..batch.len()], batch[16..], "{path}, batch {next}");
                rest = &rest[batch.len()..];
                next += 1;
            }
            assert!(next > before, "{path}: a whole batch at least");
        }
    }
}
