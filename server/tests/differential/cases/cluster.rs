//! Who the cluster is, and what a broker without groups, reassignments and authorization says of
//! them.

use logmill_wire::messages::describe_cluster::DescribeClusterRequest;
use logmill_wire::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsTopics,
};

use super::Case;
use crate::conversation::{Api, Conversation, DescribeCluster, ListPartitionReassignments};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("describe-cluster", describe_cluster),
    ("reassignments", reassignments),
];

fn describe_cluster(c: &mut Conversation) {
    for version in DescribeCluster::versions() {
        let plain = DescribeClusterRequest::default();
        c.ask::<DescribeCluster>("brokers", version, &plain);
        let operations = DescribeClusterRequest {
            include_cluster_authorized_operations: true,
            ..plain
        };
        c.ask::<DescribeCluster>("authorized operations", version, &operations);
        if version >= 1 {
            for endpoint_type in [2, 3, 0] {
                let request = DescribeClusterRequest {
                    endpoint_type,
                    ..plain
                };
                c.ask::<DescribeCluster>(
                    &format!("endpoint type {endpoint_type}"),
                    version,
                    &request,
                );
            }
        }
        if version >= 2 {
            let fenced = DescribeClusterRequest {
                include_fenced_brokers: true,
                ..plain
            };
            c.ask::<DescribeCluster>("fenced brokers", version, &fenced);
        }
    }
}

fn reassignments(c: &mut Conversation) {
    let (name, _) = c.topic("still", 2, &[]);
    let all = ListPartitionReassignmentsRequest {
        topics: None,
        ..Default::default()
    };
    c.ask::<ListPartitionReassignments>("all", 0, &all);
    for (what, topic, partition) in [
        ("a partition", name.as_str(), 1),
        ("no partition", &name, 9),
        ("no topic", "nowhere", 0),
    ] {
        let partitions = [partition];
        let topics = [ListPartitionReassignmentsTopics {
            name: topic,
            partition_indexes: (&partitions).into(),
        }];
        let request = ListPartitionReassignmentsRequest {
            topics: Some((&topics).into()),
            ..Default::default()
        };
        c.ask::<ListPartitionReassignments>(what, 0, &request);
    }
}
