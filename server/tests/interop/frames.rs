//! A few requests by hand, in versions before the compact encodings: what the suite itself asks of
//! a broker, without any of the clients or codecs that it tests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const JOIN_GROUP: i16 = 11;
const LEAVE_GROUP: i16 = 13;
const CREATE_TOPICS: i16 = 19;
const FETCH_BYTES_MAX: i32 = 16 << 20;
const TIMEOUT: Duration = Duration::from_secs(120);

/// A connection that sends one request at a time.
pub struct Frames {
    stream: TcpStream,
}

impl Frames {
    /// Connects to `host:port`.
    pub fn connect(bootstrap: &str) -> Result<Frames, String> {
        let stream = TcpStream::connect(bootstrap).map_err(|e| format!("{bootstrap}: {e}"))?;
        stream
            .set_read_timeout(Some(TIMEOUT))
            .map_err(|e| e.to_string())?;
        Ok(Frames { stream })
    }

    /// Makes topics of one partition (CreateTopics 2) and waits for their leader; those that exist
    /// already are left as they are.
    pub fn create_topics(
        &mut self,
        names: &[String],
        configs: &[(&str, &str)],
    ) -> Result<(), String> {
        self.create_topics_of(1, names, configs)
    }

    /// As [`Frames::create_topics`], with any number of partitions.
    pub fn create_topics_of(
        &mut self,
        partitions: i32,
        names: &[String],
        configs: &[(&str, &str)],
    ) -> Result<(), String> {
        let mut body = Vec::new();
        put_i32(&mut body, names.len() as i32);
        for name in names {
            put_string(&mut body, name);
            put_i32(&mut body, partitions);
            put_i16(&mut body, 1);
            put_i32(&mut body, 0);
            put_i32(&mut body, configs.len() as i32);
            for (key, value) in configs {
                put_string(&mut body, key);
                put_string(&mut body, value);
            }
        }
        put_i32(&mut body, TIMEOUT.as_millis() as i32);
        body.push(0);
        let reply = self.call(CREATE_TOPICS, 2, &body)?;
        let mut at = Cursor {
            bytes: &reply,
            at: 4,
        };
        for _ in 0..at.i32()? {
            let name = at.string()?;
            let error = at.i16()?;
            at.string()?;
            const TOPIC_ALREADY_EXISTS: i16 = 36;
            if error != 0 && error != TOPIC_ALREADY_EXISTS {
                return Err(format!("topic {name} cannot be made: error {error}"));
            }
        }
        // Kafka's broker leads them a moment later, and not every client tries again.
        for name in names {
            self.high_watermark(name)?;
        }
        Ok(())
    }

    /// The record batches of partition 0 as they are stored, up to the high watermark (Fetch 4).
    pub fn stored_batches(&mut self, topic: &str) -> Result<Vec<StoredBatch>, String> {
        let mut batches: Vec<StoredBatch> = Vec::new();
        loop {
            let from = batches.last().map_or(0, |batch| batch.last_offset + 1);
            let (high_watermark, records) = self.fetch(topic, from, FETCH_BYTES_MAX)?;
            let before = batches.len();
            let mut rest = records.as_slice();
            while let Some(batch) = StoredBatch::parse(rest) {
                rest = &rest[batch.bytes..];
                batches.push(batch);
            }
            let end = batches.last().map_or(0, |batch| batch.last_offset + 1);
            if end >= high_watermark {
                return Ok(batches);
            }
            if batches.len() == before {
                return Err(format!(
                    "{topic}: no whole batch at {from}, the end is {high_watermark}"
                ));
            }
        }
    }

    /// Writes a batch to each of these partitions, acknowledged by all replicas (Produce 3);
    /// answers each partition's error code and base offset.
    pub fn produce(
        &mut self,
        topic: &str,
        batches: &[(i32, Vec<u8>)],
    ) -> Result<Vec<(i32, i16, i64)>, String> {
        let mut body = Vec::new();
        put_i16(&mut body, -1);
        put_i16(&mut body, -1);
        put_i32(&mut body, TIMEOUT.as_millis() as i32);
        put_i32(&mut body, 1);
        put_string(&mut body, topic);
        put_i32(&mut body, batches.len() as i32);
        for (partition, batch) in batches {
            put_i32(&mut body, *partition);
            put_i32(&mut body, batch.len() as i32);
            body.extend_from_slice(batch);
        }
        let reply = self.call(PRODUCE, 3, &body)?;
        let mut at = Cursor {
            bytes: &reply,
            at: 4,
        };
        at.string()?;
        let mut answers = Vec::new();
        for _ in 0..at.i32()? {
            answers.push((at.i32()?, at.i16()?, at.i64()?));
            at.i64()?;
        }
        Ok(answers)
    }

    /// Joins an empty group and leaves it (both in version 0); answers the generation that this
    /// made, which is one more than the group had.
    pub fn next_generation(&mut self, group: &str, protocol: &str) -> Result<i32, String> {
        const SESSION_MS: i32 = 6_000;
        let mut body = Vec::new();
        put_string(&mut body, group);
        put_i32(&mut body, SESSION_MS);
        put_string(&mut body, "");
        put_string(&mut body, "consumer");
        put_i32(&mut body, 1);
        put_string(&mut body, protocol);
        put_i32(&mut body, 0);
        let reply = self.call(JOIN_GROUP, 0, &body)?;
        let mut at = Cursor {
            bytes: &reply,
            at: 0,
        };
        let (error, generation) = (at.i16()?, at.i32()?);
        if error != 0 {
            return Err(format!("{group} cannot be joined: error {error}"));
        }
        at.string()?;
        at.string()?;
        let member = at.string()?;
        let mut body = Vec::new();
        put_string(&mut body, group);
        put_string(&mut body, &member);
        self.call(LEAVE_GROUP, 0, &body)?;
        Ok(generation)
    }

