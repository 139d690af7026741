//! Replay, and the local controller's checks, against what Kafka's controller answers.

use std::sync::Arc;

use logmill_engine::base::{LeaderEpoch, Now, Offset, PartitionIndex, TopicId};
use logmill_wire::Uuid;
use logmill_wire::records::metadata::{
    AbortTransactionRecord, BeginTransactionRecord, ConfigRecord, EndTransactionRecord,
    MetadataRecord, NoOpRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::config::Config;

const DIRECTORIES: [Uuid; 2] = [Uuid([0xa; 16]), Uuid([0xb; 16])];

/// A controller with its log, image and dice: what shard 0 is to it.
struct Cluster {
    controller: LocalController,
    image: MetadataImage,
    rng: StdRng,
    log: Vec<Vec<u8>>,
}

impl Cluster {
    fn new() -> Self {
        Self::with("")
    }

    fn with(config: &str) -> Self {
        let config = Config::load(Some(config), &[]).unwrap().config;
        let mut cluster = Self {
            controller: LocalController::new(&config, &DIRECTORIES, 20_000),
            image: MetadataImage::default(),
            rng: StdRng::seed_from_u64(7),
            log: Vec::new(),
        };
        cluster.start(false);
        cluster
    }

    fn registration(unclean: bool) -> BrokerRegistration {
        let endpoint = Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "h".to_owned(),
            port: 9092,
        };
        BrokerRegistration {
            node_id: 1,
            incarnation: Uuid([9; 16]),
            endpoints: vec![endpoint],
            rack: None,
            directories: DIRECTORIES.to_vec(),
            unclean,
        }
    }

    fn start(&mut self, unclean: bool) -> MetadataDelta {
        let records = Self::registration(unclean).records(&self.image);
        self.append(records)
    }

    fn append(&mut self, records: Vec<Vec<u8>>) -> MetadataDelta {
        let base = self.image.offset.next();
        let values = records.iter().map(Vec::as_slice);
        let (image, delta) = self.image.apply(base, values).unwrap();
        self.log.extend(records);
        self.image = image;
        delta
    }

    fn submit(&mut self, command: MetadataCommand) -> (MetadataOutcome, MetadataDelta) {
        let submitted = self
            .controller
            .submit(Now::default(), &self.image, command, &mut self.rng);
        let delta = self.append(submitted.records);
        (submitted.outcome, delta)
    }

    fn create(&mut self, topic: NewTopic) -> Result<CreatedTopic, MetadataError> {
        self.create_all(vec![topic], false).remove(0).1
    }

    fn create_all(
        &mut self,
        topics: Vec<NewTopic>,
        validate_only: bool,
    ) -> Vec<(String, Result<CreatedTopic, MetadataError>)> {
        let command = MetadataCommand::CreateTopics(CreateTopics {
            topics,
            validate_only,
        });
        match self.submit(command).0 {
            MetadataOutcome::CreateTopics(answers) => answers,
            other => panic!("{other:?}"),
        }
    }

    fn delete(&mut self, topics: Vec<TopicRef>) -> Vec<Result<(), MetadataError>> {
        match self
            .submit(MetadataCommand::DeleteTopics(DeleteTopics { topics }))
            .0
        {
            MetadataOutcome::DeleteTopics(answers) => {
                answers.into_iter().map(|(_, _, result)| result).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn grow(&mut self, name: &str, count: i32) -> Result<(), MetadataError> {
        let topics = vec![NewPartitions {
            name: name.to_owned(),
            count,
            assignments: None,
        }];
        let command = CreatePartitions {
            topics,
            validate_only: false,
        };
        match self.submit(MetadataCommand::CreatePartitions(command)).0 {
            MetadataOutcome::CreatePartitions(mut answers) => answers.remove(0).1,
            other => panic!("{other:?}"),
        }
    }
}

fn topic(name: &str) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions: -1,
        replication_factor: -1,
        assignments: Vec::new(),
        configs: Vec::new(),
    }
}

#[test]
fn fresh_cluster_is_that_of_kafka_4_1() {
    let cluster = Cluster::new();
    assert_eq!(
        cluster.image.features().collect::<Vec<_>>(),
        [("metadata.version", 27)]
    );
    assert_eq!(
        cluster.image.features_epoch(),
        2,
        "the end of the transaction that sets it"
    );
    let broker = cluster.image.broker(1).unwrap();
    assert_eq!((broker.epoch, broker.fenced), (3, false));
    assert_eq!(broker.directories, DIRECTORIES);
    let names: Vec<_> = cluster
        .log
        .iter()
        .map(|value| MetadataRecord::decode(value).unwrap().name())
        .collect();
    assert_eq!(
        names,
        [
            "BeginTransactionRecord",
            "FeatureLevelRecord",
            "EndTransactionRecord",
            "RegisterBrokerRecord",
            "BrokerRegistrationChangeRecord"
        ]
    );
}

#[test]
fn second_start_registers_anew_and_sets_no_feature() {
    let mut cluster = Cluster::new();
    cluster.start(false);
    assert_eq!(cluster.image.broker(1).unwrap().epoch, 5);
    assert_eq!(cluster.image.features_epoch(), 2);
}

#[test]
fn topic_is_created_with_its_partitions_and_configuration() {
    let mut cluster = Cluster::new();
    let mut new = topic("t");
    new.partitions = 3;
    new.configs = vec![("retention.ms".to_owned(), Some("5".to_owned()))];
    let created = cluster.create(new).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (3, 1));
    let image = cluster.image.topic("t").unwrap();
    assert_eq!((image.id, image.partitions.len()), (created.id, 3));
    assert_eq!(cluster.image.partition_count(), 3);
    let partition = cluster
        .image
        .partition(created.id, PartitionIndex(2))
        .unwrap();
    assert_eq!(
        (partition.leader, partition.leader_epoch),
        (1, LeaderEpoch(0))
    );
    assert_eq!(
        (&*partition.replicas, &*partition.isr),
        (&[1][..], &[1][..])
    );
    assert_eq!(
        cluster.image.topic_config("t").get("retention.ms").unwrap(),
        "5"
    );
    // Directories take turns.
    let directories: Vec<Uuid> = image.partitions.iter().map(|p| p.directories[0]).collect();
    assert_eq!(
        directories,
        [DIRECTORIES[0], DIRECTORIES[1], DIRECTORIES[0]]
    );
}

