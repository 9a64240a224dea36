use serde::Deserialize;

use super::{EdgeType, NodeType};

/// The value of `snapshot` at the beginning of the file: what the columns are and how many rows follow.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) meta: Meta,
    pub(super) node_count: u64,
    pub(super) edge_count: u64,
    #[serde(default)]
    pub(super) extra_native_bytes: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    node_fields: Vec<String>,
    /// For each field the names of its values, or what they are.
    node_types: Vec<Values>,
    edge_fields: Vec<String>,
    edge_types: Vec<Values>,
    #[serde(default)]
    location_fields: Vec<String>,
    #[serde(default)]
    trace_function_info_fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    Names(Vec<String>),
    Kind(String),
}

/// Where the fields of a row of nodes stand; they depend on the version of V8.
#[derive(Debug)]
pub(super) struct NodeLayout {
    pub(super) fields: usize,
    pub(super) kind: usize,
    pub(super) name: usize,
    pub(super) id: usize,
    pub(super) self_size: usize,
    pub(super) edge_count: usize,
    pub(super) detachedness: Option<usize>,
    pub(super) kinds: Vec<NodeType>,
}

/// Where the fields of a row of edges stand.
#[derive(Debug)]
pub(super) struct EdgeLayout {
    pub(super) fields: usize,
    pub(super) kind: usize,
    pub(super) name: usize,
    pub(super) target: usize,
    pub(super) kinds: Vec<EdgeType>,
}

/// Where the fields of a row of locations stand.
#[derive(Debug)]
pub(super) struct LocationLayout {
    pub(super) fields: usize,
    pub(super) node: usize,
    pub(super) script_id: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The most fields that a row may have.
pub(super) const MAX_FIELDS: usize = 16;

impl Meta {
    /// Fails with the name of what is missing.
    pub(super) fn nodes(&self) -> Result<NodeLayout, String> {
        let at = |name| position("node_fields", &self.node_fields, name);
        let kind = at("type")?;
        Ok(NodeLayout {
            fields: count("node_fields", &self.node_fields)?,
            kind,
            name: at("name")?,
            id: at("id")?,
            self_size: at("self_size")?,
            edge_count: at("edge_count")?,
            detachedness: at("detachedness").ok(),
            kinds: names("node_types", &self.node_types, kind)?
                .iter()
                .map(|name| NodeType::by_name(name))
                .collect(),
        })
    }

    pub(super) fn edges(&self) -> Result<EdgeLayout, String> {
        let at = |name| position("edge_fields", &self.edge_fields, name);
        let kind = at("type")?;
        Ok(EdgeLayout {
            fields: count("edge_fields", &self.edge_fields)?,
            kind,
            name: at("name_or_index")?,
            target: at("to_node")?,
            kinds: names("edge_types", &self.edge_types, kind)?
                .iter()
                .map(|name| EdgeType::by_name(name))
                .collect(),
        })
    }

    pub(super) fn locations(&self) -> Result<LocationLayout, String> {
        let at = |name| position("location_fields", &self.location_fields, name);
        Ok(LocationLayout {
            fields: count("location_fields", &self.location_fields)?,
            node: at("object_index")?,
            script_id: at("script_id")?,
            line: at("line")?,
            column: at("column")?,
        })
    }
}

impl Meta {
    /// How many fields a row of the functions on allocations' stacks has, and where the names of function and script stand.
    pub(super) fn functions(&self) -> Result<(usize, usize, usize), String> {
        let at = |name| position("trace_function_info_fields", &self.trace_function_info_fields, name);
        let fields = count("trace_function_info_fields", &self.trace_function_info_fields)?;
        // Made-up snapshots have neither fields nor rows.
        if fields == 0 { Ok((1, 0, 0)) } else { Ok((fields, at("name")?, at("script_name")?)) }
    }
}

fn position(list: &str, fields: &[String], name: &str) -> Result<usize, String> {
    fields.iter().position(|field| field == name).ok_or_else(|| format!("`{name}` among the {list}"))
}

fn count(list: &str, fields: &[String]) -> Result<usize, String> {
    if fields.len() <= MAX_FIELDS { Ok(fields.len()) } else { Err(format!("at most {MAX_FIELDS} {list}")) }
}

fn names<'a>(list: &str, types: &'a [Values], kind: usize) -> Result<&'a [String], String> {
    match types.get(kind) {
        Some(Values::Names(names)) if names.len() <= 256 => Ok(names),
        Some(Values::Kind(kind)) => Err(format!("the names of the types in {list}, not `{kind}`")),
        _ => Err(format!("the names of the types in {list}")),
    }
}
