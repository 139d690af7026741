//! A broker in a process of its own, and plain clients of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use logmill_wire::batch::{BatchBuilder, BatchMeta, NewRecord};
use logmill_wire::messages::create_topics::{
    CreatableTopic, CreateTopicsRequest, CreateTopicsResponse,
};
use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use logmill_wire::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use logmill_wire::{ApiKey, Message, Reader, RequestHeader, ResponseHeader, Writer};

/// A running broker; killed when dropped.
pub struct Broker {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
    _directory: tempfile::TempDir,
}

/// A client's connection.
pub struct Client {
    pub stream: TcpStream,
    correlation: i32,
}

impl Broker {
    /// Starts a broker on a directory and port of its own.
    pub fn start(sets: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_logmill"));
        command
            .arg("--set")
            .arg(format!("log.dirs={}", directory.path().display()))
            .args(["--set", "listeners=PLAINTEXT://127.0.0.1:0"]);
        for set in sets {
            command.args(["--set", set]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the broker's binary");
        let log = Arc::new(Mutex::new(String::new()));
        gather(child.stderr.take().expect("piped"), Arc::clone(&log));
        let lines = lines_of(child.stdout.take().expect("piped"));
        let address = wait_for_ready(&lines, &log);
        Self {
            child,
            address,
            log,
            _directory: directory,
        }
    }

    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the broker accepts");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Client {
            stream,
            correlation: 0,
        }
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the broker runs");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("a VmRSS line");
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|it| it.parse().ok())
            .unwrap();
        kib * 1_024
    }

    /// Waits until the broker's log says something.
    pub fn wait_for_log(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.log().contains(text) {
            assert!(
                Instant::now() < deadline,
                "no {text:?} in the log:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("no panic while logging").clone()
    }

    /// CPU time used so far.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .expect("the broker runs");
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        // utime and stime, in ticks of 10 ms, are the 14th and 15th fields of proc_pid_stat(5).
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill");
        assert!(status.success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the broker does not end:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    pub fn frame<'a>(&mut self, api: ApiKey, version: i16, request: &impl Message<'a>) -> Vec<u8> {
        self.correlation += 1;
        let mut writer = Writer::new();
        writer.i32(0);
        let header = RequestHeader {
            request_api_key: api as i16,
            request_api_version: version,
            correlation_id: self.correlation,
            client_id: Some("limits"),
        };
        header
            .encode(&mut writer, api.request_header_version(version))
            .unwrap();
        request.encode(&mut writer, version).unwrap();
        let len = i32::try_from(writer.bytes.len() - 4).unwrap();
        writer.bytes[..4].copy_from_slice(&len.to_be_bytes());
        writer.bytes
    }

    /// Reads one reply: correlation id and body.
    pub fn reply(&mut self, api: ApiKey, version: i16) -> std::io::Result<(i32, Vec<u8>)> {
        let mut field = [0; 4];
        self.stream.read_exact(&mut field)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(field)).unwrap()];
        self.stream.read_exact(&mut frame)?;
        let (header, reader) = ResponseHeader::decode(&frame, api, version).unwrap();
        Ok((header.correlation_id, reader.rest().to_vec()))
    }

    pub fn call<'a>(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &impl Message<'a>,
    ) -> std::io::Result<Vec<u8>> {
        let frame = self.frame(api, version, request);
        self.stream.write_all(&frame)?;
        let (correlation, body) = self.reply(api, version)?;
        assert_eq!(correlation, self.correlation);
        Ok(body)
    }

    pub fn create_topic(&mut self, name: &str, partitions: i32) {
        let topic = CreatableTopic {
            name,
            num_partitions: partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic].into(),
            timeout_ms: 10_000,
            ..CreateTopicsRequest::default()
        };
        let body = self
            .call(ApiKey::CreateTopics, 5, &request)
            .expect("a reply");
        let response: CreateTopicsResponse<'_> = decode(&body, 5);
        assert_eq!(response.topics.first().unwrap().error_code, 0);
    }

    /// Produces one batch and gives error code and base offset.
    pub fn produce(&mut self, topic: &str, partition: i32, batch: &[u8]) -> (i16, i64) {
        let request = produce_request(topic, partition, batch, -1);
        let body = self.call(ApiKey::Produce, 9, &request).expect("a reply");
        let response: ProduceResponse<'_> = decode(&body, 9);
        let part = response
            .responses
            .first()
            .unwrap()
            .partition_responses
            .first()
            .unwrap();
        (part.error_code, part.base_offset)
    }

    /// Fetches once from an offset and gives the bytes of records.
    pub fn fetch(&mut self, topic: &str, partition: i32, offset: i64, max_bytes: i32) -> Vec<u8> {
        let request = fetch_request(topic, partition, offset, max_bytes);
        let body = self.call(ApiKey::Fetch, 12, &request).expect("a reply");
        let response: FetchResponse<'_> = decode(&body, 12);
        let part = response
            .responses
            .first()
            .unwrap()
            .partitions
            .first()
            .unwrap();
        assert_eq!(part.error_code, 0);
        part.records
            .and_then(|records| records.bytes())
            .unwrap_or_default()
            .to_vec()
    }

    /// Whether the broker has closed this connection, or closes it within half a second.
    pub fn is_closed_now(&mut self) -> bool {
        let patience = |client: &Self, time| {
            client
                .stream
                .set_read_timeout(Some(time))
                .expect("a socket");
        };
        patience(self, Duration::from_millis(500));
        let is_closed = self.is_closed();
        patience(self, PATIENCE);
        is_closed
    }

    /// Whether the broker has closed this connection.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

