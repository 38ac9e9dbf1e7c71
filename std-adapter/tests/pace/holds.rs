//! What a hold does to those who wait and to those who come: how long it lasts, who is refused, and
//! who goes when it ends.

use steadfast::limit::{Denied, Policy, TokenBucket};
use steadfast::policy;
use steadfast::time::{Clock, Duration, Instant, hours, millis, secs};
use steadfast_std::pace::PaceError;
use steadfast_std::{PaceLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

use crate::{ONE, PLENTY, Server, at_once, come, settle};

#[tokio::test(start_paused = true)]
async fn retry_after_holds_back_everybody_for_3_s_and_not_more() {
    for status in [403, 429, 503, 529] {
        let time = TokioTime::new();
        let server = Server::new(time);
        let layer = PaceLayer::new(PLENTY, time);
        let other = layer.clone().layer(server.clone());
        let mut client = layer.layer(server.clone());
        server.will_say(status, &[("Retry-After", "3")]);
        let answer = client.call(0).await.unwrap();
        assert_eq!(answer.status(), status, "it is passed on");
        assert_eq!(layer.held_for(), secs(3));

        let calls = [
            come(&client, 1).await,
            come(&other, 2).await,
            come(&client, 3).await,
        ];
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let came = [(0, 0), (1, 3), (2, 3), (3, 3)];
        assert_eq!(
            server.came(),
            came.map(|(n, at)| (n, Instant::from_secs(at)))
        );
        assert_eq!(layer.held_for(), Duration::ZERO);
    }
}

/// The server's wait is not undercut where it is longer than a call may wait: the call is refused,
/// and so is everyone who waits already, as soon as those before it have been.
#[tokio::test(start_paused = true)]
async fn a_hold_that_is_too_long_to_wait_for_refuses_at_once_with_how_long() {
    let time = TokioTime::new();
    let mut server = Server::new(time);
    server.takes = millis(500);
    let layer = PaceLayer::new(ONE, time).max_wait(secs(10));
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "3600")]);
    let mut calls = Vec::new();
    for number in 0..5 {
        calls.push(come(&client, number).await);
    }
    let refused = calls.split_off(1);
    assert_eq!(calls.remove(0).await.unwrap().unwrap().status(), 429);
    let error = at_once(&mut client.clone().call(5)).unwrap().unwrap_err();
    // Behind the four who wait, of whom each takes a second.
    assert_eq!(
        error,
        PaceError::TooLong {
            retry_after: hours(1) + secs(4)
        }
    );

    for call in refused {
        let error = call.await.unwrap().unwrap_err();
        assert!(
            matches!(error, PaceError::TooLong { retry_after } if retry_after >= hours(1) - secs(1)),
            "{error}"
        );
    }
    // The first in the queue woke when it was to be its turn, and saw; the others after it.
    assert_eq!(time.now(), Instant::from_secs(1));
    assert_eq!(server.came().len(), 1);
    tokio::time::advance((hours(1) - secs(1)).to_core()).await;
    client.oneshot(6).await.unwrap();
    // Half a second was the first answer's way.
    let expected = Instant::ZERO + hours(1) + millis(500);
    assert_eq!(server.came().last(), Some(&(6, expected)));
}

/// An answer that was long on its way knows less than the one that began the hold.
#[tokio::test(start_paused = true)]
async fn a_late_answer_does_not_shorten_a_hold() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time);
    let mut slow = server.clone();
    slow.takes = secs(2);
    let late = tokio::spawn(layer.layer(slow).oneshot(0));
    settle().await;
    server.will_say(429, &[("Retry-After", "20")]);
    layer.layer(server.clone()).call(1).await.unwrap();
    assert_eq!(layer.held_for(), secs(20));
    server.will_say(429, &[("Retry-After", "1")]);
    assert_eq!(late.await.unwrap().unwrap().status(), 429);
    assert_eq!(layer.held_for(), secs(18));
}

