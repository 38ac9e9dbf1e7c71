//! Names of headers, in lower case as HTTP/2 sends them; HTTP/1.1 does not mind the case.

/// The capacity: [`XRateLimit::limit`](super::XRateLimit::limit).
pub const X_RATELIMIT_LIMIT: &str = "x-ratelimit-limit";

/// What is left: [`XRateLimit::remaining`](super::XRateLimit::remaining).
pub const X_RATELIMIT_REMAINING: &str = "x-ratelimit-remaining";

/// When the limit is full again: [`XRateLimit::reset`](super::XRateLimit::reset).
pub const X_RATELIMIT_RESET: &str = "x-ratelimit-reset";

/// What is allowed, for each limit: [`QuotaPolicy`](super::QuotaPolicy).
pub const RATELIMIT_POLICY: &str = "ratelimit-policy";

/// What is left, for each limit: [`ServiceLimit`](super::ServiceLimit).
pub const RATELIMIT: &str = "ratelimit";

/// How long to wait before the next try: [`RetryAfter`](super::RetryAfter).
pub const RETRY_AFTER: &str = "retry-after";

/// How much time a call has left, in gRPC's form:
/// [`RemainingTime::write_grpc`](super::RemainingTime::write_grpc).
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// How much time a call has left, in milliseconds:
/// [`RemainingTime::write_millis`](super::RemainingTime::write_millis). The name is ours, since no
/// standard has one; Envoy sends the same number as `x-envoy-expected-rq-timeout-ms`.
pub const REMAINING_TIME_MS: &str = "remaining-time-ms";

/// On an answer: how many attempts were made below to get it, and that it is not to be asked for
/// again, [`RetriedBelow`](super::RetriedBelow). The name is ours, since no standard has one.
pub const RETRIED_BELOW: &str = "retried-below";
