//! A policy as its formula reads it: which are allowed, and what each delay is, in exact fractions.

use num_bigint::BigInt;
use num_rational::BigRational;
use steadfast::backoff::{Backoff, BackoffConfig, Jitter};
use steadfast::limit::MAX_WAIT;
use steadfast::time::nanos;

pub const LONGEST: u64 = MAX_WAIT.as_nanos();

/// What a schedule is, in numbers that have no end.
#[derive(Clone, Debug)]
pub enum Growth {
    Immediate,
    Fixed,
    Linear,
    Whole(u32),
    Ratio(u32, u32),
    Fibonacci,
    Table(Vec<u64>),
}

/// A policy, good or bad, as its formula reads it.
#[derive(Clone, Debug)]
pub struct Rule {
    pub growth: Growth,
    pub base: u64,
    pub cap: Option<u64>,
    pub jitter: Jitter,
}

impl Rule {
    pub fn config(&self) -> BackoffConfig {
        let base = nanos(self.base);
        let config = match &self.growth {
            Growth::Immediate => Backoff::immediate(),
            Growth::Fixed => Backoff::fixed(base),
            Growth::Linear => Backoff::linear(base),
            Growth::Whole(factor) => Backoff::exponential(base).factor(*factor),
            Growth::Ratio(by, over) => Backoff::exponential(base).factor_ratio(*by, *over),
            Growth::Fibonacci => Backoff::fibonacci(base),
            Growth::Table(delays) => {
                let delays: Vec<_> = delays.iter().copied().map(nanos).collect();
                Backoff::table(Vec::leak(delays))
            }
        };
        let config = config.jitter(self.jitter);
        self.cap.map_or(config, |cap| config.cap(nanos(cap)))
    }

    /// The first delay.
    pub fn base(&self) -> u64 {
        match &self.growth {
            Growth::Immediate => 0,
            Growth::Table(delays) => delays.first().copied().unwrap_or(0),
            _ => self.base,
        }
    }

    pub fn cap(&self) -> u64 {
        self.cap.unwrap_or(LONGEST)
    }

    pub fn is_allowed(&self) -> bool {
        let base = self.base();
        let grows = match &self.growth {
            Growth::Immediate => true,
            Growth::Table(delays) => {
                !delays.is_empty() && delays.iter().all(|delay| *delay <= LONGEST)
            }
            Growth::Fixed | Growth::Linear | Growth::Fibonacci => base > 0,
            Growth::Whole(factor) => base > 0 && *factor > 0,
            Growth::Ratio(_, 0) => false,
            Growth::Ratio(by, over) => {
                let factor = BigRational::new((*by).into(), (*over).into());
                let least = BigRational::new(101.into(), 100.into());
                let second = (whole(base) * &factor).floor();
                base > 0
                    && *over <= 1 << 31
                    && by >= over
                    && (factor.is_integer() || factor >= least && second > whole(base))
            }
        };
        let wants_base = matches!(self.jitter, Jitter::Decorrelated | Jitter::Additive);
        let in_part = !matches!(self.jitter, Jitter::Proportional { permille: 1_000.. });
        grows
            && base <= LONGEST
            && (base..=LONGEST).contains(&self.cap())
            && (base > 0 || !wants_base)
            && in_part
    }

    /// What the schedule says, at most the cap. `attempt` counts from zero.
    pub fn nominal(&self, attempt: u32) -> u64 {
        let base = BigInt::from(self.base());
        let cap = BigInt::from(self.cap());
        let delay = match &self.growth {
            Growth::Immediate => BigInt::ZERO,
            Growth::Linear => base * (u64::from(attempt) + 1),
            Growth::Fixed | Growth::Whole(1) => base,
            // Twice as much 62 times is above any cap.
            Growth::Whole(factor) => base * BigInt::from(*factor).pow(attempt.min(62)),
            Growth::Ratio(by, over) if by == over => base,
            Growth::Ratio(by, over) => {
                let mut delay = base;
                for _ in 0..attempt {
                    if delay >= cap {
                        break;
                    }
                    delay = delay * *by / *over;
                }
                delay
            }
            // The hundredth is above 2^62.
            Growth::Fibonacci => {
                let (mut one, mut next) = (base.clone(), base);
                for _ in 0..attempt.min(100) {
                    (one, next) = (next.clone(), one + next);
                }
                one
            }
            Growth::Table(delays) => {
                let last = delays.len() - 1;
                delays[last.min(attempt as usize)].into()
            }
        };
        integer(&delay.min(cap))
    }

    /// The delay of `attempt`, where `previous` was the one before.
    pub fn drawn(&self, attempt: u32, previous: u64, draw: u32) -> u64 {
        let base = whole(self.base());
        let v = whole(self.nominal(attempt));
        let u = BigRational::new(draw.into(), (1_u64 << 32).into());
        let (one, two) = (whole(1), whole(2));
        let delay = match self.jitter {
            Jitter::None => v,
            Jitter::Full => u * v,
            Jitter::Equal => (v.clone() / &two) + u * v / &two,
            Jitter::Decorrelated => {
                let previous = whole(if attempt == 0 { self.base() } else { previous });
                base.clone() + u * (whole(3) * previous - base)
            }
            Jitter::Proportional { permille } => {
                // As documented, in 2^-32; and what that reaches in whole nanoseconds.
                let parts = BigInt::from((u64::from(permille) << 32) / 1_000);
                let held = BigRational::new(parts, (1_u64 << 32).into());
                let reach = (v.clone() * held).floor();
                let delay = (v.clone() - &reach + &two * reach * &u).floor();
                // Which is what the formula says, but for 2^-31 of the delay and two roundings.
                let r = BigRational::new(permille.into(), 1_000.into());
                let formula = v.clone() * (one - &r + &two * r * u);
                let off = v / whole(1 << 31) + &two;
                assert!(formula.clone() - &off <= delay && delay <= formula + off);
                delay
            }
            Jitter::Additive => v + u * base,
            other => panic!("no formula for {other:?}"),
        };
        integer(&delay.floor().to_integer().min(self.cap().into()))
    }
}

fn whole(number: u64) -> BigRational {
    BigRational::from(BigInt::from(number))
}

fn integer(number: &BigInt) -> u64 {
    u64::try_from(number).expect("a delay of 64 bits")
}
