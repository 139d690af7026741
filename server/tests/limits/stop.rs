//! Stopping.

use super::broker::{Broker, batch};

#[test]
fn a_signal_stops_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut broker = Broker::start(&["logmill.shards=2"]);
        let mut client = broker.connect();
        client.create_topic("t", 3);
        for partition in 0..3 {
            assert_eq!(client.produce("t", partition, &batch(100, 1)), (0, 0));
        }
        broker.signal(signal);
        assert_eq!(broker.wait().code(), Some(0), "{}", broker.log());
        assert!(client.is_closed());
    }
}
