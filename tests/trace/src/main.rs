//! Prints this machine's name and the digest of the script. With an argument, prints the digest
//! after each step as well: two homes' lists, compared, show the first step that differs.

#![forbid(unsafe_code)]

fn main() {
    let each_step = std::env::args().nth(1).is_some();
    let digest = steadfast_trace::run_with(steadfast_trace::STEPS, |step| {
        if each_step {
            println!("{} {} {:016x}", step.machine, step.step, step.digest);
        }
    });
    println!("{} {digest:016x}", std::env::consts::ARCH);
}
