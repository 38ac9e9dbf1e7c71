//! How often a breaker opens by chance, where each call fails with a probability of one in ten: the
//! numbers of the documentation, in whole numbers.

use num_bigint::BigUint;
use num_rational::Ratio;

type Share = Ratio<BigUint>;

fn share(numerator: u32, denominator: u32) -> Share {
    Ratio::new(numerator.into(), denominator.into())
}

/// Every how many calls there are so many failures in a row: (1 - p^n) / (p^n (1 - p)).
fn row(failures: u32) -> Share {
    let all = (0..failures).fold(share(1, 1), |power, _| power * share(1, 10));
    (share(1, 1) - &all) / (all * share(9, 10))
}

/// In one of how many windows of so many calls so many failed or more.
fn window(calls: u32, failures: u32) -> Share {
    // Each way in which the calls may end, by its number of failures.
    let mut ways = vec![share(1, 1)];
    for _ in 0..calls {
        let mut next = vec![share(0, 1); ways.len() + 1];
        for (failed, way) in ways.iter().enumerate() {
            next[failed] += way * share(9, 10);
            next[failed + 1] += way * share(1, 10);
        }
        ways = next;
    }
    let bad = ways.into_iter().skip(failures as usize);
    share(1, 1) / bad.fold(share(0, 1), |sum, way| sum + way)
}

#[test]
fn the_documentation_has_the_numbers_of_chance() {
    let text = include_str!("../src/breaker/mod.rs");
    for (number, said) in [
        (row(3), "three in a row come every 1,110 calls"),
        (row(5), "five every 111,110"),
        (
            window(5, 3),
            "of five calls at that rate, three fail in one window of 117",
        ),
        (window(10, 5), "of ten, five in one of 612"),
    ] {
        let rounded = number.round().to_integer().to_string();
        println!("{said}: {rounded}");
        assert!(text.contains(said), "{said}");
        let last: String = said.rsplit(' ').find_map(digits).expect("a number");
        assert_eq!(last, rounded, "{said}");
    }
}

fn digits(word: &str) -> Option<String> {
    let digits = word.replace(',', "");
    digits.parse::<u32>().is_ok().then_some(digits)
}
