use rustc_hash::FxHashMap;

use super::super::NodeType;

/// What a string is used for. The fewer roles the better: who reads the copy finds the names that matter by their numbers, and a name with two
/// roles has two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub(super) struct Role(u8);

impl Role {
    /// For nothing yet.
    const NONE: Self = Self(0);
    /// The contents of a string or the source of a regular expression.
    pub(super) const VALUE: Self = Self(1);
    /// V8's word for a kind of value, such as `heap number`.
    pub(super) const WORD: Self = Self(2);
    /// The name of anything.
    pub(super) const NAME: Self = Self(3);
    /// The key of an object with many properties, of a class that is counted from here.
    const FIRST_KEY: u8 = 4;

    /// The name of a node of this type.
    pub(super) const fn of_node(node_type: NodeType) -> Self {
        match node_type {
            NodeType::String | NodeType::RegExp | NodeType::Unknown => Self::VALUE,
            NodeType::Number
            | NodeType::BigInt
            | NodeType::Symbol
            | NodeType::ConcatenatedString
            | NodeType::SlicedString => Self::WORD,
            _ => Self::NAME,
        }
    }

    /// The class of the object whose key it is; none if it is no key of an object with many properties.
    pub(super) const fn key_of(self) -> Option<usize> {
        match self.0.checked_sub(Self::FIRST_KEY) {
            Some(class) => Some(class as usize),
            None => None,
        }
    }
}

/// The classes of objects with many properties, by the numbers of their names.
#[derive(Debug, Default)]
pub(super) struct Classes {
    names: Vec<u32>,
    known: FxHashMap<u32, Role>,
}

impl Classes {
    /// The role of their keys. The classes that come too late to have a role of their own share one.
    pub(super) fn role_of_keys(&mut self, name: u32) -> Role {
        let names = &mut self.names;
        *self.known.entry(name).or_insert_with(|| {
            let number = names.len().min(usize::from(u8::MAX - Role::FIRST_KEY));
            if number == names.len() {
                names.push(name);
            }
            Role(Role::FIRST_KEY + number as u8)
        })
    }

    /// The name of a class; none where several share the number.
    pub(super) fn name(&self, class: usize) -> Option<u32> {
        self.names.get(class).copied().filter(|_| class < usize::from(u8::MAX - Role::FIRST_KEY))
    }
}

/// What else is known of how a text is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u8);

impl Marks {
    /// It is the contents of a string that a property, a variable or an array refers to.
    pub(super) const VALUE: Self = Self(1);
    /// V8 has named something by it.
    pub(super) const SYSTEM: Self = Self(2);
    /// It is the name of an edge to a string, whose contents may be in it.
    pub(super) const TO_VALUE: Self = Self(4);
    /// It is the name of a function, a script, or of what belongs to them.
    pub(super) const CODE: Self = Self(8);
    /// An embedder has named something outside of the heap by it.
    pub(super) const NATIVE: Self = Self(16);

    /// What a node of this type says of its name.
    pub(super) const fn of_node(node_type: NodeType) -> Self {
        match node_type {
            NodeType::Code => Self::CODE,
            NodeType::Native => Self::NATIVE,
            NodeType::Hidden | NodeType::Array | NodeType::Synthetic | NodeType::ObjectShape => Self::SYSTEM,
            _ => Self(0),
        }
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The marks of texts by their numbers.
#[derive(Debug, Default)]
pub(super) struct MarkedTexts(Vec<Marks>);

impl MarkedTexts {
    #[inline]
    pub(super) fn mark(&mut self, text: u32, marks: Marks) {
        let index = text as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, Marks::default());
        }
        self.0[index] = self.0[index].and(marks);
    }

    pub(super) fn get(&self, text: u32) -> Marks {
        self.0.get(text as usize).copied().unwrap_or_default()
    }

    /// The texts that have this mark.
    pub(super) fn with(&self, mark: Marks) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.0).filter(move |(_, marks)| marks.has(mark)).map(|(text, _)| text)
    }
}

