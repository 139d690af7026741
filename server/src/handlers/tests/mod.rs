//! Handlers that answer from metadata, in every version that is served: the request is encoded,
//! decoded and answered, and the answer decoded, as on a connection.

mod alter;
mod cluster;
mod configs;
mod topics;
mod versions;

use std::sync::Arc;

use logmill_engine::base::Now;
use logmill_wire::{Message, Reader, Request, Response, Uuid, Writer};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::config::Config;
use crate::handlers::{BrokerIdentity, Planned, RequestContext};
use crate::metadata::{
    BrokerRegistration, ConfigResource, CreateTopics, Endpoint, LocalController, MetadataCommand,
    MetadataImage, MetadataOutcome, MetadataWriter, NewTopic, ProducerIdBlock,
};

/// A broker with its metadata, without connections.
struct Broker {
    config: Config,
    identity: BrokerIdentity,
    image: Arc<MetadataImage>,
    controller: LocalController,
    rng: StdRng,
    block: ProducerIdBlock,
    version: i16,
}

impl Broker {
    fn new() -> Self {
        Self::with("")
    }

    fn with(config: &str) -> Self {
        let config = Config::load(Some(config), &[]).unwrap().config;
        let directory = Uuid([0xd; 16]);
        let identity = BrokerIdentity {
            cluster_id: "the-cluster".to_owned(),
            node_id: 1,
            rack: config.rack.clone(),
            host: "told.example".to_owned(),
            port: 19_092,
        };
        let mut broker = Self {
            controller: LocalController::new(&config, &[directory], 100_000),
            config,
            identity,
            image: Arc::default(),
            rng: StdRng::seed_from_u64(3),
            block: ProducerIdBlock::default(),
            version: 0,
        };
        let endpoint = Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "h".to_owned(),
            port: 1,
        };
        let registration = BrokerRegistration {
            node_id: 1,
            incarnation: Uuid([9; 16]),
            endpoints: vec![endpoint],
            rack: None,
            directories: vec![directory],
            unclean: false,
        };
        let records = registration.records(&broker.image);
        broker.append(&records);
        broker
    }

    fn append(&mut self, records: &[Vec<u8>]) {
        let values = records.iter().map(Vec::as_slice);
        let (image, _) = self.image.apply(self.image.offset.next(), values).unwrap();
        self.image = Arc::new(image);
        let own = self.image.config(&ConfigResource::broker(1));
        let all = self.image.config(&ConfigResource::all_brokers());
        self.config = self.config.with_dynamic(&own, &all);
    }

    fn context(&self) -> RequestContext<'_> {
        RequestContext {
            image: &self.image,
            config: &self.config,
            broker: &self.identity,
            version: self.version,
            client_id: Some("test"),
            now: Now::default(),
        }
    }

    fn submit(&mut self, command: MetadataCommand) -> MetadataOutcome {
        let submitted = self
            .controller
            .submit(Now::default(), &self.image, command, &mut self.rng);
        self.append(&submitted.records);
        submitted.outcome
    }

    /// Creates a topic and returns its id.
    fn create(&mut self, name: &str, partitions: i32) -> Uuid {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        };
        let command = CreateTopics {
            topics: vec![topic],
            validate_only: false,
        };
        match self.submit(MetadataCommand::CreateTopics(command)) {
            MetadataOutcome::CreateTopics(answers) => Uuid(answers[0].1.as_ref().unwrap().id.0),
            other => panic!("{other:?}"),
        }
    }

    /// Finishes a request: carries out the command that it asked for, and has it answered.
    fn finish(&mut self, planned: Planned, out: &mut Writer) {
        let Planned::Command { command, suspended } = planned else {
            return;
        };
        let outcome = self.submit(command);
        let mut block = self.block;
        suspended
            .reply(&self.context(), &outcome, &mut block, out)
            .unwrap();
        self.block = block;
    }
}

/// The bytes of a request of this version.
fn encoded<'a>(request: &impl Request<'a>, version: i16) -> Vec<u8> {
    let mut writer = Writer::new();
    request.encode(&mut writer, version).unwrap();
    writer.bytes
}

/// Reads a whole message.
fn decoded<'a, M: Message<'a>>(bytes: &'a [u8], version: i16) -> M {
    let mut reader = Reader::new(bytes);
    let message = M::decode(&mut reader, version).unwrap();
    reader.finish().unwrap();
    message
}

/// Reads a whole answer.
fn answer<'a, R: Response<'a>>(out: &'a Writer, version: i16) -> R {
    decoded(&out.bytes, version)
}
