//! A short run for real, and the checks before it.

use super::*;

fn tiny(directory: &Path) -> Plan {
    Plan {
        directory: directory.to_owned(),
        rounds: 2,
        slice: Duration::from_millis(2),
        scratch_bytes: 16 << 20,
    }
}

#[test]
fn a_run_measures_every_group_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut steps = Vec::new();
    let report = run(&tiny(folder.path()), &mut |step| {
        steps.push((step.done, step.total))
    });
    let report = report.unwrap();
    for group in Group::ALL {
        assert!(
            report.measurements.iter().any(|one| one.group == group),
            "{group:?} is missing"
        );
    }
    for one in &report.measurements {
        assert!(one.operations > 0 && one.bytes_per_second > 0.0, "{one:?}");
        assert!(
            one.p50_us > 0.0 && one.p99_us.is_none_or(|p99| p99 >= one.p50_us),
            "{one:?}"
        );
    }
    let last = steps.last().unwrap();
    assert_eq!(last.0, last.1);
    assert!(steps[1..].is_sorted());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        scratch_bytes: u64::MAX / 2,
        ..tiny(folder.path())
    };
    let error = run(&plan, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ProbeError::NoRoom { .. }));
    assert!(error.to_string().contains("--data-dir"));
}

#[test]
fn a_place_without_files_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for place in [folder.path().join("absent"), PathBuf::from("/proc/self")] {
        let error = run(&tiny(&place), &mut |_| {}).unwrap_err();
        assert!(matches!(error, ProbeError::NoFiles { .. }), "{error}");
    }
}

#[test]
fn plans_fit_their_promise() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Volume::inspect(folder.path());
    let scratch = Scratch::make(&volume, 16 << 20).unwrap();
    let cases = u32::try_from(cases(&scratch).len()).unwrap();
    let time = |plan: Plan| plan.slice * u32::try_from(plan.rounds).unwrap() * cases;
    assert!((5..20).contains(&time(Plan::thorough(folder.path())).as_secs()));
    assert!(time(Plan::quick(folder.path())) < Duration::from_secs(2));
}