/// Three strings in their first roles, then one in another, and so on.
const GROUP: u32 = 3;

/// Gives each string a number per role. In its first role it keeps its place, with room for the others between: what is kept is a byte a
/// string, and more only for those that have several roles, a few in a hundred.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// By string.
    first_roles: Vec<Role>,
    others: Vec<(u32, Role)>,
    known: FxHashMap<(u32, Role), u32>,
}

impl Uses {
    /// The number of a string in a role; the string is now used.
    #[inline]
    pub(super) fn number(&mut self, string: u32, role: Role) -> u64 {
        let index = string as usize;
        if index >= self.first_roles.len() {
            self.first_roles.resize(index + 1, Role::NONE);
        }
        let first = &mut self.first_roles[index];
        if *first == Role::NONE {
            *first = role;
        }
        if *first == role {
            return Self::place(string);
        }
        let others = &mut self.others;
        let number = *self.known.entry((string, role)).or_insert_with(|| {
            others.push((string, role));
            others.len() as u32 - 1
        });
        Self::other_place(number)
    }

    /// Whether a string stands as a name under a number before this one.
    pub(super) fn is_name_before(&self, string: u32, number: u64) -> bool {
        let before = match self.first_roles.get(string as usize) {
            Some(&Role::NAME) => Some(Self::place(string)),
            _ => self.known.get(&(string, Role::NAME)).copied().map(Self::other_place),
        };
        before.is_some_and(|before| before < number)
    }

    const fn place(string: u32) -> u64 {
        (string / GROUP) as u64 * (GROUP + 1) as u64 + (string % GROUP) as u64
    }

    const fn other_place(index: u32) -> u64 {
        index as u64 * (GROUP + 1) as u64 + GROUP as u64
    }

    /// How many strings must be there for all uses.
    pub(super) const fn strings(&self) -> usize {
        self.first_roles.len()
    }

    /// By the numbers given, what stands there; none where nothing does.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<(u32, Role)>> + '_ {
        let group = GROUP as usize;
        let groups = self.first_roles.len().div_ceil(group).max(self.others.len());
        (0..groups).flat_map(move |at| {
            let firsts = (at * group..(at + 1) * group).map(|string| {
                let role = self.first_roles.get(string).copied().filter(|&role| role != Role::NONE);
                role.map(|role| (string as u32, role))
            });
            firsts.chain([self.others.get(at).copied()])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_a_number_per_role_and_is_found_by_it() {
        let mut uses = Uses::default();
        let wanted: Vec<(u32, Role)> = [7, 0, 7, 3, 7, 0, 1]
            .into_iter()
            .zip([Role::NAME, Role::VALUE, Role::VALUE, Role::NAME, Role::NAME, Role::WORD, Role::VALUE])
            .collect();
        let numbers: Vec<u64> = wanted.iter().map(|&(string, role)| uses.number(string, role)).collect();
        assert_eq!(numbers[0], numbers[4]);
        let table: Vec<_> = uses.iter().collect();
        for (&number, &used) in numbers.iter().zip(&wanted) {
            assert_eq!(table[number as usize], Some(used));
        }
        assert_eq!(table.iter().flatten().count(), 6);
    }

    #[test]
    fn more_roles_than_strings_have_room() {
        let mut uses = Uses::default();
        let numbers: Vec<u64> = (1..7).map(|role| uses.number(0, Role(role))).collect();
        let table: Vec<_> = uses.iter().collect();
        for (role, &number) in numbers.iter().enumerate() {
            assert_eq!(table[number as usize], Some((0, Role(role as u8 + 1))));
        }
    }

    #[test]
    fn late_classes_share_a_role_without_a_name() {
        let mut classes = Classes::default();
        let roles: Vec<Role> = (0..400).map(|name| classes.role_of_keys(name)).collect();
        assert_eq!(classes.name(roles[3].key_of().unwrap()), Some(3));
        assert_eq!((roles[300], roles[399]), (roles[301], Role(u8::MAX)));
        assert_eq!(classes.name(roles[399].key_of().unwrap()), None);
    }
}
