//! What the client of a server hears when the server could not call out.

use steadfast::call::CallError;
use steadfast::time::millis;

#[test]
fn a_client_is_told_by_status_header_and_body_what_to_do() {
    use steadfast::breaker::Rejected;
    use steadfast_std::call::unavailable;

    let rejected = Rejected::Open {
        retry_after: millis(1),
    };
    for (error, status, retry_after, says) in [
        (
            CallError::Rejected {
                rejected,
                attempts: 0,
            },
            503,
            Some("1"),
            "is unavailable. Try again in 1 second.",
        ),
        (
            CallError::DeadlineExceeded::<&str> { attempts: 2 },
            504,
            None,
            "did not answer in time. Try again later.",
        ),
    ] {
        let answer: http::Response<String> = unavailable(&error);
        assert_eq!(answer.status(), status);
        let told = answer.headers().get("retry-after");
        assert_eq!(told.map(|value| value.to_str().unwrap()), retry_after);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.body().contains(says), "{}", answer.body());
    }
}
