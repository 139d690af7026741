//! In steady state a small produce allocates nothing, from the socket's bytes to the reply, on its
//! own shard and through a peer.

use logmill_wire::ApiKey;

use super::rig::{Rig, batch, frame, produce_request};

#[test]
fn small_produces_allocate_nothing() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    let one = batch(&[b"a small record"]);
    for acks in [-1, 1, 0] {
        for partition in 0..2 {
            let request = produce_request("t", &[(partition, &one)], acks);
            let bytes = frame(ApiKey::Produce, 9, 1, &request);
            let mut allocating = |rig: &mut Rig, count: usize| {
                let mut requests = 0;
                for _ in 0..count {
                    let before = rig.allocations;
                    rig.deliver(&client, &bytes);
                    rig.settle();
                    rig.collect(&mut client);
                    client.bytes.clear();
                    requests += usize::from(rig.allocations > before);
                }
                requests
            };
            // Vectors reach their sizes (frames' records wait for a sync, for a whole journal file
            // if nobody asks for one), segments and index entries their places.
            allocating(&mut rig, 4_000);
            // What still allocates is not the request's: a journal file that turns over, a sweep, a
            // new region, an index that doubles.
            let requests = allocating(&mut rig, 1_000);
            assert!(
                requests <= 20,
                "{requests} of 1,000 requests allocate with acks={acks} to partition {partition}"
            );
        }
    }
}