pub fn produce_request<'a>(
    topic: &'a str,
    index: i32,
    batch: &'a [u8],
    acks: i16,
) -> ProduceRequest<'a> {
    let part = PartitionProduceData {
        index,
        records: Some(batch.into()),
    };
    let data = TopicProduceData {
        name: topic,
        partition_data: vec![part].into(),
        ..TopicProduceData::default()
    };
    ProduceRequest {
        acks,
        timeout_ms: 20_000,
        topic_data: vec![data].into(),
        ..ProduceRequest::default()
    }
}

pub fn fetch_request<'a>(
    topic: &'a str,
    partition: i32,
    fetch_offset: i64,
    max_bytes: i32,
) -> FetchRequest<'a> {
    let part = FetchPartition {
        partition,
        fetch_offset,
        partition_max_bytes: max_bytes,
        ..FetchPartition::default()
    };
    let topic = FetchTopic {
        topic,
        partitions: vec![part].into(),
        ..FetchTopic::default()
    };
    FetchRequest {
        max_wait_ms: 10_000,
        min_bytes: 1,
        max_bytes,
        topics: vec![topic].into(),
        ..FetchRequest::default()
    }
}

/// A batch of one record with a value of so many bytes.
pub fn batch(value_bytes: usize, seed: u8) -> Vec<u8> {
    let value: Vec<u8> = (0..value_bytes)
        .map(|at| (at as u8).wrapping_mul(31) ^ seed)
        .collect();
    let mut builder = BatchBuilder::new();
    let record = NewRecord {
        timestamp: 1_700_000_000_000,
        value: Some(&value),
        ..NewRecord::default()
    };
    builder.append(&record).unwrap();
    let mut bytes = Vec::new();
    builder.finish(&BatchMeta::default(), &mut bytes);
    bytes
}

pub fn decode<'a, M: Message<'a>>(body: &'a [u8], version: i16) -> M {
    M::decode(&mut Reader::new(body), version).expect("a reply of its version")
}

fn gather(stream: impl Read + Send + 'static, log: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().expect("no panic while logging");
            log.push_str(&line);
            log.push('\n');
        }
    });
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // The test may have what it wanted.
            let _ = sender.send(line);
        }
    });
    lines
}

fn wait_for_ready(lines: &Receiver<String>, log: &Arc<Mutex<String>>) -> SocketAddr {
    let mut said = String::new();
    loop {
        let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) else {
            panic!(
                "no ready line; said:\n{said}\nlog:\n{}",
                log.lock().unwrap()
            );
        };
        if line.starts_with("ready") {
            let address = line
                .split_whitespace()
                .find_map(|word| word.trim_end_matches(',').parse::<SocketAddr>().ok());
            return address.expect("an address in the ready line");
        }
        said.push_str(&line);
        said.push('\n');
    }
}

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
