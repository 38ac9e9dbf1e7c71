//! What happened when: noted in RAM while it happens, printed and compared at the end, since a
//! print through a debugger would take longer than what it tells of.

use core::cell::RefCell;
use core::fmt;

use cortex_m_semihosting::hprintln;
use critical_section::Mutex;
use steadfast::time::{Duration, Instant, millis};

/// One line of the timeline: who did what, in the words `W` of the story.
#[derive(Clone, Copy, Debug)]
pub struct Event<W> {
    pub at: Instant,
    pub who: &'static str,
    pub what: W,
    /// How much later it may be, where chance has a say.
    pub spread: Duration,
}

impl<W: Copy + PartialEq> Event<W> {
    /// An event that is expected so many milliseconds after the start.
    pub const fn at_ms(ms: u64, who: &'static str, what: W) -> Self {
        Self::at(Instant::from_millis(ms), who, what)
    }

    /// An event of this instant.
    pub const fn at(at: Instant, who: &'static str, what: W) -> Self {
        Self {
            at,
            who,
            what,
            spread: Duration::ZERO,
        }
    }

    /// An event that is expected between two milliseconds after the start.
    pub const fn between_ms(from: u64, to: u64, who: &'static str, what: W) -> Self {
        let mut event = Self::at_ms(from, who, what);
        event.spread = millis(to - from);
        event
    }

    /// The same, and not early; a board that is busy may be a little late.
    fn is_as(&self, expected: &Self) -> bool {
        self.who == expected.who
            && self.what == expected.what
            && self.at >= expected.at
            && self.at.since(expected.at) <= expected.spread + LATE
    }
}

impl<W: fmt::Display> fmt::Display for Event<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.at.as_nanos() / 1_000_000;
        write!(f, "{ms:5} ms  {:10} {}", self.who, self.what)
    }
}

/// How late an event may be: two ticks.
const LATE: Duration = millis(2);

/// Up to `N` events, in their order.
pub struct Timeline<W, const N: usize> {
    events: Mutex<RefCell<Events<W, N>>>,
}

/// The first `N`, and how many there were.
type Events<W, const N: usize> = ([Option<Event<W>>; N], usize);

impl<W: Copy + PartialEq + fmt::Display, const N: usize> Timeline<W, N> {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            events: Mutex::new(RefCell::new(([None; N], 0))),
        }
    }

    /// Notes an event. More than `N` are counted and not kept.
    pub fn note(&self, event: Event<W>) {
        critical_section::with(|cs| {
            let (events, count) = &mut *self.events.borrow_ref_mut(cs);
            if let Some(place) = events.get_mut(*count) {
                *place = Some(event);
            }
            *count = count.wrapping_add(1);
        });
    }

    /// Prints every event, and beside one that is not as expected what was. True if all are.
    pub fn print_beside(&self, expected: &[Event<W>]) -> bool {
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

impl<W: Copy + PartialEq + fmt::Display, const N: usize> Default for Timeline<W, N> {
    fn default() -> Self {
        Self::new()
    }
}
