//! Objects of ours that V8 calls through a vtable of the Itanium C++ ABI.

use std::ffi::c_void;

/// A whole vtable: the functions stand behind the offset to the top and the type information, and an object's
/// first word points at them. A virtual destructor takes two slots.
#[repr(C)]
pub(super) struct Vtable<F> {
    offset_to_top: isize,
    type_info: usize,
    functions: F,
}

impl<F> Vtable<F> {
    /// The vtable of a class that derives from nothing and carries no type information, as V8 is built.
    pub(super) const fn new(functions: F) -> Self {
        Self { offset_to_top: 0, type_info: 0, functions }
    }

    /// What an object's first word has to be.
    pub(super) const fn functions(&'static self) -> *const F {
        &raw const self.functions
    }
}

/// A destructor for objects that somebody else owns.
pub(super) unsafe extern "C" fn nothing(_: *mut c_void) {}
