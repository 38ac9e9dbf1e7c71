//! What happened when: noted in RAM while it happens, printed and compared at the end, since a
//! print through a debugger would take longer than what it tells of.

use core::cell::RefCell;
use core::fmt;

use cortex_m_semihosting::hprintln;
use critical_section::Mutex;
use steadfast::time::{Duration, Instant, millis};

/// What became of a task's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The limiter said yes, to so many frames at once.
    Sent(u32),
    /// It was cancelled while it waited.
    Left,
    /// It was refused, which is not part of any story here.
    Refused,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(1) => f.write_str("sends a frame"),
            Self::Sent(frames) => write!(f, "sends {frames} frames at once"),
            Self::Left => f.write_str("is cancelled while it waits"),
            Self::Refused => f.write_str("is refused"),
        }
    }
}

/// One line of the timeline.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub at: Instant,
    pub who: &'static str,
    pub what: What,
}

impl Event {
    /// An event that is expected so many milliseconds after the start.
    pub const fn at_ms(ms: u64, who: &'static str, what: What) -> Self {
        Self {
            at: Instant::from_millis(ms),
            who,
            what,
        }
    }

    /// The same, and not early; a board that is busy may be a little late.
    fn is_as(&self, expected: &Self) -> bool {
        self.who == expected.who
            && self.what == expected.what
            && self.at >= expected.at
            && self.at.since(expected.at) <= LATE
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.at.as_nanos() / 1_000_000;
        write!(f, "{ms:5} ms  {:10} {}", self.who, self.what)
    }
}

/// How late an event may be: two ticks.
const LATE: Duration = millis(2);

/// Up to `N` events, in their order.
pub struct Timeline<const N: usize> {
    events: Mutex<RefCell<([Option<Event>; N], usize)>>,
}

impl<const N: usize> Timeline<N> {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            events: Mutex::new(RefCell::new(([None; N], 0))),
        }
    }

    /// Notes an event. More than `N` are counted and not kept.
    pub fn note(&self, event: Event) {
        critical_section::with(|cs| {
            let (events, count) = &mut *self.events.borrow_ref_mut(cs);
            if let Some(place) = events.get_mut(*count) {
                *place = Some(event);
            }
            *count = count.wrapping_add(1);
        });
    }

    /// Prints every event, and beside one that is not as expected what was. True if all are.
    pub fn print_beside(&self, expected: &[Event]) -> bool {
        let (events, count) = critical_section::with(|cs| *self.events.borrow_ref(cs));
        let mut well = count == expected.len();
        for index in 0..count.max(expected.len()) {
            let (event, should) = (events.get(index).copied().flatten(), expected.get(index));
            match (event, should) {
                (Some(event), Some(should)) if event.is_as(should) => hprintln!("{}", event),
                (event, should) => {
                    well = false;
                    match event {
                        Some(event) => hprintln!("{}   <-- WRONG", event),
                        None => hprintln!("          nothing   <-- WRONG"),
                    }
                    if let Some(should) = should {
                        hprintln!("{}   <-- should have been", should);
                    }
                }
            }
        }
        well
    }
}

impl<const N: usize> Default for Timeline<N> {
    fn default() -> Self {
        Self::new()
    }
}
