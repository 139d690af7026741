//! What holds for every message: what is encoded is decoded, what is cut or bent is refused or
//! makes sense, and nothing panics.

use super::for_each_sample;
use super::table::{all, apis};
use crate::ApiKey;
use crate::sample::Rng;

#[test]
fn every_live_api_is_in_the_table() {
    let versions: Vec<_> = ApiKey::ALL
        .iter()
        .filter(|api| !api.valid_versions().is_empty())
        .map(|api| (api.name().to_owned(), api.valid_versions()))
        .collect();
    let requests: Vec<_> = apis()
        .into_iter()
        .map(|(request, _)| (request.name.replace("Request", ""), request.versions))
        .collect();
    let responses: Vec<_> = apis()
        .into_iter()
        .map(|(_, response)| (response.name.replace("Response", ""), response.versions))
        .collect();
    assert_eq!(requests, versions);
    assert_eq!(responses, versions);
}

#[test]
fn what_is_encoded_is_decoded() {
    for codec in all() {
        for_each_sample(&codec, |case, mut rng, version| {
            let sample = (codec.sample)(&mut rng, version);
            let decoded = (codec.decode)(&sample.bytes, version);
            assert_eq!(decoded.as_ref(), Ok(&sample), "{case}");
        });
    }
}

#[test]
fn a_frame_that_is_cut_is_refused() {
    for codec in all() {
        for_each_sample(&codec, |case, mut rng, version| {
            let sample = (codec.sample)(&mut rng, version);
            for cut in 0..sample.bytes.len() {
                // Long frames: every place near the ends, some in between.
                if cut > 64 && cut + 64 < sample.bytes.len() && !rng.one_in(16) {
                    continue;
                }
                let refused = (codec.check)(&sample.bytes[..cut], version).is_err();
                assert!(refused, "{case}, cut at {cut}");
            }
        });
    }
}

#[test]
fn a_frame_that_is_bent_is_refused_or_makes_sense() {
    for codec in all() {
        for_each_sample(&codec, |case, mut rng, version| {
            let sample = (codec.sample)(&mut rng, version);
            for _ in 0..8 {
                let mut bent = sample.bytes.clone();
                bend(&mut bent, &mut rng);
                // Decoding prints all elements of all arrays and encodes again: no panic is part
                // of the test. Unknown tagged fields are not kept, so the bytes may differ.
                if let Ok(first) = (codec.decode)(&bent, version) {
                    let second = (codec.decode)(&first.bytes, version).expect(case);
                    assert_eq!(first.bytes, second.bytes, "{case}");
                }
            }
        });
    }
}

#[test]
fn noise_is_no_reason_to_panic() {
    let mut rng = Rng(1);
    for codec in all() {
        for version in codec.versions.clone() {
            for _ in 0..40 {
                // Small numbers make small counts, which get further than large ones.
                let mask = if rng.one_in(2) { 0xff } else { 0x03 };
                let length = rng.below(200);
                let noise: Vec<u8> = (0..length).map(|_| rng.next() as u8 & mask).collect();
                let _ = (codec.decode)(&noise, version);
            }
        }
    }
}

#[test]
fn versions_out_of_range_are_refused() {
    for codec in all() {
        for version in [
            codec.versions.start() - 1,
            codec.versions.end() + 1,
            i16::MAX,
            i16::MIN,
        ] {
            let error = (codec.check)(&[0; 64], version).unwrap_err();
            assert!(
                error.to_string().contains("is not within"),
                "{}: {error}",
                codec.name
            );
        }
    }
}

fn bend(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.below(bytes.len());
        match rng.below(5) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = rng.next() as u8,
            2 => bytes[at] = [0, 0x7f, 0x80, 0xff][rng.below(4)],
            3 => bytes.truncate(at),
            _ => bytes.insert(at, rng.next() as u8),
        }
    }
}
