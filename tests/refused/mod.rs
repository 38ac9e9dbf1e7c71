//! What a configuration says that cannot be: the field, its value, and what is allowed.

use std::error::Error;

use steadfast::ConfigError;
use steadfast::time::nanos;

#[track_caller]
pub fn refuses<T: std::fmt::Debug>(
    built: Result<T, ConfigError>,
    field: &'static str,
    value: u64,
    (min, max): (u64, u64),
) {
    let error = built.unwrap_err();
    assert_eq!(error, ConfigError::new(field, value, min, max));
    // As text at run time and while compiling.
    let text = if let Some(name) = field.strip_suffix(" (ns)") {
        let [value, min, max] = [value, min, max].map(nanos);
        format!("{name} = {value}, allowed {min}..={max}")
    } else {
        format!("{field} = {value}, allowed {min}..={max}")
    };
    assert_eq!(error.to_string(), text);
    assert_eq!(error.message().as_str(), text);
    assert!(error.source().is_none());
}
