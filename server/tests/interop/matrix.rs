//! Producer x codec x consumer: what any client wrote, every client reads back the same, in order.

use std::collections::HashMap;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::broker::Broker;
use crate::clients::{CODECS, Client, Read, Ready};
use crate::corpus::{self, Record};
use crate::frames::Frames;
use crate::results::{Outcome, Results};

/// Twice a MiB of value, so that a 1 MiB record and what surrounds it fit.
const MAX_MESSAGE_BYTES: &str = "2200000";

/// The corpus's first record is an hour old: within every default bound on timestamps, and not
/// about to be retained out.
const CORPUS_AGE_MS: i64 = 3_600_000;

/// Runs the matrix on `broker`.
pub fn run(broker: &Broker, results: &mut Results) -> Result<(), String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970")
        .as_millis() as i64;
    let start = now - CORPUS_AGE_MS;
    let records = corpus::corpus(start);
    let ready = set_up(broker, &Client::ALL, results);
    let topics: Vec<Topic> = ready
        .iter()
        .flat_map(|ready| {
            ready.client.codings().iter().map(|coding| Topic {
                producer: ready.client,
                coding,
            })
        })
        .collect();
    let names: Vec<String> = topics.iter().map(Topic::name).collect();
    let mut frames = Frames::connect(&broker.bootstrap)?;
    frames.create_topics(&names, &[("max.message.bytes", MAX_MESSAGE_BYTES)])?;
    produce(&ready, &records, results);
    let versions: HashMap<&str, String> = ready
        .iter()
        .map(|r| (r.client.name(), results.version_of(r.client.name())))
        .collect();
    for topic in &topics {
        let outcome =
            stored_codec(&mut frames, topic).map_or_else(Outcome::Fail, |()| Outcome::Pass);
        let scenario = format!("stored as {}", topic.shown());
        results.add(
            topic.producer.name(),
            &versions[topic.producer.name()],
            &scenario,
            outcome,
        );
    }
    let times: Vec<i64> = [-1, 1_005, 8_950, 10_001, 90_000_000]
        .iter()
        .map(|after| start + after)
        .collect();
    let names_for = |reader: Client| -> Vec<String> {
        let readable = topics.iter().filter(|topic| topic.is_for(reader));
        readable.map(Topic::name).collect()
    };
    for (ready, read) in consume(&ready, names_for, &times, results) {
        let name = ready.client.name();
        let version = &versions[name];
        for topic in topics.iter().filter(|topic| topic.is_for(ready.client)) {
            let expected = topic.expected(&records);
            let scenario = format!("read {} {}", topic.producer.name(), topic.shown());
            let whole = compare(topic, &expected, &read.lines);
            let small =
                compare(topic, &expected, &read.small).map_err(|e| format!("small fetches: {e}"));
            let outcome = whole
                .and(small)
                .map_or_else(Outcome::Fail, |()| Outcome::Pass);
            results.add(name, version, &scenario, outcome);
        }
        let outcome = compare_times(&read).map_or_else(Outcome::Fail, |()| Outcome::Pass);
        results.add(name, version, "offsets by time", outcome);
    }
    Ok(())
}

/// Those of `clients` whose toolchains are there; they are set up side by side.
pub fn set_up(broker: &Broker, clients: &[Client], results: &mut Results) -> Vec<Ready> {
    let tried: Vec<_> = thread::scope(|scope| {
        let set_up = |client: &Client| {
            let client = *client;
            let folder = broker.scratch(client.name());
            scope.spawn(move || (client, client.set_up(&broker.bootstrap, folder)))
        };
        let running: Vec<_> = clients.iter().map(set_up).collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended.map(|it| it.expect("no panic in there")).collect()
    });
    let mut ready = Vec::new();
    for (client, result) in tried {
        match result {
            Ok(client) => ready.push(client),
            Err(why) => results.missing(client.name(), &why),
        }
    }
    ready
}

/// The topic that one producer wrote in one codec.
struct Topic {
    producer: Client,
    /// A codec, or `CODEC.LEVEL`.
    coding: &'static str,
}

impl Topic {
    fn name(&self) -> String {
        format!("{}-{}", self.producer.name(), self.coding)
    }

    fn is_for(&self, reader: Client) -> bool {
        reader.reads(self.producer, self.coding)
    }

    /// How scenarios name the codec and its level.
    fn shown(&self) -> String {
        self.coding.replacen('.', " at ", 1)
    }

    /// The codec's number in a batch's attributes.
    fn codec(&self) -> i16 {
        let name = self.coding.split('.').next();
        let number = CODECS.iter().position(|codec| Some(*codec) == name);
        number.expect("one of the codecs") as i16
    }

