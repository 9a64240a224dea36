use rustc_hash::FxHashMap;

use super::Names;
use crate::snapshot::{Graph, NodeType};

/// A function that has a scope, or whose scope is a module's.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes {
    /// By ScopeInfo, the function's SharedFunctionInfo.
    pub(super) owners: FxHashMap<u32, u32>,
    /// By SharedFunctionInfo, a closure of it.
    pub(super) closures: FxHashMap<u32, u32>,
    /// By scope, the SharedFunctionInfo of a function written in it.
    pub(super) inner: FxHashMap<u32, u32>,
}

impl Scopes {
    pub(super) fn find(graph: &Graph, names: Names) -> Self {
        let mut scopes = Self::default();
        for node in graph.nodes() {
            match graph.node_type(node) {
                NodeType::Closure => {
                    if let Some(shared) = graph.internal(node, names.shared) {
                        scopes.closures.entry(shared).or_insert(node);
                        if let Some(context) = graph.internal(node, names.context) {
                            scopes.inner.entry(context).or_insert(shared);
                        }
                    }
                }
                NodeType::Code => {
                    let scope_info = graph.internal(node, names.name_or_scope_info);
                    if let Some(scope_info) =
                        scope_info.filter(|&info| graph.node_type(info) == NodeType::Code)
                    {
                        scopes.owners.entry(scope_info).or_insert(node);
                    }
                }
                _ => {}
            }
        }
        scopes
    }
}
