//! Which broker leads which partition of a topic.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};

use logmill_wire::messages::metadata::{MetadataResponse, MetadataResponseTopic};
use logmill_wire::{ErrorCode, Uuid};

/// A broker by its node id; addresses that were given to begin with have negative ones.
pub type NodeId = i32;

/// Who leads a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leader {
    /// The leader, `None` while there is none.
    pub node: Option<NodeId>,
    /// Its epoch, -1 if unknown.
    pub epoch: i32,
}

/// What is known of the cluster and of the one topic that matters.
#[derive(Clone, Debug)]
pub struct Cluster {
    bootstrap: Vec<SocketAddr>,
    brokers: BTreeMap<NodeId, SocketAddr>,
    topic: String,
    topic_id: Uuid,
    leaders: Vec<Leader>,
    topic_error: ErrorCode,
}

impl Cluster {
    /// Nothing is known but where to ask.
    pub fn new(bootstrap: Vec<SocketAddr>, topic: String) -> Self {
        Self {
            bootstrap,
            brokers: BTreeMap::new(),
            topic,
            topic_id: Uuid::default(),
            leaders: Vec::new(),
            topic_error: ErrorCode::NONE,
        }
    }

    /// Takes in an answer; true if every partition of the topic has a leader now. A leader with a
    /// lower epoch than is known already is old news and is left out.
    pub fn update(&mut self, response: &MetadataResponse<'_>) -> bool {
        self.brokers.clear();
        for broker in response.brokers.iter() {
            if let Some(address) = resolve(broker.host, broker.port) {
                self.brokers.insert(broker.node_id, address);
            }
        }
        let found = response.topics.iter().find(|t| t.name == Some(&self.topic));
        let Some(topic) = found else {
            self.topic_error = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            return false;
        };
        self.topic_error = ErrorCode(topic.error_code);
        if topic.error_code != ErrorCode::NONE.0 {
            return false;
        }
        if topic.topic_id != self.topic_id {
            self.topic_id = topic.topic_id;
            self.leaders.clear();
        }
        self.update_leaders(&topic);
        !self.leaders.is_empty() && self.leaders.iter().all(|leader| leader.node.is_some())
    }

    /// Who leads partition `index`.
    pub fn leader(&self, index: u32) -> Leader {
        self.leaders.get(index as usize).copied().unwrap_or(Leader {
            node: None,
            epoch: -1,
        })
    }

    /// The number of partitions, 0 while it is unknown.
    pub fn partitions(&self) -> u32 {
        self.leaders.len() as u32
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The topic's id, all zeros from brokers that have none.
    pub fn topic_id(&self) -> Uuid {
        self.topic_id
    }

    /// What the last answer said of the topic; nothing before the first.
    pub fn topic_error(&self) -> ErrorCode {
        self.topic_error
    }

    /// The brokers that lead any partition, with their addresses.
    pub fn leading(&self) -> impl Iterator<Item = (NodeId, SocketAddr)> {
        let leads = |node: NodeId| self.leaders.iter().any(|leader| leader.node == Some(node));
        self.brokers
            .iter()
            .filter(move |(node, _)| leads(**node))
            .map(|(&n, &a)| (n, a))
    }

    /// Where `node` is, if that is known.
    pub fn address(&self, node: NodeId) -> Option<SocketAddr> {
        let first = || self.bootstrap().find(|&(first, _)| first == node);
        let known = self.brokers.get(&node).copied();
        known.or_else(|| first().map(|(_, address)| address))
    }

    /// The addresses given to begin with, under their negative ids.
    pub fn bootstrap(&self) -> impl Iterator<Item = (NodeId, SocketAddr)> {
        self.bootstrap
            .iter()
            .enumerate()
            .map(|(at, &address)| (-1 - at as NodeId, address))
    }

    fn update_leaders(&mut self, topic: &MetadataResponseTopic<'_>) {
        for partition in topic.partitions.iter() {
            let Ok(index) = usize::try_from(partition.partition_index) else {
                continue;
            };
            if index >= self.leaders.len() {
                self.leaders.resize(
                    index + 1,
                    Leader {
                        node: None,
                        epoch: -1,
                    },
                );
            }
            if partition.leader_epoch < self.leaders[index].epoch {
                continue;
            }
            let node = self.brokers.contains_key(&partition.leader_id);
            let node = node.then_some(partition.leader_id);
            self.leaders[index] = Leader {
                node,
                epoch: partition.leader_epoch,
            };
        }
    }
}

fn resolve(host: &str, port: i32) -> Option<SocketAddr> {
    let port = u16::try_from(port).ok()?;
    (host, port).to_socket_addrs().ok()?.next()
}

#[cfg(test)]
mod tests {
    use logmill_wire::Array;
    use logmill_wire::messages::metadata::{MetadataResponseBroker, MetadataResponsePartition};

    use super::*;

    fn response(leaders: &[(i32, i32)], id: u8) -> MetadataResponse<'static> {
        let partitions: Vec<_> = leaders
            .iter()
            .enumerate()
            .map(
                |(index, &(leader_id, leader_epoch))| MetadataResponsePartition {
                    partition_index: index as i32,
                    leader_id,
                    leader_epoch,
                    ..MetadataResponsePartition::default()
                },
            )
            .collect();
        let broker = |node_id, port| MetadataResponseBroker {
            node_id,
            host: "127.0.0.1",
            port,
            ..MetadataResponseBroker::default()
        };
        let topic = MetadataResponseTopic {
            name: Some("t"),
            topic_id: Uuid([id; 16]),
            partitions: Array::from(partitions),
            ..MetadataResponseTopic::default()
        };
        MetadataResponse {
            brokers: Array::from(vec![broker(1, 9092), broker(2, 9093)]),
            topics: Array::from(vec![topic]),
            ..MetadataResponse::default()
        }
    }

    #[test]
    fn leaders_follow_the_newest_epoch() {
        let bootstrap = vec!["127.0.0.1:9".parse().unwrap()];
        let mut cluster = Cluster::new(bootstrap, "t".to_owned());
        assert_eq!(cluster.leader(0).node, None);
        assert!(cluster.update(&response(&[(1, 5), (2, 5)], 7)));
        assert_eq!(
            cluster.leader(0),
            Leader {
                node: Some(1),
                epoch: 5
            }
        );
        // Older news of the same topic does not count, a topic made anew does.
        assert!(cluster.update(&response(&[(2, 4), (1, 6)], 7)));
        assert_eq!(
            cluster.leader(0),
            Leader {
                node: Some(1),
                epoch: 5
            }
        );
        assert_eq!(
            cluster.leader(1),
            Leader {
                node: Some(1),
                epoch: 6
            }
        );
        assert_eq!(
            cluster.leading().map(|(node, _)| node).collect::<Vec<_>>(),
            [1]
        );
        assert!(cluster.update(&response(&[(2, 0)], 8)));
        assert_eq!((cluster.partitions(), cluster.leader(0).node), (1, Some(2)));
        // A leader that is not among the brokers is none.
        assert!(!cluster.update(&response(&[(9, 1)], 8)));
        assert_eq!(cluster.leader(0).node, None);
    }
}
