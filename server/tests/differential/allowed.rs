//! Where Logmill may answer otherwise than Apache Kafka 4.1.1, and why.

/// A difference between the two brokers' answers to one question.
pub struct Difference {
    /// The script.
    pub case: &'static str,
    /// What was asked.
    pub step: String,
    /// The field.
    pub path: String,
    /// Kafka's value; `None` when its answer has no such field.
    pub kafka: Option<String>,
    /// Logmill's.
    pub logmill: Option<String>,
}

/// A family of differences that are meant.
struct Allowed {
    why: &'static str,
    holds: fn(&Difference) -> bool,
}

/// Why a difference is allowed; `None` when it is not.
pub fn reason(difference: &Difference) -> Option<&'static str> {
    ALLOWED
        .iter()
        .find(|allowed| (allowed.holds)(difference))
        .map(|allowed| allowed.why)
}

const ALLOWED: &[Allowed] = &[
    Allowed {
        why: "an API is advertised from the day that it works",
        holds: |d| d.is_of("ApiVersions") && d.path.starts_with("api_keys") && d.logmill_lacks(),
    },
    Allowed {
        why: "a feature is advertised from the day that its coordinator works",
        holds: |d| d.is_of("ApiVersions") && d.path.contains("_features") && d.logmill_lacks(),
    },
    Allowed {
        why: "each broker has its own addresses and folders, and Kafka its controller's",
        holds: |d| d.is_of("DescribeConfigs") && d.is_about(&OWN_KEYS),
    },
    Allowed {
        why: "keys of Logmill's own stand among Kafka's",
        holds: |d| d.is_about(&LOGMILL_KEYS) && d.kafka.is_none() || d.counts_configs(),
    },
    Allowed {
        why: "connections have a bound by default, as everything that costs memory",
        holds: |d| d.is_of("DescribeConfigs") && d.is_about(&["[\"max.connections\"]"]),
    },
    Allowed {
        why: "one broker is the whole cluster: its internal topics have one replica by default",
        holds: |d| d.is_of("DescribeConfigs") && d.is_about(&ONE_REPLICA_KEYS),
    },
    Allowed {
        why: "formatting Kafka's storage sets min.insync.replicas for all brokers, a part of \
              eligible leader replicas, which a cluster of one has no use for",
        holds: |d| {
            let is_source = d.path.contains("ource") || d.path.contains("synonyms");
            let of_all_brokers = d.step.ends_with("defaults of all brokers");
            d.is_about(&["[\"min.insync.replicas\"]"]) && (is_source || of_all_brokers)
        },
    },
    Allowed {
        why: "Kafka lists a group whose last value was deleted until its next start",
        holds: |d| {
            let is_empty_one = d.is_about(&["[\"alter-groups-group\"]"]) && d.logmill.is_none();
            let is_count = d.path == "config_resources.len" && d.counts_one_less();
            d.is_of("ListConfigResources") && (is_empty_one || is_count)
        },
    },
    Allowed {
        why: "where Kafka only gives a code, Logmill also says what is wrong",
        holds: |d| {
            let is_text = d.path.ends_with("error_message");
            is_text && shows(&d.kafka, "None") && shows(&d.logmill, "<text>")
        },
    },
    Allowed {
        why: "the shard that refuses a batch may not be the partition's and does not know where \
              its log starts; clients read that with UNKNOWN_PRODUCER_ID alone, never sent",
        holds: |d| {
            let is_start = d.path.ends_with("].log_start_offset");
            d.is_of("Produce") && is_start && shows(&d.logmill, "-1")
        },
    },
    Allowed {
        why: "Kafka fails inside over what it cannot unpack; clients deserve the right code",
        holds: |d| {
            let right = ["2", "76"].iter().any(|code| shows(&d.logmill, code));
            d.is_of("Produce") && d.path.ends_with(".error_code") && shows(&d.kafka, "-1") && right
        },
    },
    Allowed {
        why: "a group without members and offsets is none; Kafka keeps its name in memory for a \
              while",
        holds: |d| d.case == "offset-delete" && d.step.ends_with(": none left"),
    },
    Allowed {
        why: "a fetch ends with a whole batch: what Kafka gives of the next one clients throw away",
        holds: |d| {
            let is_last = shows(&d.kafka, "<cut off>") && d.logmill.is_none();
            d.is_of("Fetch") && (is_last || d.counts_one_batch_less())
        },
    },
];

impl Difference {
    /// The step asks this API.
    fn is_of(&self, api: &str) -> bool {
        self.step.starts_with(&format!("{api} v"))
    }

    /// The path is in or of an element of one of these names.
    fn is_about(&self, elements: &[&str]) -> bool {
        elements.iter().any(|element| self.path.contains(element))
    }

    /// Logmill's answer has no such element, or fewer of them.
    fn logmill_lacks(&self) -> bool {
        self.logmill.is_none() || self.path.ends_with(".len")
    }

    /// How many configurations there are; each is compared by its name.
    fn counts_configs(&self) -> bool {
        self.path.ends_with(".configs.len")
    }

    /// How many batches there are, with one more from Kafka; each is compared.
    fn counts_one_batch_less(&self) -> bool {
        self.path.ends_with(".records.len") && self.counts_one_less()
    }

    /// Both are numbers, and Kafka's is one more.
    fn counts_one_less(&self) -> bool {
        let count =
            |value: &Option<String>| value.as_ref().and_then(|text| text.parse::<i64>().ok());
        let counts = count(&self.kafka).zip(count(&self.logmill));
        counts.is_some_and(|(kafka, logmill)| kafka == logmill + 1)
    }
}

fn shows(value: &Option<String>, text: &str) -> bool {
    value.as_deref() == Some(text)
}

/// Broker keys that the two are started with to different values, or that name folders.
const OWN_KEYS: [&str; 5] = [
    "[\"listeners\"]",
    "[\"log.dirs\"]",
    "[\"log.dir\"]",
    "[\"controller.",
    "[\"advertised.listeners\"]",
];

const LOGMILL_KEYS: [&str; 2] = ["[\"logmill.", "[\"fetch.path\"]"];

const ONE_REPLICA_KEYS: [&str; 2] = [
    "[\"share.coordinator.state.topic.min.isr\"]",
    "[\"share.coordinator.state.topic.replication.factor\"]",
];
