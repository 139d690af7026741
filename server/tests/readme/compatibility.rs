//! The compatibility table, from the results file of the `interop` tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// What every scenario of a whole run came to; all passed.
pub struct Results {
    rows: Vec<Row>,
}

struct Row {
    client: String,
    version: String,
    scenario: String,
}

impl Results {
    /// Reads the results file; an error says why there is nothing to make a table of.
    pub fn of_the_last_run() -> Result<Results, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
        let path = target
            .ok_or("no target folder")?
            .join("interop/results.json");
        let text = fs::read_to_string(&path).map_err(|_| "the interop tests have not run")?;
        let parsed: Vec<Value> = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let mut rows = Vec::new();
        for value in &parsed {
            let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            let row = Row {
                client: field("client"),
                version: field("version"),
                scenario: field("scenario"),
            };
            if field("result") != "pass" {
                return Err(format!("{}: {} did not pass", row.client, row.scenario));
            }
            rows.push(row);
        }
        let results = Results { rows };
        for test in [
            "clients",
            "compacted logs",
            "groups",
            "log shippers",
            "lost tails",
            "tools",
            "tools for groups",
        ] {
            if results.of(test).next().is_none() {
                return Err(format!("the last run was without the {test}"));
            }
        }
        Ok(results)
    }

    /// Two tables: clients, and Apache Kafka's tools.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| client | version | writes | reads | groups | besides |\n|---|---|---|---|---|---|\n",
        );
        for (client, shown, from_debian) in CLIENTS {
            let version = self.of(client).find(|row| !row.version.is_empty());
            let version = version.map_or("", |row| &row.version);
            let debian = if from_debian { DEBIAN } else { "" };
            let (writes, reads) = (self.writes(client), self.reads(client));
            let (groups, besides) = (self.groups(client), self.besides(client));
            let _ = writeln!(
                text,
                "| {shown} | {version}{debian} | {writes} | {reads} | {groups} | {besides} |"
            );
        }
        text.push_str("\n| tool of Apache Kafka 4.1.1 | runs |\n|---|---|\n");
        for tool in self.tools() {
            let mut seen = BTreeSet::new();
            let runs: Vec<&str> = self
                .of(tool)
                .map(|row| row.scenario.as_str())
                .filter(|run| seen.insert(*run))
                .collect();
            let _ = writeln!(text, "| `{tool}` | {} |", runs.join(", "));
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// The codecs that were written and stood in the log as such.
    fn writes(&self, client: &str) -> String {
        let stored = |codec: &str| self.has(client, &format!("stored as {codec}"));
        let codecs: Vec<&str> = self
            .of(client)
            .filter_map(|row| row.scenario.strip_prefix("produce "))
            .filter(|codec| stored(codec))
            .collect();
        match codecs.as_slice() {
            [] => "-".to_owned(),
            codecs => codecs.join(", "),
        }
    }

    /// How many of the writers' topics were read.
    fn reads(&self, client: &str) -> String {
        let read = |client: &str| {
            let of_it = self.of(client);
            of_it
                .filter(|row| row.scenario.starts_with("read "))
                .count()
        };
        let all = self
            .rows
            .iter()
            .filter(|row| row.scenario.starts_with("stored as "))
            .count();
        match read(client) {
            0 => "-".to_owned(),
            count if count == all => "all".to_owned(),
            count => format!("{count} of {all}"),
        }
    }

    /// The assignors whose groups outlived their members, and whether static members did.
    fn groups(&self, client: &str) -> String {
        let named = self
            .of(client)
            .filter_map(|row| match row.scenario.as_str() {
                STATIC => Some(STATIC),
                scenario => scenario.strip_prefix(GROUP),
            });
        match named.collect::<Vec<_>>().as_slice() {
            [] => "-".to_owned(),
            groups => groups.join(", "),
        }
    }

    fn besides(&self, client: &str) -> String {
        let counted = [
            "produce",
            "stored",
            "read",
            "consume",
            "offsets for",
            GROUP,
            STATIC,
        ];
        // The tests run side by side: their order means nothing.
        let others: BTreeSet<&str> = self
            .of(client)
            .map(|row| row.scenario.as_str())
            .filter(|scenario| !counted.iter().any(|begin| scenario.starts_with(begin)))
            .collect();
        others.into_iter().collect::<Vec<_>>().join("; ")
    }

    /// In the order in which they ran.
    fn tools(&self) -> Vec<&str> {
        let mut tools = Vec::new();
        for row in &self.rows {
            if row.client.starts_with("kafka-")
                && row.client != "kafka-python"
                && !tools.contains(&row.client.as_str())
            {
                tools.push(row.client.as_str());
            }
        }
        // Several tests' brokers are dumped, whichever ends first.
        tools.sort_by_key(|tool| *tool == "kafka-dump-log");
        tools
    }

    fn of(&self, client: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.client == client)
    }

    fn has(&self, client: &str, scenario: &str) -> bool {
        self.of(client).any(|row| row.scenario == scenario)
    }
}

/// A table without what depends on the machine: the versions of the system's own packages.
pub fn comparable(table: &str) -> String {
    let cell = |cell: &str| match cell.trim_end().ends_with(DEBIAN.trim_start()) {
        true => DEBIAN.to_owned(),
        false => cell.to_owned(),
    };
    table
        .lines()
        .map(|line| line.split('|').map(cell).collect::<Vec<_>>().join("|"))
        .collect::<Vec<_>>()
        .join("\n")
}

const DEBIAN: &str = " (Debian)";

/// How scenarios of groups are named: one for each assignor, and this one.
const GROUP: &str = "group ";
const STATIC: &str = "static members";

/// Names in the results, in README, and whether the client is a package of the system.
const CLIENTS: [(&str, &str, bool); 11] = [
    ("java", "Java `kafka-clients`", false),
    ("kcat", "kcat", true),
    ("confluent-kafka", "confluent-kafka (Python)", false),
    ("kafka-python", "kafka-python", false),
    ("aiokafka", "aiokafka", false),
    ("franz-go", "franz-go", false),
    ("sarama", "sarama", false),
    ("kafkajs", "KafkaJS", false),
    ("platformatic-kafka", "@platformatic/kafka", false),
    ("rsyslog omkafka", "rsyslog, its Kafka output", true),
    ("syslog-ng kafka-c", "syslog-ng, its Kafka output", true),
];
