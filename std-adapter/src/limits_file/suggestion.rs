//! Which word was meant by one that is spelled nearly so.

/// The nearest of `words`: one slip away, or two if it has more than four letters. A slip is a
/// letter too many, missing, another one, or two neighbours swapped (the optimal string alignment
/// distance).
pub(super) fn meant(typed: &str, words: &[&'static str]) -> Option<&'static str> {
    words
        .iter()
        .map(|&word| (slips(typed, word), word))
        .filter(|&(slips, word)| slips <= if word.len() > 4 { 2 } else { 1 })
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, word)| word)
}

fn slips(typed: &str, word: &str) -> usize {
    // Longer than any word and two slips: the table would grow with a stranger's text.
    const LONGEST: usize = 32;
    let (typed, word) = (typed.as_bytes(), word.as_bytes());
    if typed.len() > LONGEST {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=word.len()).collect()];
    for i in 1..=typed.len() {
        let mut row = vec![i];
        for j in 1..=word.len() {
            let other = usize::from(!typed[i - 1].eq_ignore_ascii_case(&word[j - 1]));
            let mut least = (rows[i - 1][j - 1] + other)
                .min(rows[i - 1][j] + 1)
                .min(row[j - 1] + 1);
            if i > 1 && j > 1 && typed[i - 1] == word[j - 2] && typed[i - 2] == word[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[typed.len()][word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_recognised_by_one_slip_or_two_in_a_long_one() {
        const WORDS: [&str; 4] = ["per", "burst", "limit", "fixed-window"];
        for (typed, word) in [
            ("pre", Some("per")),
            ("pe", Some("per")),
            ("pf", None),
            ("brust", Some("burst")),
            ("limits", Some("limit")),
            ("Limit", Some("limit")),
            ("bursting", None),
            ("fixed_windows", Some("fixed-window")),
            ("", None),
        ] {
            assert_eq!(meant(typed, &WORDS), word, "{typed}");
        }
        assert_eq!(meant(&"per".repeat(100_000), &WORDS), None);
    }
}
