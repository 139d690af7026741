//! Shares: even, whole, and with as few moves as there must be.

use proptest::prelude::*;

use super::*;

fn member(name: &str, owned: &[u32]) -> Subscriber {
    Subscriber {
        member_id: name.to_owned(),
        owned: owned.to_vec(),
        generation: 1,
        ..Subscriber::default()
    }
}

#[test]
fn range_gives_the_first_members_one_more() {
    let members = [member("b", &[]), member("a", &[]), member("c", &[])];
    let assigned = Assignor::Range.assign(8, &members);
    assert_eq!(assigned, [vec![3, 4, 5], vec![0, 1, 2], vec![6, 7]]);
    let fixed = Subscriber {
        instance_id: Some("z".to_owned()),
        ..member("y", &[])
    };
    let assigned = Assignor::Range.assign(2, &[member("a", &[]), fixed]);
    assert_eq!(
        assigned,
        [vec![1], vec![0]],
        "static members come before others"
    );
    assert_eq!(
        Assignor::Range.assign(1, &members),
        [vec![], vec![0], vec![]]
    );
    assert_eq!(Assignor::Range.assign(4, &[]), Vec::<Vec<u32>>::new());
}

#[test]
fn a_newcomer_gets_its_share_in_the_second_round() {
    let sticky = Assignor::CooperativeSticky;
    let mut members = vec![member("a", &[0, 1, 2, 3]), member("b", &[])];
    let first = sticky.assign(4, &members);
    assert_eq!(first, [vec![0, 1], vec![]], "what moves is given up first");
    members[0].owned = vec![0, 1];
    assert_eq!(sticky.assign(4, &members), [vec![0, 1], vec![2, 3]]);
    // Somebody is gone: what it had goes to the others, who lose nothing.
    let left = [member("a", &[0, 1]), member("c", &[4])];
    assert_eq!(sticky.assign(6, &left), [vec![0, 1, 2], vec![3, 4, 5]]);
}

#[test]
fn an_old_claim_counts_for_nothing_and_two_of_one_generation_for_neither() {
    let sticky = Assignor::CooperativeSticky;
    let mut late = member("a", &[0, 1]);
    late.generation = 0;
    assert_eq!(owners(2, &[late, member("b", &[1])])[&1], 1);
    let both = [member("a", &[0]), member("b", &[0])];
    assert!(owners(1, &both).is_empty());
    // Until one of them has given it up, it is nobody's new partition.
    let assigned = sticky.assign(1, &both);
    assert!(assigned.iter().flatten().count() <= 1, "{assigned:?}");
}

/// Members with names, each with some of the partitions, none with another's.
fn group() -> impl Strategy<Value = (u32, Vec<Subscriber>)> {
    (1..40_u32, 1..12_usize).prop_flat_map(|(partitions, count)| {
        let owners = proptest::collection::vec(0..=count, partitions as usize);
        (Just(partitions), Just(count), owners).prop_map(|(partitions, count, owners)| {
            let owned = |at: usize| -> Vec<u32> {
                let mine = (0..partitions).filter(|&index| owners[index as usize] == at);
                mine.collect()
            };
            let names = (0..count).map(|at| member(&format!("m{at:02}"), &owned(at)));
            (partitions, names.collect())
        })
    })
}

proptest! {
    #[test]
    fn every_partition_is_shared_out_once_and_evenly((partitions, members) in group()) {
        for assigned in [range(partitions, &members), sticky(partitions, &members)] {
            let mut all: Vec<u32> = assigned.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..partitions).collect::<Vec<_>>());
            let sizes = assigned.iter().map(Vec::len);
            let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
            prop_assert!(most - least <= 1, "{:?}", assigned);
        }
    }

    #[test]
    fn sticky_moves_no_more_than_it_must((partitions, members) in group()) {
        let assigned = sticky(partitions, &members);
        let (least, most) = (partitions as usize / members.len(),
            (partitions as usize).div_ceil(members.len()));
        for (member, mine) in members.iter().zip(&assigned) {
            let kept = member.owned.iter().filter(|p| mine.contains(p)).count();
            // Nobody below the even share gives up anything, nobody above it keeps less.
            prop_assert!(kept >= member.owned.len().min(least), "{:?} {:?}", member, mine);
            prop_assert!(kept <= most);
        }
    }

    #[test]
    fn rounds_end_with_everything_given_out_and_never_with_two_owners(
        (partitions, members) in group(), gone in 0..12_usize,
    ) {
        let mut members = members;
        if members.len() > 1 {
            members.remove(gone % members.len());
        }
        for round in 0..3 {
            let assigned = Assignor::CooperativeSticky.assign(partitions, &members);
            for (at, mine) in assigned.iter().enumerate() {
                for partition in mine {
                    let held = members.iter().enumerate()
                        .any(|(other, m)| other != at && m.owned.contains(partition));
                    prop_assert!(!held, "{} is given to two", partition);
                }
            }
            let given: usize = assigned.iter().map(Vec::len).sum();
            prop_assert!(round == 0 || given == partitions as usize);
            for (member, mine) in members.iter_mut().zip(assigned) {
                member.owned = mine;
                member.generation += 1;
            }
        }
    }
}
