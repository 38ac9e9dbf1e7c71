//! The shop that the tour visits, with a limits file of its own to edit.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::breaker::Breaker;
use steadfast::policy;
use steadfast::time::{millis, secs};
use steadfast_std::Limits;
use steadfast_std::limits::{ReloadError, Reloaded, Watch};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::app;
use crate::limits::{self, Guard};
use crate::partner::Partner;
use crate::shipping::{self, Shipping};

/// The shop's own stays open for 30 s, which is long on a tour.
pub const BREAKER: Breaker = policy!(Breaker::consecutive(5).open_for(secs(2)).close_after(3));

/// A running shop.
pub struct Shop {
    pub address: SocketAddr,
    pub partner: Partner,
    pub file: Copied,
    /// What the shop says of its partner, as it happens.
    pub said: mpsc::UnboundedReceiver<String>,
    reloads: mpsc::UnboundedReceiver<Result<Reloaded, ReloadError>>,
    _watch: Watch,
    close: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Shop {
    /// Opens on a free port.
    pub async fn open() -> Result<Self, String> {
        let file = Copied::of(limits::FILE)?;
        let limits = Limits::load(&file.0).map_err(|error| error.to_string())?;
        let guard = Guard::new(&limits).map_err(|error| error.to_string())?;
        let (tell, reloads) = mpsc::unbounded_channel();
        let watch = Arc::new(limits)
            .watch(millis(50), move |told| {
                // Nobody listens any more once the tour is over.
                let _ = tell.send(told);
            })
            .map_err(|error| error.to_string())?;
        let partner = Partner::open(0).await?;
        let (say, said) = mpsc::unbounded_channel();
        let watcher = shipping::Watch::new(guard.call_metrics("shipping"), move |line| {
            let _ = say.send(line.to_owned());
        });
        let shipping = Shipping::new(partner.address, BREAKER, watcher)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|error| format!("cannot listen on 127.0.0.1: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (close, closed) = oneshot::channel();
        let server = tokio::spawn(app::serve(listener, guard, shipping, async {
            let _ = closed.await;
        }));
        Ok(Self {
            address,
            partner,
            file,
            said,
            reloads,
            _watch: watch,
            close,
            server,
        })
    }

    /// What came of the last edit of the file.
    pub async fn told(&mut self) -> Result<Result<Reloaded, ReloadError>, String> {
        let ended = || "the file is no longer watched".to_owned();
        self.reloads.recv().await.ok_or_else(ended)
    }

    pub async fn close(self) -> Result<(), String> {
        let _ = self.close.send(());
        self.server
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }
}

/// A copy of a file, in a folder of its own, gone with the tour.
pub struct Copied(PathBuf);

impl Copied {
    fn of(file: &str) -> Result<Self, String> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("storefront-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let copy = Self(folder.join("limits.toml"));
        fs::create_dir_all(&folder)
            .and_then(|()| fs::copy(file, &copy.0))
            .map_err(|error| format!("cannot copy {file} to {}: {error}", copy.0.display()))?;
        Ok(copy)
    }

    pub fn read(&self) -> Result<String, String> {
        fs::read_to_string(&self.0).map_err(|error| format!("{}: {error}", self.0.display()))
    }

    pub fn write(&self, text: &str) -> Result<(), String> {
        fs::write(&self.0, text).map_err(|error| format!("{}: {error}", self.0.display()))
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
