//! Text to read headers from: anything, and often what is nearly one.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Any text, with the words of the three headers as often as others.
pub fn any_text() -> impl Strategy<Value = String> {
    let words = vec![
        "\"",
        "\\",
        ";",
        ",",
        "=",
        " ",
        "\t",
        "r",
        "t",
        "q",
        "w",
        "pk",
        "a",
        "*",
        ":",
        "?",
        "@",
        "%\"",
        "%c3",
        "-",
        ".",
        "0",
        "7",
        "999999999999999",
        "(",
        ")",
        "Sun",
        "Sunday",
        ", ",
        "06",
        " 6",
        "Nov",
        "1994",
        "94",
        "08:49:37",
        " GMT",
        "ä",
        "\u{7f}",
    ];
    prop_oneof![
        any::<String>(),
        vec(select(words), 0..24).prop_map(|words| words.concat()),
    ]
}
