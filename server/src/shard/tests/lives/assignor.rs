//! How leaders share partitions out: anew each time, or so that members keep what they have.

use std::collections::BTreeMap;

use logmill_wire::messages::consumer_protocol::{ConsumerProtocolSubscription, TopicPartition};
use logmill_wire::{Message, Reader, Writer};

use super::spots::{SPOTS, TOPICS, by_topic, spot};

/// Members stop reading before they join. Each lists both, in an order of its own.
pub const EAGER: [&str; 2] = ["by turns", "in a row"];
/// Members go on with what they keep.
pub const COOPERATIVE: &str = "cooperative";

/// A member as its leader knows it.
pub struct Known<'a> {
    /// What partitions are shared out by.
    pub name: &'a str,
    pub id: &'a str,
    pub subscription: &'a [u8],
}

/// What a member wants, and what it had since which generation.
pub fn subscription(owned: impl IntoIterator<Item = i32>, generation_id: i32) -> Vec<u8> {
    let owned = by_topic(owned.into_iter().map(|it| (it, ())));
    let owned: Vec<_> = owned
        .into_iter()
        .map(|(topic, partitions)| TopicPartition {
            topic,
            partitions: partitions
                .into_iter()
                .map(|it| it.0)
                .collect::<Vec<_>>()
                .into(),
        })
        .collect();
    let message = ConsumerProtocolSubscription {
        topics: TOPICS.map(|(name, _)| name).to_vec().into(),
        user_data: None,
        owned_partitions: owned.into(),
        generation_id,
        rack_id: None,
    };
    let mut writer = Writer::new();
    writer.i16(VERSION);
    message.encode(&mut writer, VERSION).expect("small");
    writer.bytes
}

/// Who gets what: member ids, and numbers of partitions.
pub fn share_out(protocol: &str, mut members: Vec<Known<'_>>) -> Vec<(String, Vec<u8>)> {
    members.sort_unstable_by_key(|it| (it.name, it.id));
    let count = members.len() as i32;
    let shares: Vec<Vec<i32>> = match protocol {
        COOPERATIVE => keep_and_share(&members),
        _ => (0..count)
            .map(|at| {
                let own = |it: &i32| match protocol == EAGER[0] {
                    true => it % count == at,
                    false => it * count / SPOTS == at,
                };
                (0..SPOTS).filter(own).collect()
            })
            .collect(),
    };
    let bytes = |share: Vec<i32>| share.into_iter().map(|it| it as u8).collect();
    let shares = members.iter().zip(shares);
    shares
        .map(|(member, share)| (member.id.to_owned(), bytes(share)))
        .collect()
}

/// Each keeps of its own what is its share. What another one owns is nobody's until that one has
/// given it up.
fn keep_and_share(members: &[Known<'_>]) -> Vec<Vec<i32>> {
    // The newest claim counts.
    let mut owners: BTreeMap<i32, (i32, usize)> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        let (generation, owned) = claim(member.subscription);
        for spot in owned {
            let owner = owners.entry(spot).or_insert((generation, at));
            *owner = (*owner).max((generation, at));
        }
    }
    let most = (SPOTS as usize).div_ceil(members.len());
    let mut shares: Vec<Vec<i32>> = members.iter().map(|_| Vec::new()).collect();
    let mut free = Vec::new();
    for spot in 0..SPOTS {
        match owners.get(&spot).map(|it| &mut shares[it.1]) {
            Some(share) if share.len() < most => share.push(spot),
            _ => free.push(spot),
        }
    }
    for spot in free {
        let least = shares
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, share)| share.len());
        let (at, share) = least.expect("a group has members");
        if owners.get(&spot).is_none_or(|it| it.1 == at) {
            share.push(spot);
        }
    }
    shares
}

fn claim(subscription: &[u8]) -> (i32, Vec<i32>) {
    let mut reader = Reader::new(subscription);
    let version = reader.i16().expect("a version");
    let message = ConsumerProtocolSubscription::decode(&mut reader, version).expect("as sent");
    let owned = message.owned_partitions.iter();
    let owned = owned.flat_map(|it| {
        let topic = it.topic;
        it.partitions
            .to_vec()
            .into_iter()
            .map(move |index| spot(topic, index))
    });
    (message.generation_id, owned.collect())
}

const VERSION: i16 = 3;
