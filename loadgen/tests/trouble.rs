//! Groups in trouble beside a steady load, on a broker: nothing is lost, every kind of trouble is
//! made, and each is met with the answers that it deserves.

use std::process::Command;

use serde_json::Value;

fn report(arguments: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .current_dir(folder.path())
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&both);
    assert!(output.status.success(), "{said}");
    for name in [
        "calm",
        "rebalance-storm",
        "poisoned-members",
        "slow-members",
        "calm-again",
    ] {
        let log = folder.path().join("out").join(format!("{name}.hlog"));
        assert!(log.is_file(), "{name}.hlog is missing:\n{said}");
    }
    for part in ["group requests/s", "broker CPU %", "calm again"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    let json = std::fs::read_to_string(folder.path().join("out/report.json")).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// Answers of a phase to an API with a code.
fn count(phase: &Value, api: &str, code: &str) -> u64 {
    let answers = &phase["logmillTrouble"]["answersByApiAndCode"];
    answers[api][code].as_u64().unwrap_or(0)
}

#[test]
fn a_load_goes_on_beside_every_kind_of_trouble() {
    let report = report(
        "trouble --duration 3s --warmup 500ms --rate 1k --groups 30 --members 4 --data-dir . \
         --set group.initial.rebalance.delay.ms=200 --output out",
    );
    assert_eq!(report["good"], true);
    let phases = report["results"].as_array().unwrap();
    assert_eq!(phases.len(), 5);
    for phase in phases {
        let name = phase["workload"].as_str().unwrap();
        let own = &phase["logmill"];
        assert!(
            own["checked"] == true && own["acks"] == "1",
            "{name}: {own}"
        );
        assert!(
            own["acknowledged"].as_u64().unwrap() >= 3_000,
            "{name}: {own}"
        );
        assert_eq!(own["acknowledged"], own["read"], "{name}");
        for figure in [
            "aggregatedPublishLatency99pct",
            "aggregatedEndToEndLatency99pct",
        ] {
            assert!(phase[figure].as_f64().unwrap() > 0.0, "{name}: {figure}");
        }
        let trouble = &phase["logmillTrouble"];
        assert!(
            trouble["brokerCpuShareOfACore"].as_f64().is_some(),
            "{name}: {trouble}"
        );
        assert_eq!(trouble["connectionsLost"], 0, "{name}: {trouble}");
        let asked = trouble["requestsPerSecond"].as_f64().unwrap() > 0.0;
        assert_eq!(asked, !name.starts_with("calm"), "{name}: {trouble}");
    }
    let [_, storm, poisoned, slow, _] = phases.as_slice() else {
        unreachable!("counted above")
    };
    assert!(
        count(storm, "Heartbeat", "REBALANCE_IN_PROGRESS") > 0,
        "{storm}"
    );
    assert!(count(storm, "LeaveGroup", "NONE") > 0, "{storm}");
    assert!(count(storm, "SyncGroup", "NONE") > 20, "{storm}");
    assert!(count(poisoned, "OffsetCommit", "NONE") > 0, "{poisoned}");
    assert!(
        count(poisoned, "OffsetCommit", "OFFSET_METADATA_TOO_LARGE") > 0,
        "{poisoned}"
    );
    assert!(
        count(poisoned, "JoinGroup", "INVALID_REQUEST") > 0,
        "{poisoned}"
    );
    assert!(
        count(poisoned, "SyncGroup", "UNKNOWN_SERVER_ERROR") > 0,
        "{poisoned}"
    );
    assert!(count(poisoned, "SyncGroup", "NONE") > 0, "{poisoned}");
    assert!(count(slow, "JoinGroup", "NONE") > 0, "{slow}");
    assert!(
        slow["logmillTrouble"]["requestsNotRead"].as_u64().unwrap() > 0,
        "{slow}"
    );
}
