//! The shop's limits: from a file, by name, and watched by those who run it.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use steadfast::http::LimitName;
use steadfast::limit_name;
use steadfast_std::call::CallMetrics;
use steadfast_std::limits::UnknownLimit;
use steadfast_std::rate_limit::{Everyone, KeyOf, Metrics, MostDenied, PerBearerToken, PerClient};
use steadfast_std::{Limits, LiveLimiter, RateLimitLayer};

/// Where the limits are unless `--limits` says otherwise.
pub const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/storefront/limits.toml"
);

pub const ACCOUNT_NAME: LimitName<'static> = limit_name!("account");

/// How many of those who are denied most are remembered.
const MOST_DENIED: usize = 100;

/// How often what wants it is looked after.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// A limit of the shop: a layer, by a key.
type Layer<E> = RateLimitLayer<LiveLimiter, E>;

/// Everything that limits, and everything that watches it.
pub struct Guard {
    /// All logins and orders together.
    pub global: Layer<Everyone>,
    /// Logins, by address.
    pub login: Layer<PerClient>,
    /// Orders, by user.
    pub orders: Layer<PerBearerToken>,
    /// Orders, by address.
    pub orders_per_address: Layer<PerClient>,
    /// Failed logins, by account.
    pub accounts: Accounts,
    pub most_denied: Arc<MostDenied>,
    /// All of the limits, for their gauges.
    tables: Vec<(Metrics, Arc<LiveLimiter>)>,
    recorder: PrometheusRecorder,
    prometheus: PrometheusHandle,
}

/// Failed logins, by account: asked by the login itself, so it tells what happened itself.
#[derive(Clone)]
pub struct Accounts {
    pub failed: Arc<LiveLimiter>,
    pub metrics: Metrics,
    pub most_denied: Arc<MostDenied>,
}

impl Guard {
    /// Looks up every limit that the shop needs.
    pub fn new(limits: &Limits) -> Result<Self, UnknownLimit> {
        // Of its own, so that several shops in one process count apart.
        let recorder = PrometheusBuilder::new().build_recorder();
        let prometheus = recorder.handle();
        let most_denied = Arc::new(MostDenied::new(MOST_DENIED));
        let watch = Watchers {
            limits,
            recorder: &recorder,
            most_denied: &most_denied,
        };
        let accounts = Accounts {
            failed: limits.limiter(ACCOUNT_NAME.as_str())?,
            metrics: watch.metrics(ACCOUNT_NAME.as_str()),
            most_denied: Arc::clone(&most_denied),
        };
        let all = limits.all().into_iter();
        Ok(Self {
            global: watch.layer("global", Everyone)?,
            login: watch.layer("login", PerClient::new())?,
            orders: watch.layer("orders", PerBearerToken)?,
            orders_per_address: watch.layer("orders-per-address", PerClient::new())?,
            tables: all
                .map(|(name, table)| (watch.metrics(name.as_str()), table))
                .collect(),
            accounts,
            most_denied,
            recorder,
            prometheus,
        })
    }

    /// What the recorder wants done now and then, so that what it keeps does not pile up while
    /// nobody reads it.
    pub fn upkeep(&self) -> impl Future<Output = ()> + Send + 'static {
        let prometheus = self.prometheus.clone();
        async move {
            let mut every = tokio::time::interval(UPKEEP);
            loop {
                every.tick().await;
                prometheus.run_upkeep();
            }
        }
    }

    /// The metrics of calls to `target`.
    pub fn call_metrics(&self, target: &str) -> CallMetrics {
        metrics::with_local_recorder(&self.recorder, || CallMetrics::of(target))
    }

    /// What Prometheus reads, once `others` have brought their gauges up to date.
    pub fn metrics(&self, others: impl FnOnce()) -> String {
        metrics::with_local_recorder(&self.recorder, || {
            others();
            for (metrics, table) in &self.tables {
                metrics.gauge(&**table);
            }
        });
        self.prometheus.render()
    }
}

/// What every limit is watched by.
struct Watchers<'a> {
    limits: &'a Limits,
    recorder: &'a PrometheusRecorder,
    most_denied: &'a Arc<MostDenied>,
}

impl Watchers<'_> {
    fn metrics(&self, name: &str) -> Metrics {
        metrics::with_local_recorder(self.recorder, || Metrics::of(name))
    }

    fn layer<E: KeyOf>(&self, name: &str, key_of: E) -> Result<Layer<E>, UnknownLimit> {
        let layer = self.limits.layer(name, key_of)?;
        Ok(layer
            .observed_by(self.metrics(name))
            .observed_by(Arc::clone(self.most_denied)))
    }
}
