use serde::Serialize;

use super::{Reader, Rows, Thing};
use crate::snapshot::{EdgeType, NodeType, ROOT};

/// Global variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Globals {
    /// How many there are.
    pub total: usize,
    /// Of these, how many every program has.
    pub standard: usize,
    /// What the program added first, and of that what retains most.
    pub globals: Vec<Global>,
}

/// A global variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Global {
    /// Its name.
    pub name: String,
    /// How it came to be.
    pub kind: Variable,
    /// Whether every program has it.
    pub is_standard: bool,
    /// V8's id of the global object or scope that has it; there are several if the program uses `vm`.
    pub of: u32,
    /// What it is.
    pub value: Thing,
}

/// How a global variable comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variable {
    /// A property of the global object.
    Property,
    /// A `let`, `const` or `class` at the top of a script (not of a module).
    Lexical,
}

/// What JavaScript and Node put on the global object as it is, and not behind a getter.
const STANDARD: &str = "\
    AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array \
    Boolean Buffer CustomEvent DOMException DataView Date DisposableStack Error EvalError Event \
    EventTarget FinalizationRegistry Float16Array Float32Array Float64Array Function GLOBAL Infinity \
    Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Navigator Number Object Promise \
    Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol \
    SyntaxError Temporal TypeError URIError URL URLSearchParams Uint16Array Uint32Array Uint8Array \
    Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly atob btoa clearImmediate clearInterval \
    clearTimeout console constructor crypto decodeURI decodeURIComponent encodeURI encodeURIComponent \
    escape eval fetch global globalThis isFinite isNaN navigator parseFloat parseInt performance process \
    queueMicrotask require root setImmediate setInterval setTimeout structuredClone undefined unescape";

impl Reader<'_> {
    pub(super) fn globals(&self, all: bool, rows: Rows) -> Globals {
        let mut found: Vec<(bool, u32, u32)> = Vec::new();
        for global in self.global_objects() {
            let edges: Vec<u32> =
                self.graph.edges(global).filter(|&edge| self.previews.is_property(edge)).collect();
            // V8 names the two functions of an accessor beside it.
            let accessors: Vec<String> = edges
                .iter()
                .filter(|&&edge| self.previews.is_accessors(self.graph.target(edge)))
                .flat_map(|&edge| ["get ", "set "].map(|word| format!("{word}{}", self.edge_name(edge))))
                .collect();
            found.extend(
                edges
                    .into_iter()
                    .filter(|&edge| !accessors.contains(&self.edge_name(edge)))
                    .map(|edge| (self.is_standard(global, edge), edge, global)),
            );
        }
        for scope in self.script_scopes() {
            let edges =
                self.graph.edges(scope).filter(|&edge| self.graph.edge_type(edge) == EdgeType::Context);
            found.extend(edges.map(|edge| (self.is_standard(scope, edge), edge, scope)));
        }
        let standard = found.iter().filter(|(is_standard, ..)| *is_standard).count();
        found.retain(|(is_standard, ..)| all || !is_standard);
        found.sort_by_key(|&(is_standard, edge, _)| {
            (is_standard, std::cmp::Reverse(self.heap.retained_size(self.graph.target(edge))))
        });
        Globals {
            total: found.len(),
            standard,
            globals: rows
                .of(found)
                .map(|(is_standard, edge, of)| Global {
                    name: self.edge_name(edge),
                    kind: if self.graph.edge_type(edge) == EdgeType::Context {
                        Variable::Lexical
                    } else {
                        Variable::Property
                    },
                    is_standard,
                    of: self.graph.id(of),
                    value: self.thing(self.graph.target(edge)),
                })
                .collect(),
        }
    }

    /// What the contexts of V8 lead to by an internal edge of this name; a program has one, and one more for each of `vm`.
    fn of_native_contexts(&self, name: &str) -> Vec<u32> {
        let (context, name) =
            (self.graph.strings().find("system / NativeContext"), self.graph.strings().find(name));
        self.graph
            .nodes()
            .filter(|&node| {
                self.graph.node_type(node) == NodeType::Hidden && Some(self.graph.name(node)) == context
            })
            .filter_map(|node| self.graph.internal(node, name))
            .collect()
    }

    fn global_objects(&self) -> Vec<u32> {
        let is_object = |&node: &u32| self.graph.node_type(node) == NodeType::Object;
        let from_root = self.graph.edges(ROOT).map(|edge| self.graph.target(edge)).filter(is_object);
        // The older and the newer name that V8 has for it.
        let of_contexts = ["extension", "global_object"].map(|name| self.of_native_contexts(name));
        let mut objects: Vec<u32> =
            from_root.chain(of_contexts.into_iter().flatten().filter(is_object)).collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    fn script_scopes(&self) -> Vec<u32> {
        let tables = self.of_native_contexts("script_context_table");
        let targets = tables.into_iter().flat_map(|table| self.graph.edges(table));
        targets.map(|edge| self.graph.target(edge)).filter(|&node| self.graph.is_context(node)).collect()
    }

    /// Whether every program has it; V8 counts `this` among the variables of a script.
    fn is_standard(&self, global: u32, edge: u32) -> bool {
        let (name, value) = (self.edge_name(edge), self.graph.target(edge));
        if self.previews.is_accessors(value) {
            let getter = format!("get {name}");
            let getter = self.graph.edges(global).find(|&edge| self.edge_name(edge) == getter);
            return getter.is_none_or(|getter| !self.is_of_the_program(self.graph.target(getter)));
        }
        name.starts_with("<symbol node:")
            || name == "<symbol Symbol.toStringTag>"
            || (self.graph.edge_type(edge) == EdgeType::Context && name == "this")
            || self.is_of_v8(value, &name)
            || (STANDARD.split(' ').any(|standard| standard == name) && !self.is_of_the_program(value))
    }

    /// Whether it is a function that V8 itself has under that name, such as one that only a later V8 has.
    fn is_of_v8(&self, node: u32, name: &str) -> bool {
        let functions = self.previews.functions();
        functions.shared(self.graph, node).is_some_and(|shared| {
            !functions.has_script(self.graph, shared)
                && self.graph.strings().bytes(self.graph.name(node)) == name.as_bytes()
        })
    }

    /// Whether it is a function that is written neither in Node nor in V8.
    fn is_of_the_program(&self, node: u32) -> bool {
        let functions = self.previews.functions();
        functions
            .shared(self.graph, node)
            .is_some_and(|shared| functions.is_of_the_program(self.graph, shared))
    }
}
