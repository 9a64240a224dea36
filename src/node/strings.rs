#![allow(unsafe_code, reason = "reads V8's strings through Node-API")]

use napi::{Env, bindgen_prelude::FromNapiValue};

use crate::v8::LocalString;

/// Reads V8's strings within the handle scope of the running callback; what cannot be read is empty.
pub(super) fn reader(env: &Env) -> impl FnMut(LocalString<'_>) -> String + use<> {
    let env = env.raw();
    move |string| {
        // SAFETY: the bits of a `v8::Local` are those of a `napi_value`, and the profile's strings were made in the
        // handle scope of the callback that is still running.
        unsafe { String::from_napi_value(env, string.bits().cast()) }.unwrap_or_default()
    }
}
