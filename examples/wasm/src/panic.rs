//! No panic: the handler calls a function that nobody defines, so where one is reachable the
//! module imports it, and the check of the module's imports fails.

use core::panic::PanicInfo;

#[link(wasm_import_module = "steadfast")]
unsafe extern "C" {
    safe fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    a_panic_is_reachable()
}
