//! Puts the board's memory map where the linker script looks for it.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let memory = match target.as_str() {
        "thumbv6m-none-eabi" => "memory/microbit.x",
        "thumbv7m-none-eabi" => "memory/lm3s6965evb.x",
        "thumbv7em-none-eabi" | "thumbv7em-none-eabihf" => "memory/mps2-an386.x",
        "riscv32imc-unknown-none-elf" => "memory/virt.x",
        other => panic!("no board for the target {other}"),
    };
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::copy(memory, out.join("memory.x")).expect("the memory map is readable");
    // Boards of one family differ in what their core runs at, too.
    let board = memory.trim_start_matches("memory/").trim_end_matches(".x");
    println!("cargo:rustc-check-cfg=cfg(target_board, values(any()))");
    println!("cargo:rustc-cfg=target_board=\"{board}\"");
    let name = target.split('-').next().unwrap_or(&target);
    println!("cargo:rustc-env=TARGET_NAME={name}");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed={memory}");
    println!("cargo:rerun-if-changed=build.rs");
}