    /// Partition 0's high watermark.
    pub fn high_watermark(&mut self, topic: &str) -> Result<i64, String> {
        self.fetch(topic, 0, 1)
            .map(|(high_watermark, _)| high_watermark)
    }

    /// One partition's high watermark and records; a topic that was made just now may need a
    /// moment.
    fn fetch(&mut self, topic: &str, from: i64, bytes_max: i32) -> Result<(i64, Vec<u8>), String> {
        let mut attempt = 0;
        loop {
            match self.fetch_once(topic, from, bytes_max)? {
                (0, high_watermark, records) => return Ok((high_watermark, records)),
                (3 | 5 | 6, ..) if attempt < 100 => std::thread::sleep(Duration::from_millis(50)),
                (error, ..) => return Err(format!("{topic}: fetch at {from}: error {error}")),
            }
            attempt += 1;
        }
    }

    fn fetch_once(
        &mut self,
        topic: &str,
        from: i64,
        bytes_max: i32,
    ) -> Result<(i16, i64, Vec<u8>), String> {
        let mut body = Vec::new();
        put_i32(&mut body, -1);
        put_i32(&mut body, 0);
        put_i32(&mut body, 1);
        put_i32(&mut body, bytes_max);
        body.push(0);
        put_i32(&mut body, 1);
        put_string(&mut body, topic);
        put_i32(&mut body, 1);
        put_i32(&mut body, 0);
        body.extend_from_slice(&from.to_be_bytes());
        put_i32(&mut body, bytes_max);
        let reply = self.call(FETCH, 4, &body)?;
        let mut at = Cursor {
            bytes: &reply,
            at: 8,
        };
        at.string()?;
        at.i32()?;
        at.i32()?;
        let error = at.i16()?;
        let high_watermark = at.i64()?;
        at.i64()?;
        // No aborted transactions, as the isolation level asks for none.
        at.i32()?;
        let len = at.i32()?.max(0) as usize;
        Ok((error, high_watermark, at.take(len)?.to_vec()))
    }

    /// Sends one request with header version 1; the answer begins after its correlation id.
    fn call(&mut self, api: i16, version: i16, body: &[u8]) -> Result<Vec<u8>, String> {
        let mut frame = Vec::with_capacity(body.len() + 32);
        put_i16(&mut frame, api);
        put_i16(&mut frame, version);
        put_i32(&mut frame, 7);
        put_string(&mut frame, "interop-suite");
        frame.extend_from_slice(body);
        let mut sent = (frame.len() as i32).to_be_bytes().to_vec();
        sent.extend_from_slice(&frame);
        let broken = |e: std::io::Error| format!("api {api}: {e}");
        self.stream.write_all(&sent).map_err(broken)?;
        let mut len = [0; 4];
        self.stream.read_exact(&mut len).map_err(broken)?;
        let mut reply = vec![0; u32::from_be_bytes(len) as usize];
        self.stream.read_exact(&mut reply).map_err(broken)?;
        // The correlation id goes; nothing else is in flight here.
        reply.drain(..4);
        Ok(reply)
    }
}

/// What a stored batch's header says.
pub struct StoredBatch {
    /// Bits 0 to 2 name the codec.
    pub attributes: i16,
    /// The offset of its last record.
    pub last_offset: i64,
    /// Records in it.
    pub records: i32,
    bytes: usize,
}

impl StoredBatch {
    /// The codec's number in the attributes.
    pub fn codec(&self) -> i16 {
        self.attributes & 7
    }

    /// The first batch of `bytes`; `None` when it is not there as a whole.
    fn parse(bytes: &[u8]) -> Option<StoredBatch> {
        let field = |at: usize| {
            bytes
                .get(at..at + 4)
                .map(|b| i32::from_be_bytes(b.try_into().unwrap()))
        };
        let base = bytes
            .get(..8)
            .map(|b| i64::from_be_bytes(b.try_into().unwrap()))?;
        let whole = 12 + field(8)? as usize;
        if bytes.len() < whole || whole < 61 {
            return None;
        }
        Some(StoredBatch {
            attributes: i16::from_be_bytes([bytes[21], bytes[22]]),
            last_offset: base + i64::from(field(23)?),
            records: field(57)?,
            bytes: whole,
        })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let taken = self
            .bytes
            .get(self.at..self.at + len)
            .ok_or("the answer is too short")?;
        self.at += len;
        Ok(taken)
    }

    fn i16(&mut self) -> Result<i16, String> {
        Ok(i16::from_be_bytes(
            self.take(2)?.try_into().expect("two bytes"),
        ))
    }

    fn i32(&mut self) -> Result<i32, String> {
        Ok(i32::from_be_bytes(
            self.take(4)?.try_into().expect("four bytes"),
        ))
    }

    fn i64(&mut self) -> Result<i64, String> {
        Ok(i64::from_be_bytes(
            self.take(8)?.try_into().expect("eight bytes"),
        ))
    }

    /// A nullable string; a null is the empty one.
    fn string(&mut self) -> Result<String, String> {
        let len = self.i16()?.max(0) as usize;
        Ok(String::from_utf8_lossy(self.take(len)?).into_owned())
    }
}

fn put_i16(out: &mut Vec<u8>, value: i16) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put_string(out: &mut Vec<u8>, value: &str) {
    put_i16(out, value.len() as i16);
    out.extend_from_slice(value.as_bytes());
}
