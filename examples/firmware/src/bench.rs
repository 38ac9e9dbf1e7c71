//! The measuring of instructions, for the images `instructions` and `instructions_combined`.
//!
//! Each figure is that of a function of the firmware which asks the machine, from its call to
//! its return; what the loop around it takes is measured with an empty function and subtracted.
//! The same question is asked a thousand times, which makes the count exact to the instruction.

use steadfast::time::{Duration, Instant, hours};

use crate::board::{self, InstructionCounter, println};

const TIMES: u32 = 1_000;

/// Defines the function that is measured: never inlined, so that it is what firmware calls.
#[macro_export]
macro_rules! asks {
    ($($name:ident: |$now:ident| $ask:expr;)*) => {
        $(
            #[inline(never)]
            fn $name($now: ::steadfast::time::Instant) -> bool {
                $ask
            }
        )*
    };
}

asks! {
    nothing: |now| now == Instant::ZERO;
}

/// Measures one machine after the other.
pub struct Bench {
    counter: InstructionCounter,
    /// What the loop takes without a machine in it.
    loops: u32,
    well: bool,
}

impl Bench {
    /// Fails the image if the timer is taken.
    pub fn new() -> Self {
        let Some(counter) = InstructionCounter::start() else {
            println!("the timer is taken");
            board::exit(false);
        };
        let mut bench = Self {
            counter,
            loops: 0,
            well: true,
        };
        let mut now = Instant::ZERO;
        let loop_alone = bench.each(&mut now, hours(2), false, &mut nothing);
        bench.loops = loop_alone.wrapping_mul(TIMES);
        bench
    }

    /// Ends the image: well if every answer was as expected.
    pub fn end(&self) -> ! {
        board::exit(self.well)
    }

    /// Prints what a function takes that always says `expected`.
    pub fn always<F: FnMut(Instant) -> bool>(&mut self, name: &str, expected: bool, mut ask: F) {
        let mut now = Instant::ZERO;
        let each = self.each(&mut now, hours(2), expected, &mut ask);
        println!("{name}: {each} {each} {each}");
    }

    /// Asks a thousand times, each time `apart` later than the last; what one question took.
    #[inline(never)]
    fn each<F: FnMut(Instant) -> bool>(
        &mut self,
        now: &mut Instant,
        apart: Duration,
        expected: bool,
        ask: &mut F,
    ) -> u32 {
        let mut others = 0_u32;
        let all = self.counter.count(|| {
            for _ in 0..TIMES {
                *now = *now + apart;
                others = others.wrapping_add(u32::from(ask(*now) != expected));
            }
        });
        self.well &= others == 0 && all.is_some();
        let all = all.unwrap_or(0).wrapping_sub(self.loops);
        all.wrapping_add(TIMES / 2) / TIMES
    }

    /// Prints what a yes takes of a machine at rest, of one in the middle of a burst, and what a
    /// no takes.
    pub fn machine<F: FnMut(Instant) -> bool>(&mut self, name: &str, ask: F) {
        self.machine_with(name, Duration::ZERO, ask, |now, ask| while ask(now) {});
    }

    /// As [`machine`](Self::machine), with a burst of questions that are `apart`, and `exhaust` to
    /// bring it to its no.
    pub fn machine_with<F: FnMut(Instant) -> bool>(
        &mut self,
        name: &str,
        apart: Duration,
        mut ask: F,
        exhaust: impl FnOnce(Instant, &mut F),
    ) {
        let mut now = Instant::from_secs(1_000);
        let at_rest = self.each(&mut now, hours(2), true, &mut ask);
        let in_burst = self.each(&mut now, apart, true, &mut ask);
        exhaust(now, &mut ask);
        let no = self.each(&mut now, Duration::ZERO, false, &mut ask);
        println!("{name}: {at_rest} {in_burst} {no}");
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}
