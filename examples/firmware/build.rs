//! Puts the board's memory map where the linker script looks for it.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    // A board joins by a line here, a file in `memory/` and a runner in `.cargo/config.toml`.
    let memory = match target.as_str() {
        "thumbv6m-none-eabi" => "memory/microbit.x",
        other => panic!("no board for the target {other}"),
    };
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::copy(memory, out.join("memory.x")).expect("the memory map is readable");
    let name = target.split('-').next().unwrap_or(&target);
    println!("cargo:rustc-env=TARGET_NAME={name}");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed={memory}");
    println!("cargo:rerun-if-changed=build.rs");
}
