//! The frame of the images that are measured.

/// An image that asks for ever, with a time `now` that the compiler cannot know.
///
/// What an image has above `size_empty` is what the machine costs: the frame is the same in all,
/// the critical section included, which the final binary brings and not this library.
#[macro_export]
macro_rules! size_image {
    (|$now:ident| $ask:expr) => {
        #[$crate::board::entry]
        fn main() -> ! {
            loop {
                let $now = ::steadfast::time::Instant::from_nanos(::core::hint::black_box(1));
                ::critical_section::with(|_| ::core::hint::black_box(()));
                let _ = ::core::hint::black_box($ask);
            }
        }

        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo) -> ! {
            loop {}
        }
    };
}
