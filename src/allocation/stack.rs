use std::{collections::HashSet, sync::Arc};

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Frame, Profile};

/// An allocating stack, innermost frame first, without V8's root.
#[derive(Default, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    frames: Vec<Arc<Frame>>,
}

impl Stack {
    /// Of these frames, innermost first.
    #[cfg(test)]
    pub(crate) fn of(frames: impl Into<Vec<Arc<Frame>>>) -> Self {
        Self { frames: frames.into() }
    }

    /// The frames, innermost first.
    pub fn frames(&self) -> &[Arc<Frame>] {
        &self.frames
    }

    /// The function of the application or of a package that called the site, where both are known.
    pub(super) fn caller_of_site(&self) -> Option<&Arc<Frame>> {
        self.caller_of(self.site()?)
    }

    /// The function of the application or of a package that called `function`, where both are on the stack.
    pub(super) fn caller_of(&self, function: &Arc<Frame>) -> Option<&Arc<Frame>> {
        self.frames.iter().skip_while(|frame| *frame != function).find(|frame| {
            *frame != function && matches!(frame.origin(), Origin::Application | Origin::Package)
        })
    }

    /// The frame to blame: the innermost one of the application; failing that, of a package; failing that, of
    /// Node; failing that, the innermost.
    pub fn site(&self) -> Option<&Arc<Frame>> {
        let of = |origin| self.frames.iter().find(|frame| frame.origin() == origin);
        of(Origin::Application)
            .or_else(|| of(Origin::Package))
            .or_else(|| of(Origin::Node))
            .or_else(|| self.frames.first())
    }
}

/// Whose code a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user's own.
    Application,
    /// Below a `node_modules` folder.
    Package,
    /// Node's own JavaScript.
    Node,
    /// No script at all: V8's `(GC)`, `(V8 API)` and the like.
    Engine,
}

impl Frame {
    /// Whose code it is, by the script's name.
    pub fn origin(&self) -> Origin {
        let script = self.script_name.as_str();
        if script.is_empty() {
            Origin::Engine
        } else if script.starts_with("node:") || script.starts_with("internal/") {
            Origin::Node
        } else if script.contains("/node_modules/") {
            Origin::Package
        } else {
            Origin::Application
        }
    }

    /// The name to show: V8's bare function name, or `(anonymous)`.
    pub fn display_name(&self) -> &str {
        if self.function_name.is_empty() { "(anonymous)" } else { &self.function_name }
    }
}

/// Keeps equal stacks once. What nobody else holds is forgotten by `prune`.
#[derive(Debug, Default)]
pub(super) struct StackTable {
    stacks: HashSet<Arc<Stack>, FxBuildHasher>,
    frames: HashSet<Arc<Frame>, FxBuildHasher>,
}

impl StackTable {
    /// The stacks of the nodes of `profile` for which `wanted` holds, by node id.
    pub(super) fn stacks_of(
        &mut self,
        profile: &Profile,
        wanted: impl Fn(u32) -> bool,
    ) -> FxHashMap<u32, Arc<Stack>> {
        let mut found = FxHashMap::default();
        for (index, node) in profile.nodes.iter().enumerate() {
            if wanted(node.id) {
                let mut frames = Vec::new();
                let mut at = Some(index);
                while let Some(node) = at.and_then(|at| profile.nodes.get(at)) {
                    // The root is the one without a caller.
                    if node.caller.is_some() {
                        frames.push(intern(&mut self.frames, &node.frame));
                    }
                    at = node.caller;
                }
                if frames.is_empty() {
                    // Allocated by V8 itself, with no JavaScript on the stack.
                    frames.push(intern(&mut self.frames, &node.frame));
                }
                let stack = Stack { frames };
                let stack = match self.stacks.get(&stack) {
                    Some(known) => Arc::clone(known),
                    None => {
                        let stack = Arc::new(stack);
                        self.stacks.insert(Arc::clone(&stack));
                        stack
                    }
                };
                found.insert(node.id, stack);
            }
        }
        found
    }

    /// Forgets the stacks and frames that nobody else holds.
    pub(super) fn prune(&mut self) {
        self.stacks.retain(|stack| Arc::strong_count(stack) > 1);
        self.frames.retain(|frame| Arc::strong_count(frame) > 1);
    }
}

fn intern(frames: &mut HashSet<Arc<Frame>, FxBuildHasher>, frame: &Frame) -> Arc<Frame> {
    if let Some(known) = frames.get(frame) {
        return Arc::clone(known);
    }
    let frame = Arc::new(frame.clone());
    frames.insert(Arc::clone(&frame));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function_name: &str, script_name: &str) -> Arc<Frame> {
        Arc::new(Frame {
            function_name: function_name.into(),
            script_name: script_name.into(),
            ..Frame::default()
        })
    }

    fn site(frames: &[(&str, &str)]) -> String {
        let stack = Stack { frames: frames.iter().map(|(name, script)| frame(name, script)).collect() };
        stack.site().map_or_else(String::new, |frame| frame.function_name.clone())
    }

    #[test]
    fn the_innermost_frame_of_the_application_is_to_blame() {
        let handle = ("handle", "/app/node_modules/express/lib/router.js");
        let remember = ("remember", "file:///app/server.mjs");
        let on = ("on", "node:events");
        assert_eq!(site(&[("", ""), on, remember, handle, ("main", "/app/server.js")]), "remember");
        assert_eq!(site(&[on, handle, on]), "handle");
        assert_eq!(site(&[("(GC)", ""), on]), "on");
        assert_eq!(site(&[("(GC)", "")]), "(GC)");
        assert_eq!(site(&[]), "");
    }
}