/// An operator who knows better frees those who wait, and those who come next.
#[tokio::test(start_paused = true)]
async fn a_release_lets_those_who_wait_go_at_once() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let policy = policy!(TokenBucket::per_second(1).burst(2));
    let layer = PaceLayer::new(policy, time).max_wait(hours(2));
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "3600")]);
    client.clone().oneshot(0).await.unwrap();
    let calls = [
        come(&client, 1).await,
        come(&client, 2).await,
        come(&client, 3).await,
    ];
    tokio::time::advance(secs(10).to_core()).await;
    layer.release();
    let hasty = layer.clone().max_wait(secs(1)).layer(server.clone());
    settle().await;
    // Two at once, then one a second: the limit alone, for those who wait and for the newcomer.
    let error = hasty.clone().oneshot(4).await.unwrap_err();
    let retry_after = secs(2);
    assert_eq!(error, PaceError::TooLong { retry_after });
    for call in calls {
        call.await.unwrap().unwrap();
    }
    hasty.oneshot(5).await.unwrap();
    let came = [(0, 0), (1, 10), (2, 10), (3, 11), (5, 12)];
    assert_eq!(
        server.came(),
        came.map(|(number, at)| (number, Instant::from_secs(at)))
    );
}

/// A hold that ends at the very instant until which all of them may wait.
#[tokio::test(start_paused = true)]
async fn whoever_may_wait_until_its_turn_is_not_refused_when_it_comes() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time).max_wait(secs(30));
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "30")]);
    client.clone().oneshot(0).await.unwrap();
    let mut calls = Vec::new();
    for number in 1..=50 {
        calls.push(come(&client, number).await);
    }
    calls.remove(0).abort();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let came = server.came();
    assert_eq!(came.len(), 50);
    assert!(
        came[1..]
            .iter()
            .all(|&(_, at)| at == Instant::from_secs(30))
    );
}

/// A hold that all who wait hear of at once: what each is told is how long the hold lasts, and
/// learning it asks the policy a few times, not once for each of the others.
#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_in_vain_do_not_play_each_others_turns() {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Counts the decisions.
    #[derive(Clone, Copy, Debug)]
    struct Counted(TokenBucket);

    static DECISIONS: AtomicU32 = AtomicU32::new(0);

    impl Policy for Counted {
        type State = <TokenBucket as Policy>::State;
        type Granted = <TokenBucket as Policy>::Granted;
        const FULL: Self::State = TokenBucket::FULL;

        fn decide(
            &self,
            state: &mut Self::State,
            now: Instant,
            cost: u32,
        ) -> Result<Self::Granted, Denied> {
            DECISIONS.fetch_add(1, Ordering::Relaxed);
            self.0.decide(state, now, cost)
        }
        fn at_rest(&self, state: &Self::State, now: Instant) -> bool {
            self.0.at_rest(state, now)
        }
        fn rests_in(&self, state: &Self::State, now: Instant) -> Duration {
            self.0.rests_in(state, now)
        }
        fn mend(&self, state: &mut Self::State, now: Instant) {
            self.0.mend(state, now);
        }
        fn available(&self, state: &Self::State, now: Instant) -> u32 {
            self.0.available(state, now)
        }
        fn capacity(&self) -> u32 {
            self.0.capacity()
        }
        fn refund(&self, state: &mut Self::State, now: Instant, granted: &Self::Granted) {
            self.0.refund(state, now, granted);
        }
        fn reconfigure(&self, state: &mut Self::State, now: Instant, new: &Self) {
            self.0.reconfigure(state, now, &new.0);
        }
        fn standing(&self, state: &Self::State, now: Instant) -> steadfast::limit::Standing {
            self.0.standing(state, now)
        }
    }

    let time = TokioTime::new();
    let mut server = Server::new(time);
    server.takes = millis(5);
    let layer = PaceLayer::new(
        Counted(policy!(TokenBucket::per_second(100).burst(1))),
        time,
    );
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "3600")]);
    let mut calls: Vec<_> = (0..=1_000)
        .map(|number| tokio::spawn(client.clone().oneshot(number)))
        .collect();
    settle().await;
    assert_eq!(layer.waiting(), 1_000);
    let before = DECISIONS.load(Ordering::Relaxed);
    assert_eq!(calls.remove(0).await.unwrap().unwrap().status(), 429);
    for call in calls {
        // The first of them woke after 10 ms and saw; the hold has begun after 5.
        let error = call.await.unwrap().unwrap_err();
        let retry_after = hours(1) - millis(5);
        assert_eq!(error, PaceError::TooLong { retry_after });
    }
    let decisions = DECISIONS.load(Ordering::Relaxed) - before;
    assert!(decisions < 5_000, "{decisions} for 1,000 who wait");
}
