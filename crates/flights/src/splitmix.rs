//! Numbers that look random and are a pure function of a seed and an index.

/// The number at `index` of the sequence that SplitMix64 gives for a seed.
///
/// From Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, in
/// the constants of Vigna's <https://prng.di.unimi.it/splitmix64.c>. Its state is a counter, so any
/// number of the sequence is had without those before it, which is what a pure function of (seed,
/// id) needs. It is not for secrets.
pub fn splitmix64(seed: u64, index: u64) -> u64 {
    let state = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number below the limit, one as likely as the next.
pub fn below(limit: u32, seed: u64, index: u32) -> u32 {
    (splitmix64(seed, u64::from(index)) % u64::from(limit)) as u32
}

#[cfg(test)]
mod tests {
    use super::splitmix64;

    #[test]
    fn splitmix64_gives_the_published_sequence() {
        // Seed 1234567: https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
        let sequence = (0..5).map(|index| splitmix64(1_234_567, index)).collect::<Vec<_>>();
        assert_eq!(
            sequence,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }
}