    /// Canonical lines; the timestamp of a producer that sets none is `*`.
    fn expected(&self, records: &[Record]) -> Vec<String> {
        let name = self.name();
        let sent = self.producer.sendable(records);
        let lines = sent.iter().enumerate().map(|(offset, record)| {
            let line = format!("{name}\t{offset}\t{}", record.canonical(record.timestamp));
            if self.producer.sets_timestamps() {
                line
            } else {
                without_timestamp(&line)
            }
        });
        lines.collect()
    }
}

/// Every producer at the same time, a thread each: the topics do not overlap.
fn produce(ready: &[Ready], records: &[Record], results: &mut Results) {
    let noted: Vec<Results> = thread::scope(|scope| {
        let running: Vec<_> = ready
            .iter()
            .map(|client| {
                scope.spawn(move || {
                    let mut noted = Results::default();
                    if let Err(why) = client.produce(records, &mut noted) {
                        noted.add(client.client.name(), "", "produce", Outcome::Fail(why));
                    }
                    noted
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no panic in there"))
            .collect()
    });
    noted.into_iter().for_each(|noted| results.append(noted));
}

/// Every consumer at the same time, a thread each, on its topics.
pub fn consume<'a>(
    ready: &'a [Ready],
    topics: impl Fn(Client) -> Vec<String> + Sync,
    times: &[i64],
    results: &mut Results,
) -> Vec<(&'a Ready, Read)> {
    let topics = &topics;
    let mut reads = Vec::new();
    thread::scope(|scope| {
        let running: Vec<_> = ready
            .iter()
            .map(|client| {
                scope.spawn(move || {
                    let mut noted = Results::default();
                    let read = client.consume(&topics(client.client), times, &mut noted);
                    (client, noted, read)
                })
            })
            .collect();
        for thread in running {
            let (client, noted, read) = thread.join().expect("no panic in there");
            results.append(noted);
            match read {
                Ok(read) => reads.push((client, read)),
                Err(why) => results.add(client.client.name(), "", "consume", Outcome::Fail(why)),
            }
        }
    });
    reads
}

/// Every stored batch has its producer's codec in its attributes. A batch that would not get
/// smaller may go plain: librdkafka then sends it so.
fn stored_codec(frames: &mut Frames, topic: &Topic) -> Result<(), String> {
    let batches = frames.stored_batches(&topic.name())?;
    let coded = batches
        .iter()
        .filter(|batch| batch.codec() == topic.codec())
        .count();
    let plain = batches
        .iter()
        .filter(|batch| batch.codec() == 0 && batch.records == 1)
        .count();
    let shown: Vec<i16> = batches.iter().map(|batch| batch.codec()).collect();
    if batches.is_empty() || coded == 0 || (topic.codec() != 0 && coded + plain < batches.len()) {
        return Err(format!("codec numbers of the stored batches: {shown:?}"));
    }
    Ok(())
}

/// The topic's lines among `read`, in their order, against what was sent.
fn compare(topic: &Topic, expected: &[String], read: &[String]) -> Result<(), String> {
    let prefix = format!("{}\t", topic.name());
    let mut lines = read.iter().filter(|line| line.starts_with(&prefix));
    for (offset, sent) in expected.iter().enumerate() {
        let Some(line) = lines.next() else {
            return Err(format!("{offset} records read, {} sent", expected.len()));
        };
        let line = if topic.producer.sets_timestamps() {
            line.clone()
        } else {
            without_timestamp(line)
        };
        if line != *sent {
            return Err(format!("at offset {offset} sent\n  {sent}\nread\n  {line}"));
        }
    }
    let more = lines.count();
    if more > 0 {
        Err(format!("{more} records more than were sent"))
    } else {
        Ok(())
    }
}

/// Each look-up by time names the first record, of those that the same client read, that is as
/// late.
fn compare_times(read: &Read) -> Result<(), String> {
    let mut timestamps: HashMap<&str, Vec<i64>> = HashMap::new();
    for line in &read.lines {
        let field: Vec<&str> = line.split('\t').collect();
        timestamps
            .entry(field[0])
            .or_default()
            .push(field[4].parse().map_err(|_| line.clone())?);
    }
    if read.times.is_empty() {
        return Err("no look-up was made".to_owned());
    }
    for line in &read.times {
        let field: Vec<&str> = line.split('\t').collect();
        let time: i64 = field[1].parse().map_err(|_| line.clone())?;
        let first = timestamps
            .get(field[0])
            .and_then(|all| all.iter().position(|at| *at >= time));
        let expected = first.map_or("-".to_owned(), |offset| offset.to_string());
        if field[2] != expected {
            return Err(format!(
                "{}: offset {} at or after {time}, not {expected}",
                field[0], field[2]
            ));
        }
    }
    Ok(())
}

fn without_timestamp(line: &str) -> String {
    let mut field: Vec<&str> = line.split('\t').collect();
    field[4] = "*";
    field.join("\t")
}
