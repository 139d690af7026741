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
        why: "each broker has its own addresses and folders, and Kafka's its controller's",
        holds: |d| d.is("broker-configs") && OWN_KEYS.iter().any(|key| d.path.contains(key)),
    },
    Allowed {
        why: "an API is advertised from the day that it works",
        holds: |d| d.is("api-versions") && d.path.starts_with("api_keys") && d.logmill_lacks(),
    },
    Allowed {
        why: "a feature is advertised from the day that its coordinator works",
        holds: |d| d.is("api-versions") && d.path.contains("_features") && d.logmill_lacks(),
    },
];

impl Difference {
    fn is(&self, api_or_case: &str) -> bool {
        self.case == api_or_case
            || self.case == "unknown-api-versions-version" && api_or_case == "api-versions"
    }

    /// Logmill's answer has no such element, or fewer of them.
    fn logmill_lacks(&self) -> bool {
        self.logmill.is_none() || self.path.ends_with(".len")
    }
}

/// Broker keys that the two are started with to different values.
const OWN_KEYS: [&str; 4] = [
    "[\"listeners\"]",
    "[\"log.dirs\"]",
    "[\"controller.",
    "[\"advertised.listeners\"]",
];
