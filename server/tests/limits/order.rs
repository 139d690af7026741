//! Pipelining.

use std::io::Write;
use std::thread;

use logmill_wire::ApiKey;

use super::broker::{Broker, batch, produce_request};

#[test]
fn a_thousand_pipelined_requests_keep_their_order() {
    let broker = Broker::start(&["logmill.shards=2"]);
    let mut client = broker.connect();
    client.create_topic("t", 4);
    let one = batch(50, 1);
    let mut bytes = Vec::new();
    let mut expected = 0;
    for number in 0..1_000 {
        let acks = [1, 0, -1][number as usize % 3];
        let request = produce_request("t", number % 4, &one, acks);
        bytes.extend(client.frame(ApiKey::Produce, 9, &request));
        expected += usize::from(acks != 0);
    }
    let mut writer = client.stream.try_clone().unwrap();
    let sending = thread::spawn(move || writer.write_all(&bytes).unwrap());
    let mut last = 0;
    for _ in 0..expected {
        let (correlation, _) = client.reply(ApiKey::Produce, 9).unwrap();
        assert!(correlation > last, "{correlation} after {last}");
        last = correlation;
    }
    sending.join().unwrap();
    for partition in 0..4 {
        assert_eq!(
            client.produce("t", partition, &one),
            (0, 250),
            "all stand in the log"
        );
    }
}
