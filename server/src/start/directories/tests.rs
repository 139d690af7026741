//! Directories that are new, taken by another process, joined later, or foreign.

use super::*;

fn counted() -> impl FnMut() -> Uuid {
    let mut next = 0;
    move || {
        next += 1;
        Uuid([next; 16])
    }
}

#[test]
fn identity_is_made_once() {
    let home = tempfile::tempdir().unwrap();
    let dirs = [home.path().join("a/deep"), home.path().join("b")];
    let first = DataDirectories::open(&dirs, 1, counted()).unwrap();
    assert!(first.is_new);
    assert_eq!(
        (first.cluster_id, first.ids.clone()),
        (Uuid([1; 16]), ids(&[2, 3]))
    );
    drop(first);
    let again = DataDirectories::open(&dirs, 1, || panic!("no id is needed")).unwrap();
    assert!(!again.is_new);
    assert_eq!(
        (again.cluster_id, again.ids.clone()),
        (Uuid([1; 16]), ids(&[2, 3]))
    );
}

#[test]
fn second_process_is_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let dirs = [home.path().to_owned()];
    let first = DataDirectories::open(&dirs, 1, counted()).unwrap();
    let error = DataDirectories::open(&dirs, 1, counted())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("in use by another process") && !error.contains('\n'),
        "{error}"
    );
    drop(first);
    DataDirectories::open(&dirs, 1, counted()).unwrap();
}

#[test]
fn new_directory_joins_the_cluster_of_the_others() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    drop(DataDirectories::open(std::slice::from_ref(&b), 1, counted()).unwrap());
    let mut new = counted();
    let ids_of_new = move || Uuid([new().0[0] + 9; 16]);
    let both = DataDirectories::open(&[a, b], 1, ids_of_new).unwrap();
    assert_eq!(
        (both.cluster_id, both.ids.clone()),
        (Uuid([1; 16]), ids(&[10, 2]))
    );
}

#[test]
fn data_of_others_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    drop(DataDirectories::open(std::slice::from_ref(&a), 1, counted()).unwrap());
    let other = || Uuid([7; 16]);
    drop(DataDirectories::open(std::slice::from_ref(&b), 1, other).unwrap());
    let error = |dirs: &[PathBuf], node: i32| {
        DataDirectories::open(dirs, node, counted())
            .unwrap_err()
            .to_string()
    };
    assert!(error(std::slice::from_ref(&a), 2).contains("belongs to node 1: set node.id=1"));
    assert!(error(&[a.clone(), b], 1).contains("do not belong together"));
    let copy = home.path().join("copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(a.join(META_PROPERTIES), copy.join(META_PROPERTIES)).unwrap();
    assert!(error(&[a.clone(), copy], 1).contains("a copy?"));
    fs::write(a.join(META_PROPERTIES), "version=1\nnode.id=1\n").unwrap();
    assert!(error(&[a], 1).contains("cluster.id is missing"));
}

fn ids(bytes: &[u8]) -> Vec<Uuid> {
    bytes.iter().map(|byte| Uuid([*byte; 16])).collect()
}
