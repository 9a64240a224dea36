use crate::snapshot::Graph;

/// The numbers of the names of edges and nodes that matter, where they occur.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) table: Option<u32>,
    pub(super) context: Option<u32>,
    pub(super) elements: Option<u32>,
    pub(super) properties: Option<u32>,
    pub(super) previous: Option<u32>,
    pub(super) proto: Option<u32>,
    pub(super) constructor: Option<u32>,
    pub(super) prototype: Option<u32>,
    pub(super) scope_info: Option<u32>,
    pub(super) shared: Option<u32>,
    pub(super) name_or_scope_info: Option<u32>,
    pub(super) script: Option<u32>,
    pub(super) parameters_and_registers: Option<u32>,
    pub(super) source_text_module: Option<u32>,
    pub(super) cell: Option<u32>,
}

impl Names {
    pub(super) fn find(graph: &Graph) -> Self {
        let find = |name| graph.strings.find(name);
        Self {
            table: find("table"),
            context: find("context"),
            elements: find("elements"),
            properties: find("properties"),
            previous: find("previous"),
            proto: find("__proto__"),
            constructor: find("constructor"),
            prototype: find("prototype"),
            scope_info: find("scope_info"),
            shared: find("shared"),
            name_or_scope_info: find("name_or_scope_info"),
            script: find("script_or_debug_info").or_else(|| find("script")),
            parameters_and_registers: find("parameters_and_registers"),
            source_text_module: find("system / SourceTextModule"),
            cell: find("system / Cell"),
        }
    }
}

pub(super) fn is_among<const N: usize>(name: Option<u32>, names: [Option<u32>; N]) -> bool {
    name.is_some() && names.contains(&name)
}