#[test]
fn delta_says_what_changed() {
    let mut cluster = Cluster::new();
    let create = CreateTopics {
        topics: vec![topic("a"), topic("b")],
        validate_only: false,
    };
    let (_, delta) = cluster.submit(MetadataCommand::CreateTopics(create));
    let mut names: Vec<&str> = delta.created.iter().map(|topic| &*topic.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b"]);
    assert_eq!((delta.deleted.len(), delta.changed.len()), (0, 0));

    let more = NewPartitions {
        name: "a".to_owned(),
        count: 3,
        assignments: None,
    };
    let more = CreatePartitions {
        topics: vec![more],
        validate_only: false,
    };
    let (_, delta) = cluster.submit(MetadataCommand::CreatePartitions(more));
    assert_eq!(delta.changed.len(), 1);
    assert_eq!(
        delta.changed[0].partitions,
        [PartitionIndex(1), PartitionIndex(2)]
    );

    let gone = DeleteTopics {
        topics: vec![TopicRef::Name("a".to_owned())],
    };
    let (_, delta) = cluster.submit(MetadataCommand::DeleteTopics(gone));
    assert_eq!(delta.deleted[0].partitions.len(), 3);
    assert!(delta.created.is_empty() && cluster.image.topic("a").is_none());
    assert_eq!(cluster.image.partition_count(), 1);
}

#[test]
fn recreated_topic_is_another_one() {
    let mut cluster = Cluster::new();
    let mut new = topic("t");
    new.configs = vec![("retention.ms".to_owned(), Some("5".to_owned()))];
    let old = cluster.create(new).unwrap().id;
    assert_eq!(cluster.delete(vec![TopicRef::Id(old)]), [Ok(())]);
    let new = cluster.create(topic("t")).unwrap().id;
    assert_ne!(old, new);
    assert!(cluster.image.topic_by_id(old).is_none());
    assert!(
        cluster.image.topic_config("t").is_empty(),
        "the old values went with it"
    );
}

#[test]
fn unclean_start_raises_every_leader_epoch() {
    let mut cluster = Cluster::new();
    let mut new = topic("t");
    new.partitions = 2;
    cluster.create(new).unwrap();
    let delta = cluster.start(true);
    assert_eq!(
        delta.changed[0].partitions,
        [PartitionIndex(0), PartitionIndex(1)]
    );
    let partition = &cluster.image.topic("t").unwrap().partitions[1];
    assert_eq!(
        (partition.leader_epoch, partition.partition_epoch),
        (LeaderEpoch(1), 1)
    );
    cluster.start(false);
    assert_eq!(
        cluster.image.topic("t").unwrap().partitions[1].leader_epoch,
        LeaderEpoch(1)
    );
}

#[test]
fn whole_log_replays_to_the_same_image() {
    let mut cluster = Cluster::new();
    for name in ["a", "b", "c"] {
        let mut new = topic(name);
        new.partitions = 5;
        cluster.create(new).unwrap();
    }
    cluster.delete(vec![TopicRef::Name("b".to_owned())]);
    cluster.grow("c", 9).unwrap();
    cluster.submit(MetadataCommand::AllocateProducerIds);
    cluster.start(true);
    let mut loader = ImageLoader::default();
    for (value, offset) in cluster.log.iter().zip(0..) {
        loader.batch(Offset(offset), [value.as_slice()]).unwrap();
    }
    let image = loader.finish();
    assert_eq!(image.offset, cluster.image.offset);
    assert!(image.topics().eq(cluster.image.topics()));
    assert!(image.brokers().eq(cluster.image.brokers()));
    assert_eq!(image.next_producer_id(), 1000);
    assert_eq!(image.partition_count(), 14);
}

#[test]
fn alike_partitions_share_their_lists() {
    let mut cluster = Cluster::new();
    let mut new = topic("t");
    new.partitions = 4;
    cluster.create(new).unwrap();
    let partitions = &cluster.image.topic("t").unwrap().partitions;
    assert!(Arc::ptr_eq(&partitions[0].replicas, &partitions[3].isr));
}

#[test]
fn names_are_checked_as_kafka_does() {
    let mut cluster = Cluster::new();
    let mut refused = |name: &str| cluster.create(topic(name)).unwrap_err();
    for name in ["", ".", "..", "a b", "ä", "a/b", &"x".repeat(250)] {
        assert!(
            matches!(refused(name), MetadataError::TopicName(_)),
            "{name:?}"
        );
    }
    assert!(matches!(
        refused("__cluster_metadata"),
        MetadataError::Forbidden(_)
    ));
    cluster.create(topic(&"x".repeat(249))).unwrap();
    cluster.create(topic("a.b")).unwrap();
    let collision = cluster.create(topic("a_b")).unwrap_err();
    assert_eq!(
        collision.to_string(),
        "\"a_b\" differs from the topic \"a.b\" only in '.' and '_'"
    );
    assert!(matches!(
        cluster.create(topic("a.b")),
        Err(MetadataError::TopicExists(_))
    ));
    let both = cluster.create_all(vec![topic("c.d"), topic("c_d")], false);
    assert!(
        both[0].1.is_ok() && both[1].1.is_err(),
        "also within one request"
    );
}

#[test]
fn counts_are_checked_as_kafka_does() {
    let mut cluster = Cluster::with("num.partitions=4");
    let mut refused = |partitions: i32, replication_factor: i16| {
        let mut new = topic("t");
        (new.partitions, new.replication_factor) = (partitions, replication_factor);
        cluster.create(new).unwrap_err()
    };
    assert!(matches!(refused(0, 1), MetadataError::Partitions(_)));
    assert!(matches!(refused(-2, 1), MetadataError::Partitions(_)));
    assert!(matches!(refused(1, 0), MetadataError::ReplicationFactor(_)));
    assert!(matches!(refused(1, 2), MetadataError::ReplicationFactor(_)));
    assert!(matches!(refused(10_001, 1), MetadataError::Limit(_)));
    assert_eq!(cluster.create(topic("t")).unwrap().partitions, 4);
    let mut big = topic("big");
    big.partitions = 10_000;
    cluster.create(big).unwrap();
    let mut more = topic("more");
    more.partitions = 9_997;
    let error = cluster.create(more).unwrap_err().to_string();
    assert!(
        error.contains("logmill.partitions.max allows: 20000"),
        "{error}"
    );
}

#[test]
fn assignments_are_checked_as_kafka_does() {
    let mut cluster = Cluster::new();
    let mut create = |assignments: Vec<(i32, Vec<i32>)>| {
        let new = NewTopic {
            assignments,
            ..topic("t")
        };
        cluster.create(new)
    };
    for bad in [
        vec![(0, vec![])],
        vec![(0, vec![2])],
        vec![(0, vec![1, 1])],
        vec![(0, vec![1]), (0, vec![1])],
        vec![(0, vec![1]), (2, vec![1])],
        vec![(1, vec![1])],
    ] {
        let error = create(bad.clone()).unwrap_err();
        assert!(
            matches!(error, MetadataError::Assignment(_)),
            "{bad:?}: {error}"
        );
    }
    assert_eq!(
        create(vec![(1, vec![1]), (0, vec![1])]).unwrap().partitions,
        2
    );
    let both = NewTopic {
        assignments: vec![(0, vec![1])],
        partitions: 1,
        ..topic("u")
    };
    assert!(matches!(
        cluster.create(both),
        Err(MetadataError::Request(_))
    ));
}

#[test]
fn configurations_are_checked() {
    let mut cluster = Cluster::new();
    let mut refused = |name: &str, value: Option<&str>| {
        let configs = vec![(name.to_owned(), value.map(str::to_owned))];
        match cluster.create(NewTopic {
            configs,
            ..topic("t")
        }) {
            Err(MetadataError::Config(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused("segment.bytes", Some("1")).contains("at least 1048576"));
    assert!(refused("nonsense", Some("1")).contains("Unknown topic config"));
    assert!(refused("retention.ms", None).contains("Null value"));
    assert!(refused("remote.storage.enable", Some("true")).contains("refused"));
    assert_eq!(cluster.image.topic_count(), 0);
}

#[test]
fn doubled_names_are_refused_once() {
    let mut cluster = Cluster::new();
    let answers = cluster.create_all(vec![topic("t"), topic("u"), topic("t")], false);
    assert_eq!(answers.len(), 2);
    assert!(matches!(&answers[0], (name, Err(MetadataError::Request(_))) if name == "t"));
    assert!(answers[1].1.is_ok() && cluster.image.topic("t").is_none());
}

#[test]
fn validation_alone_changes_nothing() {
    let mut cluster = Cluster::new();
    let answers = cluster.create_all(vec![topic("t")], true);
    assert!(answers[0].1.is_ok() && cluster.image.topic("t").is_none());
    cluster.create(topic("t")).unwrap();
    let more = NewPartitions {
        name: "t".to_owned(),
        count: 2,
        assignments: None,
    };
    let command = CreatePartitions {
        topics: vec![more],
        validate_only: true,
    };
    let (outcome, delta) = cluster.submit(MetadataCommand::CreatePartitions(command));
    assert!(matches!(outcome, MetadataOutcome::CreatePartitions(a) if a[0].1.is_ok()));
    assert!(delta.is_empty());
}

#[test]
fn deletions_are_checked_as_kafka_does() {
    let mut cluster = Cluster::new();
    let id = cluster.create(topic("t")).unwrap().id;
    let name = || TopicRef::Name("t".to_owned());
    let unknown = TopicId([3; 16]);
    let answers = cluster.delete(vec![
        TopicRef::Name("no".to_owned()),
        TopicRef::Id(unknown),
        TopicRef::Neither,
        TopicRef::Both("t".to_owned(), id),
        name(),
        name(),
    ]);
    assert_eq!(answers.len(), 5, "what is doubled is answered once");
    assert_eq!(
        answers[0],
        Err(MetadataError::UnknownTopic("no".to_owned()))
    );
    assert_eq!(answers[1], Err(MetadataError::UnknownTopicId(unknown)));
    for answer in &answers[2..] {
        assert!(
            matches!(answer, Err(MetadataError::Request(_))),
            "{answer:?}"
        );
    }
    let both_ways = cluster.delete(vec![name(), TopicRef::Id(id)]);
    assert!(both_ways[0].is_ok() && both_ways[1].is_err());
    assert_eq!(cluster.image.topic_count(), 0);

    let mut fixed = Cluster::with("delete.topic.enable=false");
    fixed.create(topic("t")).unwrap();
    assert_eq!(
        fixed.delete(vec![name()]),
        [Err(MetadataError::DeletionDisabled)]
    );
}

#[test]
fn growth_is_checked_as_kafka_does() {
    let mut cluster = Cluster::new();
    cluster
        .create(NewTopic {
            partitions: 3,
            ..topic("t")
        })
        .unwrap();
    assert!(matches!(
        cluster.grow("no", 2),
        Err(MetadataError::UnknownTopic(_))
    ));
    for count in [2, 3, 0, -1, i32::MIN] {
        assert!(
            matches!(cluster.grow("t", count), Err(MetadataError::Partitions(_))),
            "{count}"
        );
    }
    cluster.grow("t", 5).unwrap();
    assert_eq!(cluster.image.topic("t").unwrap().partitions.len(), 5);
    let assigned = |assignments: Vec<Vec<i32>>| NewPartitions {
        name: "t".to_owned(),
        count: 7,
        assignments: Some(assignments),
    };
    for (assignments, good) in [
        (vec![vec![1]], false),
        (vec![vec![1], vec![2]], false),
        (vec![vec![1], vec![1]], true),
    ] {
        let command = CreatePartitions {
            topics: vec![assigned(assignments)],
            validate_only: false,
        };
        match cluster.submit(MetadataCommand::CreatePartitions(command)).0 {
            MetadataOutcome::CreatePartitions(answers) => {
                assert_eq!(answers[0].1.is_ok(), good, "{answers:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn asked_topics_are_made_and_of_kafkas_own_the_one_that_is_served() {
    let mut cluster = Cluster::with("num.partitions=2\noffsets.topic.segment.bytes=2097152");
    let names = ["a", "__transaction_state", "__consumer_offsets"].map(str::to_owned);
    let names = names.to_vec();
    let (outcome, _) = cluster.submit(MetadataCommand::AutoCreate(names.clone()));
    let MetadataOutcome::AutoCreate(answers) = outcome else {
        panic!("{outcome:?}")
    };
    let made: Vec<bool> = answers.iter().map(|(_, made)| made.is_ok()).collect();
    assert_eq!(made, [true, false, true]);
    assert_eq!(cluster.image.topic("a").unwrap().partitions.len(), 2);
    let offsets = cluster.image.topic("__consumer_offsets").unwrap();
    assert_eq!(offsets.partitions.len(), 50);
    let configs = cluster.image.topic_config("__consumer_offsets");
    assert_eq!(configs["cleanup.policy"], "compact");
    assert_eq!(configs["segment.bytes"], "2097152");
    let (outcome, delta) = cluster.submit(MetadataCommand::AutoCreate(names));
    assert!(matches!(outcome, MetadataOutcome::AutoCreate(a) if a[0].1.is_ok()));
    assert!(delta.is_empty(), "it was there already");
}

#[test]
fn producer_ids_are_never_given_twice() {
    let mut cluster = Cluster::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (outcome, _) = cluster.submit(MetadataCommand::AllocateProducerIds);
        let MetadataOutcome::ProducerIds { first, count } = outcome else {
            panic!("{outcome:?}")
        };
        let mut block = ProducerIdBlock::new(first, count);
        while let Some(id) = block.take() {
            assert!(seen.insert(id), "{id} came twice");
        }
    }
    assert_eq!(seen.len(), 3000);
    assert_eq!(cluster.image.next_producer_id(), 3000);
}

#[test]
fn topic_ids_are_random_and_never_begin_with_a_dash() {
    let mut cluster = Cluster::new();
    for number in 0..300 {
        let id = cluster.create(topic(&format!("t{number}"))).unwrap().id;
        assert!(!id.to_string().starts_with('-'), "{id}");
    }
    assert_eq!(cluster.image.topic_count(), 300);
}

#[test]
fn transaction_takes_effect_at_its_end_or_never() {
    let id = Uuid([5; 16]);
    let begin = encode(BeginTransactionRecord { name: None });
    let topic = encode(TopicRecord {
        name: "t",
        topic_id: id,
    });
    let image = MetadataImage::default();
    let (held, delta) = image.apply(Offset(0), [begin.as_slice(), &topic]).unwrap();
    assert!(held.topic("t").is_none() && delta.is_empty());
    let abort = encode(AbortTransactionRecord { reason: None });
    let (aborted, _) = held.apply(Offset(2), [abort.as_slice()]).unwrap();
    assert!(aborted.topic("t").is_none());
    let end = encode(EndTransactionRecord {});
    let (ended, delta) = held.apply(Offset(2), [end.as_slice()]).unwrap();
    assert!(ended.topic("t").is_some() && delta.created.len() == 1);
    let error = ended.apply(Offset(3), [end.as_slice()]).unwrap_err();
    assert_eq!(error, ApplyError::Transaction { offset: 3 });
}

#[test]
fn bad_records_are_errors_with_their_offset() {
    let image = MetadataImage::default();
    let noop = encode(NoOpRecord {});
    let garbage = [1, 99, 0];
    let error = image
        .apply(Offset(40), [noop.as_slice(), &garbage])
        .unwrap_err();
    assert!(
        matches!(error, ApplyError::Decode { offset: 41, .. }),
        "{error}"
    );
    let gone = encode(RemoveTopicRecord {
        topic_id: Uuid([1; 16]),
    });
    let error = image.apply(Offset(0), [gone.as_slice()]).unwrap_err();
    assert!(
        matches!(error, ApplyError::Missing { offset: 0, .. }),
        "{error}"
    );
    let orphan = encode(PartitionRecord::default());
    assert!(image.apply(Offset(0), [orphan.as_slice()]).is_err());
}

#[test]
fn null_value_removes_a_configuration() {
    let record = |value| {
        encode(ConfigRecord {
            resource_type: 4,
            resource_name: "",
            name: "log.roll.ms",
            value,
        })
    };
    let resource = ConfigResource {
        kind: ResourceType::BROKER,
        name: String::new(),
    };
    let (set, delta) = MetadataImage::default()
        .apply(Offset(0), [record(Some("7")).as_slice()])
        .unwrap();
    assert_eq!(set.config(&resource).get("log.roll.ms").unwrap(), "7");
    assert_eq!(delta.configs, std::slice::from_ref(&resource));
    let (unset, _) = set.apply(Offset(1), [record(None).as_slice()]).unwrap();
    assert!(unset.config(&resource).is_empty());
}
