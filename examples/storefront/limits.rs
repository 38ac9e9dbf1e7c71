//! Every limit of the shop, in one place.

use steadfast::http::LimitName;
use steadfast::limit::{FixedWindow, TokenBucket};
use steadfast::time::{hours, minutes};
use steadfast::{limit_name, policy};
use steadfast_std::KeyedLimiter;

/// What one address gets to guess passwords: ten tries, then a quarter of an hour of nothing.
pub const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));
pub const LOGIN_NAME: LimitName<'static> = limit_name!("login");

/// How often one account may be guessed at, from all addresses together, since attackers have
/// many. It is wide enough that somebody who has forgotten a password does not meet it.
pub const FAILED_LOGINS: FixedWindow = policy!(FixedWindow::new(20, hours(1)));
pub const ACCOUNT_NAME: LimitName<'static> = limit_name!("account");

/// What one user may order: 100 a minute, and as many at once.
pub const ORDERS: TokenBucket = policy!(TokenBucket::per_minute(100));
pub const ORDERS_NAME: LimitName<'static> = limit_name!("orders");

/// Places for the accounts that are being guessed at; the rest need none.
const ACCOUNTS: usize = 10_000;

/// Failed logins, by account.
pub struct Accounts {
    pub failed: KeyedLimiter<str, FixedWindow>,
}

impl Accounts {
    pub fn new() -> Self {
        let failed = KeyedLimiter::new(FAILED_LOGINS, ACCOUNTS).expect("a table has places");
        Self { failed }
    }
}
